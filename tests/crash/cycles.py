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

# Figure N1: kills, requests at least, and seconds from the boot until everything is settled
CYCLES, REQUESTS, SETTLED_IN = 1000, 500_000, 5.0
TOLD_EVERY = 50  # kills: a run of a thousand takes an hour and more


@dataclass
class Found:
    """What some cycles showed. `settled`: seconds from each boot until all was settled.

    Where a worker was killed the boot is the kill; else it is when the gateway is started again.
    """

    verdict: Verdict
    settled: list[float] = field(default_factory=list)
    exit_code: int = 0
    errors: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether every attempt has its row, in time, and the gateway stopped in order."""
        in_time = max(self.settled, default=0.0) <= SETTLED_IN
        return self.verdict.is_good and in_time and not self.exit_code

    def told(self, cycles: int) -> str:
        """Say whether it holds, and whether it is as long as was asked and as the figure says."""
        if not self.is_good:
            return "WRONG"
        done, asked = len(self.settled), self.verdict.requests
        wanted = max(cycles, CYCLES)
        short = [f"{done:,} of {wanted:,} kills"] if done < wanted else []
        if asked < REQUESTS * max(done, 1) / CYCLES:
            short.append(f"{asked / max(done, 1):,.0f} of {REQUESTS // CYCLES:,} requests per kill")
        if not short:
            return f"All of it holds, and it is figure N1: {done:,} kills, {asked:,} requests."
        return f"It holds, but it is not figure N1: {'; '.join(short)}."


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
    """Return how long it took after each boot until all was settled."""
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
    names = rig.journals()
    if random.random() < 0.5:
        booted = time.perf_counter()
        await asyncio.to_thread(rig.kill_worker)
    else:
        await asyncio.to_thread(rig.kill)
        booted = time.perf_counter()
        await asyncio.to_thread(rig.start)

    def is_settled() -> bool:
        there = rig.journals()
        return len(there) == WORKERS and bool(there - names)  # another was started

    await asyncio.to_thread(until, is_settled)
    return time.perf_counter() - booted
