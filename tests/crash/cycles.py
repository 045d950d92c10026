"""Killing, again and again."""

import asyncio
import math
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from bench.postgres import Postgres
from tests.crash.far import Sent, far
from tests.crash.near import Callers, Read
from tests.crash.reconcile import Verdict, reconcile, rows_in
from tests.crash.rig import PEPPER, WORKERS, Rig, until

from infway.database import Database
from infway.database.opening import database_at

SETTLED_IN = 5.0  # seconds from the boot until everything is settled, figure N1
TOLD_EVERY = 50  # kills: a run of a thousand takes an hour and more


@dataclass
class Found:
    """What some cycles showed. `settled`: seconds from each restart until all was settled."""

    verdict: Verdict
    settled: list[float] = field(default_factory=list)
    exit_code: int = 0
    errors: list[str] = field(default_factory=list)


@contextmanager
def store(kind: str, folder: Path) -> Iterator[tuple[Mapping[str, object], Database]]:
    """Return the settings of a store, and how it is read."""
    if kind == "sqlite":
        database = database_at(folder / "ledger.db")
        yield {}, database
        database.close()
        return
    server = Postgres(safe=True)
    try:
        url = server.database()
        database = database_at(url)
        yield {"store": {"url": url}, "accounts": {"pepper": PEPPER}}, database
        database.close()
    finally:
        server.close()


@asynccontextmanager
async def running(folder: Path, port: int, settings: Mapping[str, object]) -> AsyncIterator[Rig]:
    """Run a gateway; nothing of it is left behind."""
    rig = Rig(folder, port, settings)
    try:
        await asyncio.to_thread(rig.start)
        yield rig
    finally:
        rig.kill()


async def run(
    kind: str, cycles: int, callers: int, seed: int = 1, seconds: float = math.inf
) -> Found:
    """Kill so many times, or for so many seconds, and compare."""
    sent: list[Sent] = []
    read: list[Read] = []
    with tempfile.TemporaryDirectory(prefix="infway-crash-") as name:
        folder = Path(name)
        with store(kind, folder) as (settings, database):
            async with far(sent) as port, running(folder, port, settings) as rig:
                asking = Callers(rig.port, read, callers)
                task = asyncio.create_task(asking.run())
                try:
                    settled = await _killed(rig, Random(seed), cycles, seconds)
                finally:
                    asking.over.set()
                    await task
                code = await asyncio.to_thread(rig.stop)
            await asyncio.to_thread(database.open)
            verdict = reconcile(sent, read, rows_in(database))
            errors = [line for line in rig.log().splitlines() if '"level":"error"' in line]
            left = rig.journals()
            if left:
                verdict.unsettled.append(f"{left} journals are left")
            return Found(verdict, settled, code, errors)


async def _killed(rig: Rig, random: Random, cycles: int, seconds: float) -> list[float]:
    """Return how long it took after each kill until all was settled."""
    began = time.perf_counter()
    settled: list[float] = []
    while len(settled) < cycles and time.perf_counter() - began < seconds:
        settled.append(await _cycle(rig, random))
        if not len(settled) % TOLD_EVERY:
            print(f"{len(settled)} kills, settled within {max(settled):.1f} s", flush=True)
    return settled


async def _cycle(rig: Rig, random: Random) -> float:
    """Let it run for a moment, kill a worker or all, and wait until all is settled."""
    await asyncio.sleep(random.uniform(0.2, 2.0))
    if random.random() < 0.5:
        names = rig.journals()
        await asyncio.to_thread(rig.kill_worker)
        await asyncio.to_thread(until, lambda: rig.journals() - names)  # another was started
    else:
        await asyncio.to_thread(rig.kill)
        await asyncio.to_thread(rig.start)
    return await asyncio.to_thread(until, lambda: len(rig.journals()) == WORKERS)
