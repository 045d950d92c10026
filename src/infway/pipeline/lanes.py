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
    """Whose turn it is among tenants: that of the one that was served longest ago."""

    def __init__(self, most: int = _MOST) -> None:
        self._last: dict[str, int] = {}  # the number of the turn, the latest at the end
        self._count = 0
        self._most = most

    def serve(self, tenant: str) -> None:
        """Note that it was a tenant's turn."""
        self._count += 1
        self._last.pop(tenant, None)
        self._last[tenant] = self._count
        if len(self._last) > self._most:
            del self._last[next(iter(self._last))]

    def place(self, rank: Rank) -> tuple[int, int, int]:
        """Return what is compared to find who goes first: the lower one."""
        return rank.priority, self._last.get(rank.tenant, 0), rank.arrival

    def before(self, rank: Rank, waiters: Iterable[Waiter]) -> int:
        """Return how many of those that wait go before a request, if nobody comes any more."""
        equals: Counter[str] = Counter()
        urgent = 0
        for one in waiters:
            urgent += one.rank.priority < rank.priority
            if one.rank.priority == rank.priority and one.rank is not rank:
                equals[one.rank.tenant] += one.rank.tenant != rank.tenant or one.rank < rank
        own = equals.pop(rank.tenant, 0)
        mine = self._last.get(rank.tenant, 0)
        return (
            urgent
            + own
            + sum(
                min(many, own + (self._last.get(tenant, 0) <= mine))
                for tenant, many in equals.items()
            )
        )


def longest(waiters: Iterable[Waiter], than: str) -> Waiter | None:
    """Return the last request of the tenant that waits with most, of several the one that came last.

    None where giving up its place would leave that tenant with fewer than the other has then.
    """
    counts: Counter[str] = Counter()
    lasts: dict[str, Rank] = {}
    waiting = [one for one in waiters if not one.call.done()]
    for rank in (one.rank for one in waiting):
        counts[rank.tenant] += 1
        lasts[rank.tenant] = max(rank, lasts.get(rank.tenant, rank))
    most = max(lasts, key=lambda one: (counts[one], lasts[one].arrival), default=than)
    if counts[most] <= counts[than] + 1:
        return None
    return next(one for one in waiting if one.rank is lasts[most])
