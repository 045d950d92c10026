"""`python -m tests.crash.respawn [--kills N]`: figure N13.

One of two workers is killed again and again while callers ask; another must have taken its place
within the second: it has its journal, and accepts.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from tests.crash.cycles import running
from tests.crash.far import far
from tests.crash.near import Callers, Read
from tests.crash.rig import Rig, until

REPLACED_IN = 1.0  # seconds, figure N13
_REST = 2.0  # seconds between two kills: what lived no second is started again after a pause


async def run(kills: int, callers: int) -> list[float]:
    """Return in how many seconds each worker that was killed had been replaced."""
    read: list[Read] = []
    with tempfile.TemporaryDirectory(prefix="infway-respawn-") as name:
        async with far([]) as port, running(Path(name), port, {}) as rig:
            asking = Callers(rig.port, read, callers)
            task = asyncio.create_task(asking.run())
            try:
                return [await _replaced(rig) for _ in range(kills)]
            finally:
                asking.over.set()
                await task


async def _replaced(rig: Rig) -> float:
    await asyncio.sleep(_REST)
    names = rig.journals()
    killed = time.perf_counter()
    await asyncio.to_thread(rig.kill_worker)
    await asyncio.to_thread(until, lambda: rig.journals() - names)
    return time.perf_counter() - killed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash.respawn", description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--callers", type=int, default=8)
    asked = parser.parse_args()
    took = asyncio.run(run(asked.kills, asked.callers))
    print(
        f"{len(took)} kills: replaced in {median(took):.2f} s (median), {max(took):.2f} s at most"
    )
    good = max(took) <= REPLACED_IN
    print("It holds: figure N13." if good else "WRONG")
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
