"""What an account may use: windows, budgets, and who holds them. Plain values, compared by value.

A key belongs to a project and a project to an organisation; each of the three may hold limits and
budgets of its own, and a request has to pass all of them.
"""

from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import NamedTuple


class Window(NamedTuple):
    """At most `most` within any `seconds` in a row."""

    seconds: int
    most: int


class Limits(NamedTuple):
    """How much may be asked for in a time. `concurrent`: requests at once; None: any number."""

    requests: tuple[Window, ...] = ()
    tokens: tuple[Window, ...] = ()
    characters: tuple[Window, ...] = ()
    concurrent: int | None = None

    @property
    def any(self) -> bool:
        """Tell whether there is any limit at all."""
        return bool(self.requests or self.tokens or self.characters or self.concurrent is not None)


class Period(Enum):
    """How long a budget lasts; days and months are those of UTC."""

    DAY = "day"
    MONTH = "month"
    TOTAL = "total"


class Budget(NamedTuple):
    """At most `most` (10^-12 USD) in each `period`. `alerts`: shares at which somebody is told."""

    period: Period
    most: int
    alerts: tuple[float, ...] = ()


class Holder(NamedTuple):
    """A key, a project or an organisation. `id`: `key:NAME`, `project:NAME`, `organisation:NAME`."""

    id: str
    limits: Limits = Limits()
    budgets: tuple[Budget, ...] = ()


class Allowance(NamedTuple):
    """One budget of one holder. `organisation`: whose it is; empty where it is nobody's."""

    holder: str
    organisation: str
    budget: Budget


class Account(NamedTuple):
    """Where a key belongs. `holders`: those whose limits or budgets hold for it, the key first.

    `organisation` and `project` are empty where it belongs to none; `tags` are for its usage.
    `unpriced`: models, or offers as `upstream/model`, that may be used under a budget although no
    price of theirs is known.
    """

    organisation: str = ""
    project: str = ""
    tags: tuple[str, ...] = ()
    holders: tuple[Holder, ...] = ()
    unpriced: frozenset[str] = frozenset()

    @property
    def budgeted(self) -> bool:
        """Tell whether any budget holds for it."""
        return any(holder.budgets for holder in self.holders)


def period_of(period: Period, at: float) -> str:
    """Return the name of the period that `at` (Unix seconds) is in: `2026-11-21`, `2026-11`, `total`."""
    if period is Period.TOTAL:
        return "total"
    day = datetime.fromtimestamp(at, UTC)
    return f"{day:%Y-%m-%d}" if period is Period.DAY else f"{day:%Y-%m}"


def ends_of(period: Period, at: float) -> float | None:
    """Return when the period ends that `at` is in (both Unix seconds); None: never."""
    day = datetime.fromtimestamp(at, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    match period:
        case Period.TOTAL:
            return None
        case Period.DAY:
            return (day + timedelta(days=1)).timestamp()
        case Period.MONTH:
            # the 28th and four days are in the next month, whatever the month
            return ((day.replace(day=28) + timedelta(days=4)).replace(day=1)).timestamp()
