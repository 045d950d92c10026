"""Budgets over many processes: each is granted a part beforehand, and spends only that.

Sums are in the database, grants beside them, and `spent + grants <= cap` for every purse at every
moment. A process that dies keeps its grants until somebody has read its journal and releases them;
a database that is away leaves each process with what it was granted. Stricter, never looser.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from infway.database import Database, Work
from infway.ledger.amounts import joined, whole
from infway.ledger.purses import HELD, Purse, lessen
from infway.ledger.tables import STEPS

MOST_GRANTED = 10**18
"""The most that one process is granted of one purse, in 10^-12 USD: a million USD."""

_MAKE = "INSERT INTO spent VALUES (?, ?, 0, 0) ON CONFLICT (holder, period) DO NOTHING"
_LOCK = "SELECT high, low FROM spent WHERE holder = ? AND period = ? FOR UPDATE"
_GRANTED = "SELECT owner, amount FROM grants WHERE holder = ? AND period = ?"
_SUMS = (
    "SELECT holder, period, high, low, 0 FROM spent WHERE (holder, period) IN (VALUES {0})"
    " UNION ALL"
    " SELECT holder, period, 0, 0, amount FROM grants WHERE (holder, period) IN (VALUES {0})"
)
_GRANT = (
    "INSERT INTO grants VALUES (?, ?, ?, ?, ?) ON CONFLICT (holder, period, owner)"
    " DO UPDATE SET amount = grants.amount + excluded.amount, expires = excluded.expires"
)
_RENEW = "UPDATE grants SET expires = ? WHERE holder = ? AND period = ? AND owner = ?"
_RELEASE = "DELETE FROM grants WHERE holder = ? AND period = ? AND owner = ?"
_LAPSED = "SELECT DISTINCT owner FROM grants WHERE expires <= ? ORDER BY owner"
_LEASES = "SELECT owner, max(expires) FROM grants GROUP BY owner"


class Want(NamedTuple):
    """A wish for more of a purse: `most` is its budget, `amount` what is wanted, in 10^-12 USD."""

    purse: Purse
    most: int
    amount: int


class Sums(NamedTuple):
    """What is known of a purse, in 10^-12 USD: what is spent, and what is granted to anybody."""

    spent: int = 0
    granted: int = 0

    def left(self, most: int) -> int:
        """Return what may still be granted of a budget of `most`."""
        return max(0, most - self.spent - self.granted)


class Spending:
    """Grants of budgets. An `owner` is one run of one process; times are Unix seconds.

    Called from background threads, any number at once. Everything raises DatabaseError; after one
    that came out of `take` or `give_back`, `held` says what the owner really has.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self) -> None:
        """Make the tables where there are none; the ledger has the same ones."""
        self._database.migrate("ledger", STEPS)

    def take(self, owner: str, expires: float, wants: Iterable[Want]) -> dict[Purse, int]:
        """Grant what is left of each purse, at most what is wanted; return what was added.

        Also says that the owner lives, so far as it is granted anything.
        """
        with self._database.transaction() as work:
            return {want.purse: _granted(work, owner, expires, want) for want in sorted(wants)}

    def give_back(self, owner: str, amounts: Mapping[Purse, int]) -> None:
        """Take from an owner's grants what it does not need."""
        with self._database.transaction() as work:
            lessen(work, owner, amounts)

    def renew(self, owner: str, expires: float) -> None:
        """Say that an owner lives, until `expires`."""
        with self._database.transaction() as work:
            work.many(_RENEW, [(expires, *purse, owner) for purse in _purses_of(work, owner)])

    def release(self, owner: str) -> None:
        """Free the grants of an owner that is dead, whose journal has been written to the ledger."""
        with self._database.transaction() as work:
            work.many(_RELEASE, [(*purse, owner) for purse in _purses_of(work, owner)])

    def lapsed(self, now: float) -> list[str]:
        """Return the owners that have not said for long that they live; their grants stand."""
        return [owner for (owner,) in self._database.read(_LAPSED, (now,))]

    def leases(self) -> dict[str, float]:
        """Return until when each owner said that it lives, by its own clock."""
        return dict(self._database.read(_LEASES))

    def held(self, owner: str) -> dict[Purse, int]:
        """Return the grants of an owner."""
        found = self._database.read(HELD, (owner,))
        return {Purse(holder, period): amount for holder, period, amount in found}

    def sums(self, purses: Iterable[Purse]) -> dict[Purse, Sums]:
        """Return what is known of each purse, all at one moment; one that nobody used is empty."""
        sums = dict.fromkeys(purses, Sums())
        if not sums:
            return {}
        query = _SUMS.format(", ".join(["(?, ?)"] * len(sums)))
        names = [word for purse in sums for word in purse]
        for holder, period, high, low, granted in self._database.read(query, names * 2):
            known = sums[Purse(holder, period)]
            more = Sums(known.spent + whole(high, low), known.granted + granted)
            sums[Purse(holder, period)] = more
        return sums

    def spent(self, purse: Purse) -> int:
        """Return what is spent of a purse: the sum of its rows."""
        return self.sums([purse])[purse].spent

    def left(self, purse: Purse, most: int) -> int:
        """Return what may still be granted of a purse with a budget of `most`."""
        return self.sums([purse])[purse].left(most)


def _purses_of(work: Work, owner: str) -> list[Purse]:
    """Return the purses that an owner has a part of, in the order in which all lock them."""
    return sorted(Purse(holder, period) for holder, period, _ in work.run(HELD, (owner,)))


def _granted(work: Work, owner: str, expires: float, want: Want) -> int:
    work.run(_MAKE, want.purse)
    spent = joined(work.run(_LOCK, want.purse))
    grants: dict[str, int] = dict(work.run(_GRANTED, want.purse))
    sums = Sums(spent, sum(grants.values()))
    room = MOST_GRANTED - grants.get(owner, 0)
    amount = max(0, min(want.amount, sums.left(want.most), room))
    if amount:
        work.run(_GRANT, (*want.purse, owner, amount, expires))
    return amount
