"""How far a provider's word on what was used is from the ledger's."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

from infway.database import Database
from infway.ledger.amounts import whole
from infway.ledger.exports.words import Counts, Export, ExportError, Used

_DAY = 86_400.0  # seconds
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# How providers' names of a model end that say which day it is of: -2024-08-06, -20250514, @20250514
_DATED = re.compile(r"[-@](?:\d{4}-\d{2}-\d{2}|\d{8})(?=$|:)")
# Money is split as `amounts` does it: a sum may be larger than 64 bits
_ATTEMPTS = (
    "SELECT upstream, native, model, sum(CASE WHEN outcome = 'ok'"
    " OR prompt_tokens + completion_tokens > 0 THEN 1 ELSE 0 END), sum(prompt_tokens),"
    " sum(completion_tokens), sum(cached_tokens), sum(cost / 1000000), sum(cost % 1000000),"
    " sum(estimated) FROM entries WHERE attempt > 0 AND at >= ? AND at < ?"
    " GROUP BY upstream, native, model"
)
_NOTHING_USED = (False, True, True, False, False)  # what an export without rows tells: no tokens
_LONGEST = 1100  # days of an export: three years
EVERY = "*"
"""The upstream, the model or the key of a line that is about all of them."""

_NONE = "-"  # the model or the key of what has none, in an export that tells them apart


class Place(NamedTuple):
    """What a line is about: a day like `2026-01-31`, or all (empty); upstream, model, provider's key."""

    day: str
    upstream: str
    model: str
    key: str


class Drift(NamedTuple):
    """What both say of one place. `estimated`: attempts of ours whose tokens nobody told us.

    Of one of several keys that belong together only the provider tells: `ours` is None throughout.
    """

    place: Place
    theirs: Counts
    ours: Counts
    estimated: int

    def parts(self) -> Mapping[str, Fraction]:
        """Return how far they are apart in what is known: a part of the larger, 0 to 1."""
        return {
            name: apart(theirs, ours)
            for name, theirs, ours in zip(Counts._fields, self.theirs, self.ours, strict=True)
            if theirs is not None and ours is not None
        }


class Matching(NamedTuple):
    """What belongs together. `upstreams`: those of ours that a provider's export speaks of.

    `keys`: an upstream of ours by the provider's name of a key; none: keys are not told apart.
    `models`: our name of a model by the export's, where they differ by more than a date.
    """

    upstreams: frozenset[str]
    keys: Mapping[str, str] = {}
    models: Mapping[str, str] = {}


class Attempts(NamedTuple):
    """What the ledger knows of one upstream and model within a time. `native`: the upstream's name."""

    at: float
    upstream: str
    native: str
    counts: Counts
    estimated: int


def joined(exports: Sequence[Export]) -> Export:
    """Return several exports of one provider as one; raises ExportError, also where a page is missing.

    Its vendor is empty where none of them tells it.
    """
    vendors = {one.vendor for one in exports if one.vendor}
    if len(vendors) > 1:
        raise ExportError(f"exports of several providers: {', '.join(sorted(vendors))}")
    told = {any(row.model is not None for row in one.rows) for one in exports if one.rows}
    if len(told) > 1:
        raise ExportError("one export tells models apart and another does not: group both alike")
    for cut in exports:
        for end in cut.more:
            if not any(_goes_on(one, cut, end) for one in exports):
                raise ExportError(
                    f"the page that ends at {_EPOCH + timedelta(seconds=end):%Y-%m-%dT%H:%MZ} says"
                    " that there are more (`has_more`): give the next one as well"
                )
    return Export(
        next(iter(vendors), ""),
        tuple(span for one in exports for span in one.spans),
        tuple(row for one in exports for row in one.rows),
    )


def upstreams_of(database: Database) -> frozenset[str]:
    """Return the upstreams that the ledger has attempts of, also where their rows are gone by now."""
    query = "SELECT DISTINCT upstream FROM dimensions WHERE attempts = 1"
    return frozenset(name for (name,) in database.read(query))


def attempts(database: Database, spans: Iterable[tuple[float, float]]) -> list[Attempts]:
    """Return what the ledger has of some times, day by day (UTC).

    Raises DatabaseError, and ExportError where that is too long.

    A request counts where it succeeded, or used tokens: providers tell of no others.
    """
    found: list[Attempts] = []
    for begin, end in _days(spans):
        for upstream, native, model, *rest in database.read(_ATTEMPTS, (begin, end)):
            requests, prompt, completion, cached, high, low, estimated = rest
            counts = Counts(requests, prompt, completion, cached, whole(high, low))
            found.append(Attempts(begin, upstream, native or model, counts, estimated))
    return found


