"""Rows that a journal may bring again after they were forgotten, and that must not count again.

The journal of a dead process holds rows that are in the ledger already, and comes back with its
machine, whenever that is. While a row is kept it is known by itself; of one that is forgotten
there remains a mark, as long as the journal that it is in may come back. Which journals those are,
and from when on they hold rows, their processes say before they write any. Neither the age of a
row nor how far a journal had been written decides: clocks differ, and rows are not always written
in the order of the journal.
"""

from collections.abc import Sequence
from typing import Any

from infway.database import Work

_HOLD = (
    "INSERT INTO journals VALUES (?, ?) ON CONFLICT (owner) DO UPDATE SET since = excluded.since"
)
_LET_GO = "DELETE FROM journals WHERE owner = ?"
_HOLDERS = "SELECT owner, since FROM journals"
_MARK = "INSERT INTO forgotten VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
_MARKS = "SELECT request, attempt FROM forgotten WHERE owner = ?"
_UNMARK = (
    "DELETE FROM forgotten WHERE NOT EXISTS ("
    "SELECT 1 FROM journals WHERE journals.owner = forgotten.owner AND since <= forgotten.at)"
)

Place = tuple[str, int]
"""The request and the attempt of a row."""


def hold(work: Work, owner: str, since: float | None) -> None:
    """Note that a journal may bring rows from `since` (Unix seconds) on; None: it brings none."""
    if since is None:
        work.run(_LET_GO, (owner,))
    else:
        work.run(_HOLD, (owner, since))


def remember(work: Work, rows: Sequence[tuple[Any, ...]]) -> None:
    """Mark rows that are forgotten, where they may come back; drop marks that are not needed.

    `rows`: request, attempt, the journal, and when it was, of each.
    """
    holders: dict[str, float] = dict(work.run(_HOLDERS))
    marks = [
        (owner, request, attempt, at)
        for request, attempt, owner, at in rows
        if owner in holders and at >= holders[owner]
    ]
    work.many(_MARK, sorted(marks))
    work.run(_UNMARK)


def forgotten(work: Work, owner: str) -> set[Place]:
    """Return the rows of a journal that are forgotten.

    To be asked after rows were inserted: an insert waits for whoever forgets the row right then.
    """
    return set(work.run(_MARKS, (owner,))) if owner else set()
