"""How much is kept of replies that may be asked for again: for a time, and of each caller and in all.

What a caller's requests leave behind is bounded, whatever names they have (P6). Each look forgets
what is too old, and of whoever has most the oldest, so that a tenth of the room is free again;
until the next one a reply that finds no room is not kept, only that it was given. Each process adds
what it keeps itself to what the last look found: of several, each may fill what was left then.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from functools import partial

from infway.kernel.clock import Clock
from infway.kernel.errors import InfwayError
from infway.ledger.replays import Kept, Memory, Replays, size_of
from infway.threads import Threads

_log = logging.getLogger(__name__)
_PAUSE = 60.0  # seconds between two looks
_AT_ONCE = 100  # replies forgotten in one transaction: each may have many MiB
_BREATH = 0.1  # seconds for others between two of them
_FULL = 0.9  # share of the room that a look leaves in use


class Remembered:
    """What there is of each caller's replies, in bytes, as far as it is known here.

    `memory`: what holds now; a reload may change it.
    """

    def __init__(self, replays: Replays, clock: Clock, threads: Threads, memory: Memory) -> None:
        self._replays = replays
        self._clock = clock
        self._threads = threads
        self.memory = memory
        self._held: dict[str, int] = {}
        self._all = 0
        self._said = ""

    def fitting(self, caller: str, answer: Kept | None) -> Kept | None:
        """Return what is kept of an answer: where it finds no room, that it was given."""
        if answer is None:
            return None
        memory, held, size = self.memory, self._held.get(caller, 0), size_of(answer)
        if held + size > memory.per_key or self._all + size > memory.total:
            answer = answer._replace(head=b"", body=b"")
            size = size_of(answer)
        self._held[caller] = held + size
        self._all += size
        return answer

    async def run(self) -> None:
        """Look every minute until cancelled."""
        while True:
            try:
                await self.look()
                self._said = ""
            except InfwayError as error:
                if self._said != str(error):  # once for each reason
                    self._said = str(error)
                    _log.warning("replies that are too old, or too many, stay for now: %s", error)
            await asyncio.sleep(_PAUSE)

    async def look(self) -> None:
        """Forget what is too old and too much, and see what there is. Raises DatabaseError."""
        memory = self.memory
        before = self._clock.wall() - memory.keep
        await self._forget(partial(self._replays.sweep, before, _AT_ONCE))
        held = await self._threads.run(self._replays.held)
        most = level(held.values(), int(memory.total * _FULL))
        most = min(most, int(memory.per_key * _FULL))
        greedy = [caller for caller, size in held.items() if size > most]
        for caller in greedy:
            await self._forget(partial(self._replays.trim, caller, most, _AT_ONCE))
        if greedy:
            held = await self._threads.run(self._replays.held)
        self._held, self._all = held, sum(held.values())

    async def _forget(self, some: Callable[[], int]) -> None:
        """Forget some as long as there are more."""
        forgotten = _AT_ONCE
        while forgotten == _AT_ONCE:
            forgotten = await self._threads.run(some)
            await asyncio.sleep(_BREATH)


def level(held: Iterable[int], most: int) -> int:
    """Return what each may have so that all have no more than `most`: who has less keeps it all."""
    left, sizes = most, sorted(held)
    for place, size in enumerate(sizes):
        share = left // (len(sizes) - place)
        if size > share:
            return share
        left -= size
    return most
