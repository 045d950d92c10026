"""What rows add to the sums: of hours, of days, and what every purse has spent.

It is done in the transaction that keeps the rows, so that every sum equals its rows at any moment.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from operator import add, attrgetter
from typing import Any, NamedTuple

from infway.database import DatabaseError, Work
from infway.kernel.account import Period, period_of
from infway.ledger.amounts import split
from infway.ledger.purses import Purse, pay
from infway.ledger.rows import Row, tags_of

COUNTERS = (
    "rows",
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "high",
    "low",
    "estimated",
    "unpriced",
)
"""What is summed; `high` and `low` are the cost, as `amounts` has it."""

_HOUR, _DAY = 3600, 86_400  # seconds
_HOURS = 24  # of a day


class Dimension(NamedTuple):
    """What sums are kept by. `attempts`: 1 for rows of attempts, 0 for those of requests."""

    attempts: int
    organisation: str
    project: str
    key: str
    model: str
    upstream: str
    outcome: str
    tags: str


_NAMES = Dimension._fields[1:]
_names_of = attrgetter(*_NAMES)
_counted_of = attrgetter(*COUNTERS[1:6], "cost", "estimated", "priced")
_payers_of = attrgetter("key", "project", "organisation")

_Place = tuple[Dimension, int]  # with the number of an hour or a day
_Sums = dict[_Place, list[int]]  # how many rows, and what `_counted_of` says of them


class Ids:
    """The numbers of dimensions that this process knows."""

    def __init__(self, most: int = 100_000) -> None:
        self._known: dict[Dimension, int] = {}
        self._most = most

    def learn(self, ids: Mapping[Dimension, int]) -> None:
        """Remember numbers, of a transaction that was kept: those of another may be others'."""
        if len(self._known) > self._most:
            self._known.clear()
        self._known.update(ids)

    def find(self, work: Work, wanted: Iterable[Dimension]) -> dict[Dimension, int]:
        """Return the numbers of dimensions, of which new ones are made."""
        dimensions = set(wanted)
        ids = {one: self._known[one] for one in dimensions & self._known.keys()}
        unknown = sorted(dimensions - self._known.keys())
        for start in range(0, len(unknown), _AT_ONCE):
            ids.update(_numbered(work, unknown[start : start + _AT_ONCE]))
        if len(ids) < len(dimensions):
            raise DatabaseError("the database returns names that differ from those it was given")
        return ids


_AT_ONCE = 100  # dimensions of one statement
_COLUMNS = ", ".join(Dimension._fields)
_PLACE = f"({', '.join('?' * len(Dimension._fields))})"
_TAG = "INSERT INTO dimension_tags VALUES (?, ?)"


def _numbered(work: Work, wanted: Sequence[Dimension]) -> dict[Dimension, int]:
    """Return the numbers of some: whoever takes over a journal knows none of many."""
    ids = _there(work, wanted)
    missing = [one for one in wanted if one not in ids]
    if missing:
        made = _made(work, missing)
        tags = [(number, tag) for one, number in made.items() for tag in tags_of(one.tags)]
        work.many(_TAG, tags)
        ids.update(made)
        others = [one for one in missing if one not in made]  # another process was faster
        ids.update(_there(work, others) if others else {})
    return ids


def _there(work: Work, wanted: Sequence[Dimension]) -> dict[Dimension, int]:
    return _read(
        work,
        f"WITH wanted ({_COLUMNS}) AS (VALUES {_places(wanted)})"  # noqa: S608 - our own names
        f" SELECT id, {_COLUMNS} FROM wanted JOIN dimensions USING ({_COLUMNS})",
        wanted,
    )


def _made(work: Work, wanted: Sequence[Dimension]) -> dict[Dimension, int]:
    return _read(
        work,
        f"INSERT INTO dimensions ({_COLUMNS}) VALUES {_places(wanted)}"  # noqa: S608 - our own names
        f" ON CONFLICT DO NOTHING RETURNING id, {_COLUMNS}",
        wanted,
    )


