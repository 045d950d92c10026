"""Purses: what each budget is spent from, and how rows are paid from the grants of a process."""

from collections.abc import Mapping
from typing import NamedTuple

from infway.database import Work
from infway.ledger.amounts import split

HELD = "SELECT holder, period, amount FROM grants WHERE owner = ?"
"""What an owner has of each purse."""

_PAY = (
    "INSERT INTO spent VALUES (?, ?, ?, ?) ON CONFLICT (holder, period)"
    " DO UPDATE SET high = spent.high + excluded.high, low = spent.low + excluded.low"
)
_LESS = (
    "UPDATE grants SET amount = CASE WHEN amount > ? THEN amount - ? ELSE 0 END"
    " WHERE holder = ? AND period = ? AND owner = ?"
)
_ALL = 2**63 - 1  # no grant is larger, and no database takes a larger number
_EMPTY = "DELETE FROM grants WHERE owner = ? AND amount = 0"


class Purse(NamedTuple):
    """What one budget is spent from: a holder's id, and the name of a period of `period_of`."""

    holder: str
    period: str


def pay(work: Work, owner: str, costs: Mapping[Purse, int]) -> None:
    """Add costs (10^-12 USD) to what is spent, and take them from the owner's grants.

    A cost beyond the grant is spent all the same: it is the truth. Every transaction locks `spent`
    before `grants`, and in the order of purses, so that none waits for another in a circle.
    """
    ordered = sorted(costs.items())
    work.many(_PAY, [(*purse, *split(cost)) for purse, cost in ordered])
    if owner:
        lessen(work, owner, costs)


def lessen(work: Work, owner: str, amounts: Mapping[Purse, int]) -> None:
    """Make an owner's grants smaller, those it has; one that is empty goes."""
    held = {Purse(holder, period) for holder, period, _ in work.run(HELD, (owner,))}
    mine = sorted(purse for purse in amounts if purse in held)
    if mine:
        less = [(min(amounts[one], _ALL), one) for one in mine]
        work.many(_LESS, [(amount, amount, *one, owner) for amount, one in less])
        work.run(_EMPTY, (owner,))
