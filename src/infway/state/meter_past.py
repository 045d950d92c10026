"""What processes let in that are gone: it is filled into a store that has lost its counts.

Each living process tells the store what it remembers, but nobody speaks for those that ended before.
What they let in is on record elsewhere, and one process reads it there: once the living have come
back, and a few times more, since a record may be written late. Until it was read for the first time
each process holds to its own share as well.
"""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from infway.kernel.clock import Clock
from infway.state.meter import Kind, Past, PastUse
from infway.state.meter_store import Store, Use
from infway.state.meter_telling import Telling

_LENGTHS = (60, 600, 3600)  # seconds of windows, of which the last is the longest
_LIVING = 1.5  # seconds after which all that live have found a new data set
_ROUNDS = (0.0, 10.0, 30.0, 120.0)
_PATIENCE = 4.0  # seconds that a process waits for it before its first request
_LATER = 1.0  # seconds after which what could not be read is read again
_LEASE = 10.0  # seconds after which another process fills where one has died over it
_KEPT = 4000.0  # seconds that it is known how far a data set is filled, and who does it
_BEGUN, _WHOLE = "begun", "whole"
_KINDS = (Kind.REQUESTS, Kind.TOKENS, Kind.CHARACTERS)
_log = logging.getLogger(__name__)


class Refill:
    """Fills one data set after the other. `name`: of this process; `past`: None: nothing is known.

    `rounds`: seconds after it was found that one is filled, and filled up.
    `is_open`: nobody has filled this one yet.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        past: Past | None = None,
        rounds: Sequence[float] = _ROUNDS,
    ) -> None:
        self._name = name
        self._clock = clock
        self._past = past
        self._told = Telling(f"{name}:past")
        self._lived: set[str] = set()
        self._reading: asyncio.Task[Sequence[PastUse]] | None = None
        self._born = 0.0  # seconds of the store's clock
        self._ahead = 0.0  # seconds that ours (Unix) is ahead of it
        self._found = self._ready = 0.0  # monotonic seconds
        self._rounds = rounds
        self._due: list[float] = []
        self.is_open = False

    def found(self, epoch: str, at: int) -> None:
        """Begin with a data set that was found at this time (milliseconds of the store's clock)."""
        try:
            self._born = float(epoch)
        except ValueError:  # somebody else wrote it
            self._born = at / 1000
        self._ahead = self._clock.wall() - at / 1000
        age = at / 1000 - self._born
        self.is_open = self._past is not None and age < _LENGTHS[-1]
        self._due = list(self._rounds) if self.is_open else []
        self._found = self._clock.monotonic()
        self._ready = self._found + max(0.0, _LIVING - age)
        self._lived = {self._name}
        self._reading = None
        self._told.forget()

    async def wait(self, store: Store) -> None:
        """Wait a moment until it is filled, before the first request; raises one of `Away`."""
        until = self._clock.monotonic() + _PATIENCE
        while self.is_open and self._clock.monotonic() < until:
            await self.turn(store)
            await asyncio.sleep(0.02)

    async def turn(self, store: Store) -> None:
        """Do what is due; raises one of `Away`."""
        if not self._due or self._clock.monotonic() < self._found + self._due[0]:
            return
        word = await store.filled()
        self.is_open = not word
        if word == _WHOLE or not await store.fills(_KEPT if word else _LEASE):
            self._due = [] if word else self._due
            return
        used = self._read()
        if used is not None:
            await self._fill(store, used)

    def _read(self) -> Sequence[PastUse] | None:
        """Return what others let in; None as long as that is not known."""
        if self._reading is None and self._past is not None:
            since, until = self._clock.wall() - _LENGTHS[-1], self._born + self._ahead
            self._reading = asyncio.create_task(asyncio.to_thread(self._past, since, until))
        if self._reading is None or not self._reading.done():
            return None
        error = self._reading.exception()
        if error is not None:
            _log.warning("limits cannot be filled from the ledger yet: %s", error)
            self._reading = None
            self._due[0] += _LATER
            return None
        used = [one for one in self._reading.result() if one.process not in self._lived]
        return None if used and self._clock.monotonic() < self._ready else used

    async def _fill(self, store: Store, used: Sequence[PastUse]) -> None:
        self._reading = None
        self._lived.update(await store.processes())
        gone = [one for one in used if one.process not in self._lived]
        offset = -round(self._ahead * 1000)
        await self._told.tell(store, _by_holder(gone, self._clock.wall()), offset)
        del self._due[0]
        await store.say_filled(_BEGUN if self._due else _WHOLE, _KEPT)
        self.is_open = False


def _by_holder(used: Sequence[PastUse], now: float) -> Iterator[tuple[str, list[Use]]]:
    """Yield what each holder used, for windows of every length; `now`: Unix seconds."""
    sums: defaultdict[str, Counter[tuple[int, int, int]]] = defaultdict(Counter)
    for one in used:
        amounts = one.requests, one.tokens, one.characters
        for holder in one.holders:
            for kind, amount in zip(_KINDS, amounts, strict=True):
                for seconds in _LENGTHS:
                    if one.at + seconds > now:
                        sums[holder][kind, seconds, round(one.at * 1000)] += amount
    for holder, places in sums.items():
        yield holder, [Use(*place, amount) for place, amount in places.items() if amount]
