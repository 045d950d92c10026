"""Alerts of budgets: each is noted once over all processes, and told until it was heard."""

from typing import NamedTuple

from infway.database import Database, Step
from infway.ledger.purses import Purse

# Steps that were published are never changed; a new one is added at the end.
STEPS: tuple[Step, ...] = (
    """
    CREATE TABLE alerts (
        holder TEXT NOT NULL, period TEXT NOT NULL, share INTEGER NOT NULL,
        most INTEGER NOT NULL, spent INTEGER NOT NULL, at REAL NOT NULL,
        due REAL NOT NULL, tries INTEGER NOT NULL, told INTEGER NOT NULL,
        PRIMARY KEY (holder, period, share)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX alerts_due ON alerts (told, due)",
)

_NOTE = (
    "INSERT INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)"
    " ON CONFLICT (holder, period, share) DO NOTHING RETURNING 1"
)
_DUE = (
    "UPDATE alerts SET due = ?, tries = tries + 1 WHERE told = 0 AND due <= ?"
    " RETURNING holder, period, share, most, spent, at, tries"
)
_LATER = "UPDATE alerts SET due = ? WHERE holder = ? AND period = ? AND share = ?"
_TOLD = "UPDATE alerts SET told = 1 WHERE holder = ? AND period = ? AND share = ?"
_MILLION = 10**6


class Alert(NamedTuple):
    """One share of one budget was reached.

    `share`: in millionths. `most`, `spent`: the budget, and what was spent, in 10^-12 USD. `at`:
    when, in Unix seconds. `tries`: how often it was told already, this time among them.
    """

    purse: Purse
    share: int
    most: int
    spent: int
    at: float
    tries: int = 0


class Alerts:
    """What was noted and told. Called from background threads; everything raises DatabaseError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self) -> None:
        """Make the table where there is none."""
        self._database.migrate("alerts", STEPS)

    def note(self, alert: Alert, *, to_tell: bool) -> bool:
        """Note an alert; return whether nobody had. `to_tell`: somebody is to hear of it."""
        values = (*alert.purse, alert.share, alert.most, alert.spent, alert.at, alert.at)
        with self._database.transaction() as work:
            return bool(work.run(_NOTE, (*values, int(not to_tell))))

    def due(self, now: float, until: float) -> list[Alert]:
        """Take what is to be told now; nobody else is given it before `until`."""
        with self._database.transaction() as work:
            found = work.run(_DUE, (until, now))
        return [Alert(Purse(holder, period), *rest) for holder, period, *rest in found]

    def later(self, alert: Alert, due: float) -> None:
        """Have an alert told again at a time."""
        with self._database.transaction() as work:
            work.run(_LATER, (due, *alert.purse, alert.share))

    def told(self, alert: Alert) -> None:
        """Note that an alert was heard, or is given up."""
        with self._database.transaction() as work:
            work.run(_TOLD, (*alert.purse, alert.share))


def reached(shares: tuple[float, ...], most: int, spent: int) -> list[int]:
    """Return the shares, in millionths, of a budget that are spent."""
    if not spent:
        return []
    shares_in_millionths = (round(share * _MILLION) for share in shares)
    return [share for share in shares_in_millionths if spent * _MILLION >= share * most]
