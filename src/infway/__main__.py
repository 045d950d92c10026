"""`python -m infway` is the command `infway`."""

from infway.cli import main

if __name__ == "__main__":
    main()
