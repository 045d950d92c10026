"""The long form."""

import argparse
import asyncio
import math
import sys
import time

from tests.crash import __doc__ as said
from tests.crash.cycles import CYCLES, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=said)
    parser.add_argument("--cycles", type=int, default=CYCLES)
    parser.add_argument("--callers", type=int, default=70)
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=math.inf, help="end after so many")
    asked = parser.parse_args()
    began = time.perf_counter()
    seconds = asked.minutes * 60
    found = asyncio.run(run(asked.store, asked.cycles, asked.callers, asked.seed, seconds))
    print(found.verdict.told())
    print(f"{len(found.settled)} kills of {asked.store} in {time.perf_counter() - began:.0f} s")
    latest = max(found.settled, default=0.0)
    print(f"settled {latest:.1f} s after the boot at the latest, exit code {found.exit_code}")
    print("\n".join(found.errors[:10]))
    print(found.told(asked.cycles))
    return int(not found.is_good)


if __name__ == "__main__":
    sys.exit(main())
