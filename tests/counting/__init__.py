"""How near the counted tokens come to those that vendors counted: `python -m tests.counting DIR`."""
