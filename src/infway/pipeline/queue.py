"""Who is next at busy offers: requests that wait, the most urgent first, then by arrival.

Nothing is polled. A request is called when something it waits for may have opened: an attempt has
ended somewhere, or the time has come that a resting offer was to wake. One is called at a time and
sets out before the next, so that two never take the same place; those that wait for other offers
lose one turn of the event loop by it, and nothing more.
"""

import asyncio
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from itertools import count
from math import inf
from operator import attrgetter
from typing import NamedTuple, Protocol

from infway.kernel.errors import GatewayError


class Door(Protocol):
    """What a request waits for: an offer's slot."""

    @property
    def opens(self) -> float:
        """When it takes requests again, in monotonic seconds; endless until an event tells."""
        ...


class Sought(NamedTuple):
    """What one request waits for; `offers` are equal where others wait for the same.

    `upstreams`: where those are. Who wants another model there competes for the same ceiling.
    """

    offers: frozenset[int]
    upstreams: frozenset[str]
    doors: Sequence[Door]

    @property
    def opens(self) -> float:
        """When the first of the doors opens; the past means now."""
        return min(door.opens for door in self.doors)


class Rank(NamedTuple):
    """Who goes first: the lower one."""

    priority: int
    arrival: int


class End(Enum):
    """How a stay in the queue ended. The value is the metric's label."""

    AT_ONCE = "at_once"  # there was nothing to wait for
    SERVED = "served"
    TIMED_OUT = "timed_out"
    FULL = "full"
    LEFT = "left"  # the client went away
    LOST = "lost"  # other settings came, under which nothing can serve it


class Patience(Protocol):
    """What the configuration says of the queue."""

    @property
    def timeout(self) -> float:
        """How long a request may wait, in seconds."""
        ...

    @property
    def size(self) -> int:
        """How many may wait at once."""
        ...


_rank = attrgetter("rank")


class _Lane:
    """The requests that wait for the same doors, in order."""

    __slots__ = ("sought", "waiters")

    def __init__(self, sought: Sought) -> None:
        self.sought = sought
        self.waiters: list[_Waiter] = []

    def next(self) -> "_Waiter | None":
        """Return who is first of those that are still there."""
        return next((one for one in self.waiters if not one.call.cancelled()), None)

    def before(self, rank: Rank) -> int:
        """Return how many go before a rank."""
        return bisect_left(self.waiters, rank, key=_rank)


class _Waiter:
    """One request that waits. `seek` tells what it waits for now; raises GatewayError."""

    __slots__ = ("call", "lane", "rank", "seek")

    def __init__(self, rank: Rank, seek: Callable[[], Sought]) -> None:
        self.rank = rank
        self.seek = seek
        self.call = asyncio.get_running_loop().create_future()
        self.lane: _Lane | None = None


class Queue:
    """All that wait. `now`: monotonic seconds. `patience` may be swapped."""

    def __init__(self, now: Callable[[], float], patience: Patience) -> None:
        self.patience = patience
        self._now = now
        self._lanes: dict[frozenset[int], _Lane] = {}
        self._arrivals = count(1)
        self._called: _Waiter | None = None
        self._alarm: asyncio.TimerHandle | None = None

    def arrive(self, priority: int) -> Rank:
        """Return the rank of a request that comes now."""
        return Rank(priority, next(self._arrivals))

    def waiting(self) -> int:
        """Return how many wait."""
        return sum(len(lane.waiters) for lane in self._lanes.values())

    def resting(self) -> int:
        """Return how many of them wait for a time that is known; the others, for an event."""
        lanes = [lane for lane in self._lanes.values() if lane.sought.opens < inf]
        return sum(len(lane.waiters) for lane in lanes)

    def before(self, rank: Rank, sought: Sought) -> int:
        """Return how many go before a request, of those that want something at the same places."""
        return sum(lane.before(rank) for lane in self._rivals(sought))

    def passes(self, rank: Rank, sought: Sought) -> bool:
        """Tell whether a request need not wait."""
        now = self._now()
        if sought.opens > now:
            return False
        rivals = (lane for lane in self._rivals(sought) if lane.sought.opens <= now)
        return not any(lane.before(rank) for lane in rivals)

    async def wait(self, rank: Rank, seek: Callable[[], Sought], left: float) -> End:
        """Wait until it is a request's turn, for `left` seconds; it must set out without a pause.

        Raises GatewayError where nothing can serve it.
        """
        sought = seek()
        if sought.opens > self._now() and self.waiting() >= self.patience.size:
            return End.FULL
        waiter = _Waiter(rank, seek)
        self._join(waiter, sought)
        try:
            async with asyncio.timeout(left):
                await self._turn(waiter)
        except TimeoutError:
            return End.TIMED_OUT
        finally:
            self._leave(waiter)
        return End.SERVED

    def look(self) -> None:
        """Call who is next; for whoever knows that something may have opened."""
        if self._called is None:
            self._called = self._first()
            if self._called is not None:
                self._called.call.set_result(None)
            self._set_alarm()

    def regroup(self) -> None:
        """Ask all again what they wait for: other settings are in force.

        Who can no longer be served at all is called, to find that out.
        """
        waiters = sorted(self._waiters(), key=_rank)
        self._lanes.clear()
        for waiter in waiters:
            waiter.lane = None
            try:
                self._join(waiter, waiter.seek())
            except GatewayError:
                if not waiter.call.done():
                    waiter.call.set_result(None)
        self.look()

    async def _turn(self, waiter: _Waiter) -> None:
        """Return once a request was called and is first still; raises GatewayError if it is lost."""
        while True:
            self.look()
            await waiter.call
            if waiter.lane is None:
                self._join(waiter, waiter.seek())
            elif self._first() is waiter:
                return
            waiter.call = asyncio.get_running_loop().create_future()
            if self._called is waiter:
                self._called = None

    def _join(self, waiter: _Waiter, sought: Sought) -> None:
        lane = self._lanes.get(sought.offers)
        if lane is None:
            lane = self._lanes[sought.offers] = _Lane(sought)
        insort(lane.waiters, waiter, key=_rank)
        waiter.lane = lane

    def _leave(self, waiter: _Waiter) -> None:
        lane = waiter.lane
        if lane is not None:
            del lane.waiters[lane.before(waiter.rank)]
            if not lane.waiters:
                del self._lanes[lane.sought.offers]
        if self._called is waiter:
            asyncio.get_running_loop().call_soon(self._pass_on)

    def _pass_on(self) -> None:
        """Call the next: the one that was called has set out by now, or has gone."""
        self._called = None
        self.look()

    def _first(self) -> _Waiter | None:
        """Return who goes first of all that need not wait any more."""
        now = self._now()
        lanes = [lane for lane in self._lanes.values() if lane.sought.opens <= now]
        return min(filter(None, (lane.next() for lane in lanes)), key=_rank, default=None)

    def _rivals(self, sought: Sought) -> Iterator[_Lane]:
        for lane in self._lanes.values():
            if not lane.sought.upstreams.isdisjoint(sought.upstreams):
                yield lane

    def _waiters(self) -> Iterator[_Waiter]:
        for lane in self._lanes.values():
            yield from lane.waiters

    def _set_alarm(self) -> None:
        """Look again when the first resting door opens, if nothing happens before."""
        now = self._now()
        opens = [lane.sought.opens for lane in self._lanes.values()]
        seconds = min((one for one in opens if one > now), default=inf) - now
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if seconds < inf:
            self._alarm = asyncio.get_running_loop().call_later(seconds, self.look)
