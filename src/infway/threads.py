"""Threads for one kind of work alone: whoever waits there, however long, keeps nobody else waiting."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")


class Threads:
    """At most so many of one name; there are none before there is work."""

    def __init__(self, name: str, most: int) -> None:
        self._pool = ThreadPoolExecutor(most, thread_name_prefix=f"infway-{name}")

    async def run(self, work: Callable[..., _T], *values: object) -> _T:
        """Do something there; it goes on where nobody waits for it any more. Raises what it does."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *values)

    async def close(self) -> None:
        """Take nothing more, and wait for what goes on."""
        await asyncio.to_thread(self._pool.shutdown)
