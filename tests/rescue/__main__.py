"""`python -m tests.rescue [--cuts N] [--first N] [--at-once N]`: cuts answers off, and counts.

The exit code is 1 where a caller got a wrong text.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
from pathlib import Path

from tests.rescue.count import count_cuts

from infway.kernel.clock import system_clock


def main() -> int:
    """Count."""
    parser = argparse.ArgumentParser(prog="python -m tests.rescue", description=__doc__)
    parser.add_argument("--cuts", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--at-once", type=int, default=16)
    asked = parser.parse_args()
    logging.disable(logging.WARNING)
    clock = system_clock()
    began = clock.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        count = asyncio.run(count_cuts(asked.cuts, asked.at_once, Path(folder), asked.first))
    print(*count.lines(), f"{clock.monotonic() - began:.0f} s", sep="\n")
    return int(bool(count.wrong))


if __name__ == "__main__":
    sys.exit(main())
