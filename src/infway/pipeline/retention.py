"""What is kept for a time only is forgotten in time: an hour is the most that it is late."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from infway.beside import beside
from infway.kernel.clock import Clock
from infway.kernel.errors import InfwayError

_log = logging.getLogger(__name__)
_FIRST = 60.0  # seconds from the start, which has enough to do
_PAUSE = 3600.0  # seconds between two looks
_AT_ONCE = 1000  # of one transaction: some ten milliseconds in which nobody else writes
_BREATH = 0.1  # seconds for others between two of them

Sweep = Callable[[float, int], int]
"""Forgets what is from before a time (Unix seconds), at most so many; returns how many it were."""


@dataclass(slots=True, eq=False)
class Kept:
    """One kind of what is kept. `seconds`: for how long; None: for good."""

    sweep: Sweep
    seconds: float | None = None


def _nothing(_before: float, _most: int) -> int:
    """Forget nothing: there is nothing."""
    return 0


class Retention:
    """Forgets rows and contents that are too old."""

    def __init__(self, clock: Clock) -> None:
        self.rows = Kept(_nothing)
        self.contents = Kept(_nothing)
        self._clock = clock

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Look every hour while the block runs."""
        async with beside(self._run):
            yield

    async def _run(self) -> None:
        pause = _FIRST
        while True:
            await asyncio.sleep(pause)
            pause = _PAUSE
            try:
                await self.look()
            except InfwayError as error:
                _log.warning("what is too old stays for another hour: %s", error)

    async def look(self) -> None:
        """Forget all that is too old now. Raises DatabaseError."""
        for kept in (self.rows, self.contents):
            while kept.seconds is not None:
                before = self._clock.wall() - kept.seconds
                if await asyncio.to_thread(kept.sweep, before, _AT_ONCE) < _AT_ONCE:
                    break
                await asyncio.sleep(_BREATH)