def compared(export: Export, found: Iterable[Attempts], matching: Matching) -> list[Drift]:
    """Return both sides of every day, upstream, model and key; raises ExportError.

    The ledger knows upstreams and no keys of theirs: where several keys belong to one, it is compared
    with their sum, and each has a line of its own besides. What the export tells nothing of anywhere
    is None on both sides.
    """
    if matching.keys and any(row.key is None for row in export.rows):
        raise ExportError("the export does not tell keys apart, so there is none to choose")
    places = _Places(export, matching)
    theirs: dict[Place, Counts] = {}
    ours: dict[Place, tuple[Counts, int]] = {}
    for row in export.rows:
        for place in places.of_row(row):
            theirs[place] = theirs.get(place, Counts()).plus(row.counts)
    for one in found:
        for place in places.of_attempts(one):
            before = ours.get(place, (Counts(), 0))
            ours[place] = before[0].plus(one.counts), before[1] + one.estimated
    told = _told(row.counts for row in export.rows) if export.rows else _NOTHING_USED
    return [
        Drift(
            place,
            _known(theirs.get(place), told),
            _known(mine, told) if place.key == places.compared(place.upstream) else Counts(),
            estimated,
        )
        for place in sorted({*theirs, *ours})
        for mine, estimated in [ours.get(place, (None, 0))]
    ]


class _Places:
    """Where the lines of both sides stand."""

    def __init__(self, export: Export, matching: Matching) -> None:
        self._matching = matching
        self._has_models = any(row.model is not None for row in export.rows)
        self._keys: dict[str, set[str]] = {}  # that belong together, by the upstream
        for key, upstream in matching.keys.items():
            self._keys.setdefault(upstream, set()).add(key)
        if not matching.keys and any(row.key is not None for row in export.rows):
            self._keys[EVERY] = {row.key or _NONE for row in export.rows}

    def compared(self, upstream: str) -> str:
        """Return the key of the line that has both sides: the only one, or all together."""
        keys = self._keys.get(upstream, ())
        return next(iter(keys)) if len(keys) == 1 else EVERY

    def of_row(self, row: Used) -> Collection[Place]:
        """Return the lines that a row of the export counts in: the compared one, and its key's own."""
        keys, models = self._matching.keys, self._matching.models
        upstream = keys.get(row.key or "") if keys else EVERY
        if upstream is None:
            return ()
        model = models.get(row.model or "", row.model or _NONE)
        place = self._place(row.at, upstream, model)
        return {place, place._replace(key=row.key or _NONE)} if upstream in self._keys else {place}

    def of_attempts(self, one: Attempts) -> Collection[Place]:
        """Return the line that attempts of ours count in, if they are in any."""
        if self._matching.keys:
            upstream = one.upstream if one.upstream in self._keys else None
        else:
            upstream = EVERY if one.upstream in self._matching.upstreams else None
        return () if upstream is None else {self._place(one.at, upstream, one.native)}

    def _place(self, at: float, upstream: str, model: str) -> Place:
        named = canonical(model) if self._has_models else EVERY
        return Place(_day(at), upstream, named, self.compared(upstream))


def summed(drifts: Iterable[Drift]) -> list[Drift]:
    """Return the sums of all days: what counts is not on which side of midnight a request stands."""
    sums: dict[Place, Drift] = {}
    for one in drifts:
        place = one.place._replace(day="")
        known = sums.get(place, Drift(place, Counts(), Counts(), 0))
        sums[place] = Drift(
            place,
            known.theirs.plus(one.theirs),
            known.ours.plus(one.ours),
            known.estimated + one.estimated,
        )
    return [sums[place] for place in sorted(sums)]


def apart(one: int, other: int) -> Fraction:
    """Return how far two numbers are apart: a part of the larger, 0 to 1."""
    larger = max(abs(one), abs(other))
    return Fraction(abs(one - other), larger) if larger else Fraction(0)


def canonical(model: str) -> str:
    """Return a model's name without the day that it is of: what is asked for may have none."""
    return _DATED.sub("", model.strip().casefold())


def _goes_on(one: Export, cut: Export, end: float) -> bool:
    """Tell whether an export has the page behind one of `cut` that ends then: costs are no usage."""
    is_paid = [{row.counts.cost is not None for row in told.rows} for told in (one, cut)]
    is_alike = is_paid[0] == is_paid[1] or not all(is_paid)
    return is_alike and any(begin == end for begin, _ in one.spans)


def _told(counts: Iterable[Counts]) -> Sequence[bool]:
    total = Counts()
    for one in counts:
        total = total.plus(one)
    return [value is not None for value in total]


def _known(counts: Counts | None, told: Sequence[bool]) -> Counts:
    values = counts or Counts()
    return Counts(
        *((value or 0) if known else None for value, known in zip(values, told, strict=True))
    )


def _day(at: float) -> str:
    return f"{_EPOCH + timedelta(seconds=at):%Y-%m-%d}"


def _days(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return times, joined where they touch, cut at midnight."""
    whole_times: list[tuple[float, float]] = []
    for begin, end in sorted(spans):
        if whole_times and begin <= whole_times[-1][1]:
            whole_times[-1] = whole_times[-1][0], max(whole_times[-1][1], end)
        elif end > begin:
            whole_times.append((begin, end))
    days: list[tuple[float, float]] = []
    for begin, end in whole_times:
        at = begin
        while at < end:
            midnight = (at // _DAY + 1) * _DAY
            days.append((at, min(midnight, end)))
            at = midnight
            if len(days) > _LONGEST:
                raise ExportError(f"the export speaks of more than {_LONGEST} days")
    return days