def _places(wanted: Sequence[Dimension]) -> str:
    return ", ".join([_PLACE] * len(wanted))


def _read(work: Work, query: str, wanted: Sequence[Dimension]) -> dict[Dimension, int]:
    found = work.run(query, [value for one in wanted for value in one])
    return {Dimension(*row[1:]): row[0] for row in found}


def _upsert(table: str, *place: str) -> str:
    more = ", ".join(f"{one} = {table}.{one} + excluded.{one}" for one in COUNTERS)
    return (
        f"INSERT INTO {table} ({', '.join((*place, *COUNTERS))})"  # noqa: S608 - our own names
        f" VALUES (?, ?, {', '.join('?' * len(COUNTERS))})"
        f" ON CONFLICT ({', '.join(place)}) DO UPDATE SET {more}"
    )


_ADD_HOURS = _upsert("hours", "hour", "dimension")
_ADD_DAYS = _upsert("days", "dimension", "day")


def count(work: Work, rows: Sequence[Row], owner: str, ids: Ids) -> Mapping[Dimension, int]:
    """Add rows that are new to every sum; return the dimensions' numbers, to be learnt once kept.

    Tables, and rows in them, are taken in one order by everybody: none waits in a circle.
    """
    hours = _hours(rows)
    numbers = ids.find(work, {dimension for dimension, _ in hours})
    added = [(hour, numbers[one], *_values(sums)) for (one, hour), sums in hours.items()]
    work.many(_ADD_HOURS, sorted(added))
    added = [(numbers[one], day, *_values(sums)) for (one, day), sums in _days(hours).items()]
    work.many(_ADD_DAYS, sorted(added))
    pay(work, owner, _costs(rows))
    return numbers


def _hours(rows: Iterable[Row]) -> _Sums:
    groups: defaultdict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.at // _HOUR, row.attempt > 0, *_names_of(row)].append(row)
    return {
        (Dimension(int(is_attempt), *names), int(hour)): [
            len(group),
            *map(sum, zip(*map(_counted_of, group), strict=True)),
        ]
        for (hour, is_attempt, *names), group in groups.items()
    }


def _days(hours: _Sums) -> _Sums:
    sums: _Sums = {}
    for (dimension, hour), counted in hours.items():
        place = dimension, hour // _HOURS
        known = sums.get(place)
        sums[place] = counted if known is None else list(map(add, known, counted))
    return sums


def _values(counted: Sequence[int]) -> tuple[int, ...]:
    """Return the counters of a sum."""
    rows, *tokens, cost, estimated, priced = counted
    return rows, *tokens, *split(cost), estimated, rows - priced


def _costs(rows: Iterable[Row]) -> dict[Purse, int]:
    """Return what is spent of each purse: by requests, whose cost is that of their attempts."""
    payers: dict[tuple[str, str, str, int], int] = {}
    for row in rows:
        if row.attempt == 0 and row.cost:
            payer = (*_payers_of(row), int(row.at // _DAY))
            payers[payer] = payers.get(payer, 0) + row.cost
    costs: dict[Purse, int] = {}
    for payer, cost in payers.items():
        for purse in _purses(*payer):
            costs[purse] = costs.get(purse, 0) + cost
    return costs


def purses_of(row: Row) -> tuple[Purse, ...]:
    """Return the purses that a request is spent from: of all its holders, in all periods."""
    return _purses(row.key, row.project, row.organisation, int(row.at // _DAY))


@lru_cache(maxsize=4096)
def _purses(key: str, project: str, organisation: str, day: int) -> tuple[Purse, ...]:
    names = (("key", key), ("project", project), ("organisation", organisation))
    periods = [period_of(period, day * float(_DAY)) for period in Period]
    return tuple(
        Purse(f"{kind}:{name}", period) for kind, name in names if name for period in periods
    )
