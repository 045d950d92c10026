"""`python -m tests.crash.away [--seconds N] [--rate N] [--store sqlite|postgres]`: figure N16.

The database is away for so long while requests come at a steady rate, and comes back; then it is
away for longer than the settings allow. SQLite's is locked by another process, Postgres is killed.
The figure is that of the default settings: `--spool-time` makes a short run, which is none.
"""

import argparse
import asyncio
import json
import math
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.postgres import Postgres
from tests.crash.cycles import running
from tests.crash.far import far
from tests.crash.near import request
from tests.crash.reconcile import rows_in
from tests.crash.rig import PEPPER, Rig, until

from infway.database import Database
from infway.database.opening import database_at
from infway.settings.stores import LedgerSettings

_WHOLE = 5  # every fifth number is an answer in one piece
# Figure N16: seconds away, requests per second, and milliseconds in which one is refused
SECONDS, RATE, REFUSED_IN = 300.0, 100.0, 10.0


@dataclass
class Found:
    """What callers and the ledger saw. `refused`: milliseconds until each 503, the shortest first."""

    statuses: Counter[int]
    missing: int
    replayed: float
    later: Counter[int]
    refused: list[float] = field(default_factory=list)

    def slowest(self, share: float) -> float:
        """Return in how many milliseconds a share of the 503s came."""
        last = len(self.refused) - 1
        return self.refused[min(last, int(share * len(self.refused)))] if self.refused else math.inf

    @property
    def is_good(self) -> bool:
        """Whether nothing failed, nothing is missing, and 503s came at once: 99 of 100 of them.

        The slowest of all measures the machine that asks, too.
        """
        served = set(self.statuses) == {200} and set(self.later) == {200, 503}
        return served and not self.missing and self.slowest(0.99) < REFUSED_IN


class Sqlite:
    """A file that another process holds."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "ledger.db"
        self.settings: dict[str, object] = {}
        self.database: Database = database_at(self._path)

    @contextmanager
    def away(self) -> Iterator[None]:
        with closing(sqlite3.connect(self._path, isolation_level=None, timeout=30)) as one:
            one.execute("BEGIN IMMEDIATE")
            yield
            one.execute("ROLLBACK")

    def close(self) -> None:
        self.database.close()


class Server:
    """A Postgres that is killed."""

    def __init__(self, _: Path) -> None:
        self._server = Postgres(safe=True)
        url = self._server.database()
        self.settings: dict[str, object] = {
            "store": {"url": url},
            "accounts": {"pepper": PEPPER},
        }
        self.database: Database = database_at(url)

    @contextmanager
    def away(self) -> Iterator[None]:
        self._server.kill()
        yield
        self._server.start()

    def close(self) -> None:
        self.database.close()
        self._server.close()


STORES = {"sqlite": Sqlite, "postgres": Server}


async def run(kind: str, seconds: float, rate: float, allowed: float | None) -> Found:
    """Be away for `seconds`, which is no more than is `allowed`, or than by default; then for longer."""
    with tempfile.TemporaryDirectory(prefix="infway-away-") as name:
        folder = Path(name)
        store = STORES[kind](folder)
        more = {**store.settings, "ledger": {} if allowed is None else {"spool_time": allowed}}
        allowed = LedgerSettings.model_validate(more["ledger"]).spool_time
        try:
            async with far([]) as port, running(folder, port, more) as rig:
                return await _measure(rig, store, (seconds, rate, allowed))
        finally:
            store.close()


async def _measure(rig: Rig, store: Sqlite | Server, said: tuple[float, float, float]) -> Found:
    seconds, rate, allowed = said
    took: list[tuple[int, float]] = []
    with store.away():
        await _ask(rig.port, seconds, rate, took)
    database = store.database
    database.open()
    first = Counter(status for status, _ in took)
    replayed = await _replayed(database, 2 * first[200])
    took.clear()
    with store.away():
        await _ask(rig.port, allowed + 3, rate, took)
    later = Counter(status for status, _ in took)
    served = first[200] + later[200]
    await _replayed(database, 2 * served)
    missing = 2 * served - len(rows_in(database))
    refused = sorted(1000 * seconds for status, seconds in took if status == 503)
    return Found(first, missing, replayed, later, refused)


async def _replayed(database: Database, rows: int) -> float:
    """Wait until the ledger has so many rows; return the seconds that took."""
    return await asyncio.to_thread(until, lambda: len(rows_in(database)) >= rows)


async def _ask(port: int, seconds: float, rate: float, took: list[tuple[int, float]]) -> None:
    began = time.perf_counter()
    tasks: list[asyncio.Task[None]] = []
    number = 0
    while (late := time.perf_counter() - began) < seconds:
        while number < late * rate:
            number += 1
            tasks.append(asyncio.create_task(_one(port, number * _WHOLE, took)))
        await asyncio.sleep(0.005)
    await asyncio.gather(*tasks)


async def _one(port: int, number: int, took: list[tuple[int, float]]) -> None:
    """Ask for an answer in one piece."""
    status, began = 0, time.perf_counter()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with closing(writer):
            began = time.perf_counter()
            writer.write(request(number))
            status = int((await reader.read())[9:12])
    except (OSError, ValueError):
        status = 0
    took.append((status, time.perf_counter() - began))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash.away", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--spool-time", type=float, help="the setting, for a short run")
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--store", choices=sorted(STORES), default="sqlite")
    asked = parser.parse_args()
    found = asyncio.run(run(asked.store, asked.seconds, asked.rate, asked.spool_time))
    print(f"away {asked.seconds:.0f} s: {json.dumps(found.statuses)}, {found.missing} rows missing")
    print(f"replayed {found.replayed:.1f} s after it was back; away for longer: {found.later}")
    middle, most, slowest = map(found.slowest, (0.5, 0.99, 1.0))
    print(f"503 after {middle:.1f} ms in the middle, {most:.1f} for 99 %, {slowest:.1f} at most")
    is_figure = asked.spool_time is None and asked.seconds >= SECONDS and asked.rate >= RATE
    holds = "All of it holds, and it is" if is_figure else "It holds, but it is not"
    print(f"{holds} figure N16." if found.is_good else "WRONG")
    return int(not found.is_good)


if __name__ == "__main__":
    sys.exit(main())
