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
from operator import attrgetter
from typing import Protocol

from infway.kernel.errors import GatewayError
from infway.pipeline.lanes import Lane, Rank, Sought, Turns, Waiter, longest


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
        self._called: Waiter | None = None
        self._alarm: asyncio.TimerHandle | None = None

    def arrive(self, priority: int, tenant: str) -> Rank:
        """Return the rank of a request that comes now."""
        return Rank(priority, next(self._arrivals), tenant)

    def waiting(self) -> int:
        """Return how many wait."""
        return _count(self._lanes.values())

    def resting(self) -> int:
        """Return how many of them wait for a time that is known; the others, for an event."""
        return _count(lane for lane in self._lanes.values() if lane.sought.opens < inf)

    def before(self, rank: Rank, sought: Sought) -> int:
        """Return how many go before a request, of those that want something at the same places."""
        rivals = chain.from_iterable(lane.waiters() for lane in self._rivals(sought))
        return self._turns.before(rank, rivals)

    def passes(self, rank: Rank, sought: Sought) -> bool:
        """Tell whether a request need not wait; it sets out then."""
        now = self._now()
        if sought.opens > now:
            return False
        rivals = (lane for lane in self._rivals(sought) if lane.sought.opens <= now)
        heads = chain.from_iterable(lane.heads() for lane in rivals)
        mine = self._turns.place(rank)
        if any(self._turns.place(one.rank) < mine for one in heads):
            return False
        self._turns.serve(rank.tenant)
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
                await self._turn(waiter)
        except TimeoutError:
            return End.TIMED_OUT
        finally:
            self._leave(waiter)
        if waiter.is_out:
            return End.FULL
        self._turns.serve(rank.tenant)
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
        for waiter in waiters:
            waiter.lane = None
            try:
                self._join(waiter, waiter.seek())
            except GatewayError:
                waiter.wake()
        self.look()

    async def _turn(self, waiter: Waiter) -> None:
        """Return once a request was called and is first still; raises GatewayError if it is lost."""
        while True:
            self.look()
            await waiter.call
            if waiter.is_out:
                return
            if waiter.lane is None:
                self._join(waiter, waiter.seek())
            elif self._first() is waiter:
                return
            waiter.call = asyncio.get_running_loop().create_future()
            if self._called is waiter:
                self._called = None

    def _join(self, waiter: Waiter, sought: Sought) -> None:
        lane = self._lanes.get(sought.offers)
        if lane is None:
            lane = self._lanes[sought.offers] = Lane(sought)
        lane.add(waiter)

    def _leave(self, waiter: Waiter) -> None:
        lane = waiter.lane
        if lane is not None:
            self._take_out(waiter, lane)
        if self._called is waiter:
            asyncio.get_running_loop().call_soon(self._pass_on)

    def _take_out(self, waiter: Waiter, lane: Lane) -> None:
        lane.remove(waiter)
        if not lane.lines:
            del self._lanes[lane.sought.offers]

    def _has_room(self, rank: Rank) -> bool:
        """Tell whether one more may wait: a tenant with many gives a place to one with fewer."""
        if self.waiting() < self.patience.size:
            return True
        last = longest(self._waiters(), rank.tenant)
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
        heads = chain.from_iterable(lane.heads() for lane in lanes)
        return min(heads, key=lambda one: self._turns.place(one.rank), default=None)

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


def _count(lanes: Iterable[Lane]) -> int:
    return sum(len(line) for lane in lanes for line in lane.lines.values())
