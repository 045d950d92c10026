"""The lines of requests that wait, and who goes first in them.

The most urgent goes first; of equals the tenant that was served longest ago (one turn each, in
turns: whoever waits with a thousand requests takes every other turn from one who waits with one);
of one tenant's the request that came first.
"""

import asyncio
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from operator import attrgetter
from typing import NamedTuple, Protocol

_MOST = 10_000  # tenants whose last turn is remembered


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
    """Who goes first of a tenant's requests: the lower one."""

    priority: int
    arrival: int
    tenant: str


_rank = attrgetter("rank")


class Waiter:
    """One request that waits. `seek` tells what it waits for now; raises GatewayError.

    `is_out`: it had to leave its place to another tenant's.
    """

    __slots__ = ("call", "is_out", "lane", "rank", "seek")

    def __init__(self, rank: Rank, seek: Callable[[], Sought]) -> None:
        self.rank = rank
        self.seek = seek
        self.call = asyncio.get_running_loop().create_future()
        self.lane: Lane | None = None
        self.is_out = False

    def wake(self) -> None:
        """Have it look what became of it."""
        if not self.call.done():
            self.call.set_result(None)


class Lane:
    """The requests that wait for the same doors, each tenant's in order."""

    __slots__ = ("lines", "sought")

    def __init__(self, sought: Sought) -> None:
        self.sought = sought
        self.lines: dict[str, list[Waiter]] = {}

    def add(self, waiter: Waiter) -> None:
        """Let one wait here."""
        insort(self.lines.setdefault(waiter.rank.tenant, []), waiter, key=_rank)
        waiter.lane = self

    def remove(self, waiter: Waiter) -> None:
        """Let one go."""
        line = self.lines[waiter.rank.tenant]
        del line[bisect_left(line, waiter.rank, key=_rank)]
        if not line:
            del self.lines[waiter.rank.tenant]
        waiter.lane = None

    def waiters(self) -> Iterator[Waiter]:
        """Return all that wait here."""
        return chain.from_iterable(self.lines.values())

    def heads(self) -> Iterator[Waiter]:
        """Return who is first of each tenant's that are still there."""
        for line in self.lines.values():
            head = next((one for one in line if not one.call.cancelled()), None)
            if head is not None:
                yield head


class Turns:
    """Whose turn it is among tenants: at each upstream, of the one that was served longest ago."""

    def __init__(self, most: int = _MOST) -> None:
        self._last: dict[tuple[str, str], int] = {}  # the number of the turn, the latest at the end
        self._count = 0
        self._most = most

    def serve(self, tenant: str, upstreams: Iterable[str]) -> None:
        """Note that it was a tenant's turn at some upstreams."""
        self._count += 1
        for one in upstreams:
            self._last.pop((one, tenant), None)
            self._last[one, tenant] = self._count
        while len(self._last) > self._most:
            del self._last[next(iter(self._last))]

    def place(self, rank: Rank, sought: Sought) -> tuple[int, int, int]:
        """Return what is compared to find who goes first: the lower one."""
        return rank.priority, self._turn(rank.tenant, sought), rank.arrival

    def before(self, rank: Rank, sought: Sought, lanes: Iterable[Lane]) -> int:
        """Return about how many go before a request that comes, if nobody else does any more."""
        others: Counter[str] = Counter()
        ahead, own, mine = 0, 0, self._turn(rank.tenant, sought)
        for lane in lanes:
            for tenant, line in lane.lines.items():
                urgent = bisect_left(line, (rank.priority,), key=_rank)
                equals = bisect_left(line, (rank.priority + 1,), key=_rank) - urgent
                ahead += urgent
                if tenant == rank.tenant:
                    own += bisect_left(line, rank, key=_rank) - urgent
                else:
                    others[tenant] += equals
        turns = {tenant: own + (self._turn(tenant, sought) <= mine) for tenant in others}
        return ahead + own + sum(min(many, turns[tenant]) for tenant, many in others.items())

    def _turn(self, tenant: str, sought: Sought) -> int:
        return min((self._last.get((one, tenant), 0) for one in sought.upstreams), default=0)


class Crowd:
    """How many of each tenant wait, and who gives its place to another's."""

    def __init__(self) -> None:
        self._many: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._many.total()

    def count(self, tenant: str, more: int) -> None:
        """Note that one came, or went."""
        self._many[tenant] += more
        if not self._many[tenant]:
            del self._many[tenant]

    def yields(self, rank: Rank, lanes: Iterable[Lane]) -> Waiter | None:
        """Return who leaves so that a request may wait: the last of a tenant that waits with most.

        None where that tenant would be left with fewer than the other has then, or where all of
        its last ones are more urgent.
        """
        most = max(self._many.values(), default=0)
        if most <= self._many[rank.tenant] + 1:
            return None
        lines = (
            line
            for lane in lanes
            for tenant, line in lane.lines.items()
            if self._many[tenant] == most
        )
        lasts = (
            next((one for one in reversed(line) if not one.call.done()), None) for line in lines
        )
        last = max(filter(None, lasts), key=_rank, default=None)
        return None if last is None or last.rank.priority < rank.priority else last
