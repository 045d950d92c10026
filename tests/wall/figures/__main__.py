"""The figures on the command line; see the package."""

import argparse
import asyncio
import logging
import sys

from tests.wall.figures import brownout, dead, outage


def run(arguments: list[str]) -> bool:
    """Measure what is named and tell whether its goal was reached."""
    parser = argparse.ArgumentParser(prog="python -m tests.wall.figures")
    figures = parser.add_subparsers(dest="figure", required=True)
    figures.add_parser("dead").add_argument("--requests", type=int, default=10_000)
    figures.add_parser("brownout").add_argument("--seconds", type=float, default=20.0)
    figures.add_parser("outage").add_argument("--seconds", type=float, default=30.0)
    said = parser.parse_args(arguments)
    logging.getLogger("infway").setLevel(logging.ERROR)
    if said.figure == "dead":
        return asyncio.run(dead.main(said.requests))
    measured = {"brownout": brownout.main, "outage": outage.main}[said.figure]
    return asyncio.run(measured(said.seconds))


if __name__ == "__main__":
    sys.exit(not run(sys.argv[1:]))
