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
    # money is text: a budget may be larger than 64 bits; one that was changed has alerts of its own
    """
    CREATE TABLE budget_alerts (
        holder TEXT NOT NULL, period TEXT NOT NULL, share INTEGER NOT NULL,
        most TEXT NOT NULL, spent TEXT NOT NULL, at REAL NOT NULL,
        due REAL NOT NULL, tries INTEGER NOT NULL, told INTEGER NOT NULL,
        PRIMARY KEY (holder, period, share, most)
    ) STRICT, WITHOUT ROWID
    """,
    """
    INSERT INTO budget_alerts SELECT holder, period, share, CAST(most AS TEXT),
        CAST(spent AS TEXT), at, due, tries, told FROM alerts
    """,
    "DROP TABLE alerts",
    "CREATE INDEX budget_alerts_due ON budget_alerts (told, due)",
)

_NOTE = (
    "INSERT INTO budget_alerts VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)"
    " ON CONFLICT (holder, period, share, most) DO NOTHING RETURNING 1"
)
_DUE = (
    "UPDATE budget_alerts SET due = ?, tries = tries + 1 WHERE told = 0 AND due <= ?"
    " RETURNING holder, period, share, most, spent, at, tries"
)
_ONE = " WHERE holder = ? AND period = ? AND share = ? AND most = ?"
_LATER = f"UPDATE budget_alerts SET due = ?{_ONE}"  # noqa: S608 - our own words
_TOLD = f"UPDATE budget_alerts SET told = 1{_ONE}"  # noqa: S608 - our own words
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
        values = (*_place(alert), str(alert.spent), alert.at, alert.at, int(not to_tell))
        with self._database.transaction() as work:
            return bool(work.run(_NOTE, values))

    def due(self, now: float, until: float) -> list[Alert]:
        """Take what is to be told now; nobody else is given it before `until`."""
        with self._database.transaction() as work:
            found = work.run(_DUE, (until, now))
        return [
            Alert(Purse(holder, period), share, int(most), int(spent), at, tries)
            for holder, period, share, most, spent, at, tries in found
        ]

    def later(self, alert: Alert, due: float) -> None:
        """Have an alert told again at a time."""
        with self._database.transaction() as work:
            work.run(_LATER, (due, *_place(alert)))

    def told(self, alert: Alert) -> None:
        """Note that an alert was heard, or is given up."""
        with self._database.transaction() as work:
            work.run(_TOLD, _place(alert))


def _place(alert: Alert) -> tuple[str, str, int, str]:
    """Return what an alert is found by: a budget that was changed is another one."""
    return alert.purse.holder, alert.purse.period, alert.share, str(alert.most)


def reached(shares: tuple[float, ...], most: int, spent: int) -> list[int]:
    """Return the shares, in millionths, of a budget that are spent."""
    if not spent:
        return []
    shares_in_millionths = (round(share * _MILLION) for share in shares)
    return [share for share in shares_in_millionths if spent * _MILLION >= share * most]
