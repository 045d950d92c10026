"""Who is next at busy offers: requests that wait, the most urgent first, and tenants in turns.

Nothing is polled. A request is called when something it waits for may have opened: an attempt has
ended somewhere, or the time has come that a resting offer was to wake. One is called at a time and
sets out before the next, so that two never take the same place; those that wait for other offers
lose one turn of the event loop by it, and nothing more.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from itertools import chain, count
from math import inf
from operator import attrgetter, itemgetter
from typing import Protocol

from infway.kernel.errors import GatewayError
from infway.pipeline.lanes import Crowd, Lane, Rank, Sought, Turns, Waiter


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


class Queue:
    """All that wait. `now`: monotonic seconds. `patience` may be swapped."""

    def __init__(self, now: Callable[[], float], patience: Patience) -> None:
        self.patience = patience
        self._now = now
        self._lanes: dict[frozenset[int], Lane] = {}
        self._arrivals = count(1)
        self._turns = Turns()
        self._crowd = Crowd()
        self._called: Waiter | None = None
        self._alarm: asyncio.TimerHandle | None = None

    def arrive(self, priority: int, tenant: str) -> Rank:
        """Return the rank of a request that comes now."""
        return Rank(priority, next(self._arrivals), tenant)

    def waiting(self) -> int:
        """Return how many wait."""
        return len(self._crowd)

    def resting(self) -> int:
        """Return how many of them wait for a time that is known; the others, for an event."""
        lanes = [lane for lane in self._lanes.values() if lane.sought.opens < inf]
        return sum(len(line) for lane in lanes for line in lane.lines.values())

    def before(self, rank: Rank, sought: Sought) -> int:
        """Return how many go before a request, of those that want something at the same places."""
        return self._turns.before(rank, sought, self._rivals(sought))

    def passes(self, rank: Rank, sought: Sought) -> bool:
        """Tell whether a request need not wait; it sets out then."""
        now = self._now()
        if sought.opens > now:
            return False
        mine = self._turns.place(rank, sought)
        rivals = (lane for lane in self._rivals(sought) if lane.sought.opens <= now)
        if any(place < mine for place, _ in self._heads(rivals)):
            return False
        self._turns.serve(rank.tenant, sought.upstreams)
        return True

    async def wait(self, rank: Rank, seek: Callable[[], Sought], left: float) -> End:
        """Wait until it is a request's turn, for `left` seconds; it must set out without a pause.

        Raises GatewayError where nothing can serve it.
        """
        sought = seek()
        if sought.opens > self._now() and not self._has_room(rank):
            return End.FULL
        waiter = Waiter(rank, seek)
        self._join(waiter, sought)
        try:
            async with asyncio.timeout(left):
                upstreams = await self._turn(waiter)
        except TimeoutError:
            return End.TIMED_OUT
        finally:
            self._leave(waiter)
        if waiter.is_out:
            return End.FULL
        self._turns.serve(rank.tenant, upstreams)
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
        waiters = sorted(self._waiters(), key=attrgetter("rank"))
        self._lanes.clear()
        self._crowd = Crowd()
        for waiter in waiters:
            waiter.lane = None
            try:
                self._join(waiter, waiter.seek())
            except GatewayError:
                waiter.wake()
        self.look()

    async def _turn(self, waiter: Waiter) -> frozenset[str]:
        """Return the upstreams that a request waited for, once it is called and first, or is out.

        Raises GatewayError if it is lost.
        """
        while True:
            self.look()
            await waiter.call
            if waiter.is_out:
                return frozenset()
            lane = waiter.lane
            if lane is None:
                self._join(waiter, waiter.seek())
            elif self._first() is waiter:
                return lane.sought.upstreams
            waiter.call = asyncio.get_running_loop().create_future()
            if self._called is waiter:
                self._called = None

    def _join(self, waiter: Waiter, sought: Sought) -> None:
        lane = self._lanes.get(sought.offers)
        if lane is None:
            lane = self._lanes[sought.offers] = Lane(sought)
        lane.add(waiter)
        self._crowd.count(waiter.rank.tenant, 1)

    def _leave(self, waiter: Waiter) -> None:
        lane = waiter.lane
        if lane is not None:
            self._take_out(waiter, lane)
        if self._called is waiter:
            asyncio.get_running_loop().call_soon(self._pass_on)

    def _take_out(self, waiter: Waiter, lane: Lane) -> None:
        lane.remove(waiter)
        self._crowd.count(waiter.rank.tenant, -1)
        if not lane.lines:
            del self._lanes[lane.sought.offers]

    def _has_room(self, rank: Rank) -> bool:
        """Tell whether one more may wait: a tenant with many gives a place to one with fewer."""
        if self.waiting() < self.patience.size:
            return True
        last = self._crowd.yields(rank, self._lanes.values())
        if last is None or last.lane is None:
            return False
        self._take_out(last, last.lane)
        last.is_out = True
        last.wake()
        return True

    def _pass_on(self) -> None:
        """Call the next: the one that was called has set out by now, or has gone."""
        self._called = None
        self.look()

    def _first(self) -> Waiter | None:
        """Return who goes first of all that need not wait any more."""
        now = self._now()
        lanes = [lane for lane in self._lanes.values() if lane.sought.opens <= now]
        first = min(self._heads(lanes), key=itemgetter(0), default=None)
        return None if first is None else first[1]

    def _heads(self, lanes: Iterable[Lane]) -> Iterator[tuple[tuple[int, int, int], Waiter]]:
        """Return who is first of each tenant's in some lanes, and its place among all."""
        for lane in lanes:
            for one in lane.heads():
                yield self._turns.place(one.rank, lane.sought), one

    def _rivals(self, sought: Sought) -> Iterator[Lane]:
        for lane in self._lanes.values():
            if not lane.sought.upstreams.isdisjoint(sought.upstreams):
                yield lane

    def _waiters(self) -> Iterator[Waiter]:
        return chain.from_iterable(lane.waiters() for lane in self._lanes.values())

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
