"""What counts the use of limits: the words of it, and the protocol behind which it happens."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, Protocol

from infway.kernel.account import Holder, Limits, Window


class Kind(IntEnum):
    """What is limited. The numbers are those of the messages to Redis."""

    REQUESTS = 1
    TOKENS = 2
    CHARACTERS = 3
    CONCURRENT = 4


class Need(NamedTuple):
    """What one request uses of the limits, itself apart. `tokens`: an estimate."""

    tokens: int = 0
    characters: int = 0


class Standing(NamedTuple):
    """Where a limit stands. `reset`: Unix seconds at which all of it is free again, if unused."""

    limit: int
    remaining: int
    reset: float


class Refused(NamedTuple):
    """Which limit of whom is used up. `retry_after`: seconds until there may be room.

    `never`: the request alone is more than the limit, so that no waiting helps.
    """

    what: Kind
    holder: str
    retry_after: float
    never: bool = False


@dataclass(slots=True, eq=False)
class Ticket:
    """One request that was let in, for as long as it is under way.

    `tokens`: what was counted for it. `at`: when, in milliseconds of the process' clock; `stored`:
    of the store's, None where no store was asked. `lease`: its name among those at once.
    """

    holders: Sequence[Holder]
    tokens: int
    at: int
    stored: int | None = None
    lease: str = ""
    held: bool = True


class Verdict(NamedTuple):
    """Whether a request may go on, and where the tightest of its limits stand now.

    Exactly one of `ticket` and `refused` is given; neither where nothing was asked but this.
    """

    ticket: Ticket | None
    refused: Refused | None
    requests: Standing | None
    tokens: Standing | None


class PastUse(NamedTuple):
    """What one process let in at a time (Unix seconds), for these holders."""

    process: str
    holders: Sequence[str]
    at: float
    requests: int
    tokens: int
    characters: int


Past = Callable[[float, float], Sequence[PastUse]]
"""Returns what was used in a time (Unix seconds), in a thread of its own; it may raise anything."""


class Meter(Protocol):
    """Counts tries against limits.

    A try counts with all holders up to the one that refuses it; tokens, characters and the place
    among those at once are taken from all holders or from none.
    """

    @property
    def degraded(self) -> bool:
        """Whether the store is away and this process holds to its share."""
        ...

    def open(self) -> AbstractAsyncContextManager[None]:
        """Keep what it needs while the block runs."""
        ...

    async def take(self, holders: Sequence[Holder], need: Need) -> Verdict:
        """Count one try. `holders`: those with limits, the key first. It raises nothing."""
        ...

    async def standing(self, holders: Sequence[Holder]) -> Verdict:
        """Return where the limits stand, and count nothing."""
        ...

    def settle(self, ticket: Ticket, tokens: int) -> None:
        """Put what was really used in the place of what was estimated."""
        ...

    def release(self, ticket: Ticket) -> None:
        """Give the place among those at once back; a second time changes nothing."""
        ...


def windows_of(limits: Limits) -> list[tuple[Kind, Window]]:
    """Return all windows in the order in which they refuse."""
    kinds = (
        (Kind.REQUESTS, limits.requests),
        (Kind.TOKENS, limits.tokens),
        (Kind.CHARACTERS, limits.characters),
    )
    return [(kind, window) for kind, windows in kinds for window in windows]


def shared(limits: Limits, parts: int) -> Limits:
    """Return the share of limits that one of so many processes may use alone.

    Shares are rounded down: all together are never more than the limit.
    """
    if parts == 1:
        return limits

    def parted(windows: tuple[Window, ...]) -> tuple[Window, ...]:
        return tuple(Window(one.seconds, one.most // parts) for one in windows)

    most = limits.concurrent
    return Limits(
        parted(limits.requests),
        parted(limits.tokens),
        parted(limits.characters),
        None if most is None else most // parts,
    )
