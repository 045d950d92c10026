"""How budgets stand: what is spent of each, and what is left."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from infway.kernel.account import Allowance, ends_of, period_of
from infway.ledger.answers import View, money
from infway.ledger.purses import Purse
from infway.ledger.spending import Spending, Sums

_AT_ONCE = 200  # purses of one question: SQLite takes 999 values of a statement where it is old


class Stand(NamedTuple):
    """How a budget stands, in 10^-12 USD. `period`: its name.

    `granted`: the part of what is left that gateways hold to spend. `ends`: when the next period
    begins, in Unix seconds; None: never.
    """

    allowance: Allowance
    period: str
    ends: float | None
    spent: int
    granted: int

    @property
    def left(self) -> int:
        """What may still be spent."""
        return max(0, self.allowance.budget.most - self.spent)

    def view(self) -> View:
        """Return it as JSON tells it; money in USD."""
        budget = self.allowance.budget
        kind, _, name = self.allowance.holder.partition(":")
        ends = None if self.ends is None else datetime.fromtimestamp(self.ends, UTC).isoformat()
        return {
            "kind": kind,
            "name": name,
            "organisation": self.allowance.organisation or None,
            "per": budget.period.value,
            "period": self.period,
            "resets_at": ends,
            "limit": money(budget.most),
            "spent": money(self.spent),
            "granted": money(self.granted),
            "left": money(self.left),
        }


def standing(spending: Spending, allowances: Sequence[Allowance], at: float) -> list[Stand]:
    """Return how budgets stand at a moment (Unix seconds). Raises DatabaseError."""
    purses = [purse_of(one, at) for one in allowances]
    sums: dict[Purse, Sums] = {}
    for first in range(0, len(purses), _AT_ONCE):
        sums |= spending.sums(purses[first : first + _AT_ONCE])
    return [
        Stand(one, purse.period, ends_of(one.budget.period, at), *sums[purse])
        for one, purse in zip(allowances, purses, strict=True)
    ]


def purse_of(allowance: Allowance, at: float) -> Purse:
    """Return what a budget is spent from at a moment (Unix seconds)."""
    return Purse(allowance.holder, period_of(allowance.budget.period, at))
