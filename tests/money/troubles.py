"""What happens to a store, and to a gateway, in the middle of a crowd."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from bench.postgres import Postgres
from tests.money.crowd import Scene, Trouble


class Locked(Trouble):
    """A SQLite file is held by somebody else for a while, and a gateway is killed."""

    def __init__(self, path: Path, *, after: float, seconds: float, deaths: int = 1) -> None:
        self._path = path
        self._after = after
        self._seconds = seconds
        self._deaths = deaths

    async def __call__(self, one: Scene) -> None:
        await asyncio.sleep(self._after)
        with closing(sqlite3.connect(self._path, isolation_level=None, timeout=20)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            await asyncio.sleep(self._seconds)
            connection.execute("ROLLBACK")
        for number in range(self._deaths):
            await one.die(number)


class Broken(Trouble):
    """A Postgres says nothing for a while, and then is killed and started again."""

    def __init__(self, server: Postgres, *, after: float, seconds: float) -> None:
        self._server = server
        self._after = after
        self._seconds = seconds

    async def __call__(self, one: Scene) -> None:
        await asyncio.sleep(self._after)
        with self._server.silent():
            await asyncio.sleep(self._seconds)
        await asyncio.sleep(self._after)
        self._server.kill()
        await asyncio.sleep(self._seconds)
        await asyncio.to_thread(self._server.start)
