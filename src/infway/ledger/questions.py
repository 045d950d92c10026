"""What was used, by whom and at what cost: answered from sums, whatever number of rows there is.

Times are rounded outwards to whole hours of UTC. Whole days come from the days' sums, the rest
from the hours'. Requests count, with what all their attempts used; where a question is about
upstreams, the attempts count, for a request may have gone to several.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from infway.database import Database, Value
from infway.kernel.errors import InfwayError
from infway.ledger.amounts import whole
from infway.ledger.counting import COUNTERS

NAMES = ("key", "project", "organisation", "model", "upstream", "outcome", "tag", "day")
"""What usage may be summed by, and all but `day` what it may be limited to."""

_HOUR = 3600  # seconds
_DAY = 24  # hours
_MOST = 2  # names that one question sums by
_END = 10**7  # an hour behind all others: the year 3110
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OK = "ok"


class QuestionError(InfwayError):
    """What is asked cannot be answered: an unknown name, or too many."""


class Question(NamedTuple):
    """What was used from `since` until, but without, `until` (Unix seconds; None: no border).

    `by`: one or two of NAMES; none: all in one. `only`: names of NAMES (without `day`), and the
    values of which each must have one. By `tag`, what has several tags counts for each of them, and
    what has none for nothing.
    """

    by: tuple[str, ...] = ()
    since: float | None = None
    until: float | None = None
    only: Mapping[str, Sequence[str]] = {}


class Line(NamedTuple):
    """One group of an answer. `cost`: 10^-12 USD; `requests` are attempts where upstreams are asked.

    `group`: a value for each name that was asked by; empty text where there is none, as the
    project of a key that belongs to no project. Days are like `2026-01-31`.
    """

    group: tuple[str, ...]
    requests: int
    failed: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    cost: int
    estimated: int
    unpriced: int


def ask(database: Database, question: Question) -> list[Line]:
    """Return what was used: days in their order, all else by cost, the most first.

    Raises QuestionError, and DatabaseError where the ledger cannot be read.
    """
    unknown = [name for name in (*question.by, *question.only) if name not in NAMES]
    if unknown or len(set(question.by)) < len(question.by) or len(question.by) > _MOST:
        raise QuestionError(f"usage is summed by one or two of {', '.join(NAMES)}")
    if "day" in question.only:
        raise QuestionError("days are limited by `since` and `until`")
    query, values = _query(question)
    lines = [_line(row, len(question.by)) for row in database.read(query, values)]
    days = [place for place, name in enumerate(question.by) if name == "day"]
    return sorted(
        lines, key=lambda line: ([line.group[day] for day in days], -line.cost, line.group)
    )


def _query(question: Question) -> tuple[str, list[Value]]:
    """Return the one statement that answers a question, with its values.

    Sums are added up by dimension first, in the order in which they are kept; names come last.
    """
    by, only = question.by, question.only
    day = ", day" if "day" in by else ""
    chosen, names = _chosen(only, attempts="upstream" in {*by, *only})
    added = ", ".join(f"sum({name}) AS {name}" for name in COUNTERS)
    parts: list[str] = []
    values: list[Value] = []
    for table, time, first, end in _spans(question.since, question.until):
        named = "" if not day else ", day" if time == "day" else f", hour / {_DAY} AS day"
        parts.append(
            f"SELECT dimension{named}, {added} FROM {table} WHERE dimension IN ({chosen})"  # noqa: S608 - our own names
            f" AND {time} >= ? AND {time} < ? GROUP BY dimension{day}"
        )
        values += [*names, first, end]
    tables = f"({' UNION ALL '.join(parts)}) AS used JOIN dimensions ON id = used.dimension"
    if "tag" in by:
        tables += " JOIN dimension_tags ON dimension_tags.dimension = id"
        if "tag" in only:
            tables += f" AND {_among('tag', only['tag'])}"
            values += only["tag"]
    groups = ", ".join(by)
    rest = f" GROUP BY {groups}" if by else " HAVING sum(rows) > 0"
    failed = f"sum(CASE WHEN outcome = '{_OK}' THEN 0 ELSE rows END)"
    sums = ", ".join(f"sum({name})" for name in COUNTERS)
    return f"SELECT {', '.join((*by, failed, sums))} FROM {tables}{rest}", values  # noqa: S608 - our own names


def _chosen(only: Mapping[str, Sequence[str]], *, attempts: bool) -> tuple[str, list[Value]]:
    """Return a statement that finds the dimensions which a question is about, and its values."""
    conditions, values = ["attempts = ?"], list[Value]([int(attempts)])
    for name, among in only.items():
        condition = _among(name, among)
        if name == "tag":
            condition = f"id IN (SELECT dimension FROM dimension_tags WHERE {condition})"  # noqa: S608 - our own names
        conditions.append(condition)
        values += among
    return f"SELECT id FROM dimensions WHERE {' AND '.join(conditions)}", values  # noqa: S608 - our own names


def _among(name: str, values: Sequence[str]) -> str:
    return f"{name} IN ({', '.join('?' * len(values)) or 'NULL'})"


def _spans(since: float | None, until: float | None) -> list[tuple[str, str, int, int]]:
    """Return which sums answer for which time: table, column, first number, and the one behind."""
    first = 0 if since is None else max(0, int(since // _HOUR))
    end = _END if until is None else int(-(-until // _HOUR))
    from_day, to_day = -(-first // _DAY), end // _DAY
    if from_day >= to_day:
        return [("hours", "hour", first, end)]
    spans = [("days", "day", from_day, to_day)]
    if first < from_day * _DAY:
        spans.append(("hours", "hour", first, from_day * _DAY))
    if end > to_day * _DAY:
        spans.append(("hours", "hour", to_day * _DAY, end))
    return spans


def _line(row: tuple[Any, ...], names: int) -> Line:
    """Return a line from a row that begins with so many names."""
    said = tuple(_said(one) for one in row[:names])
    failed, rows, prompt, completion, cached, write, reasoning, high, low, *rest = row[names:]
    tokens = prompt, completion, cached, write, reasoning
    return Line(said, rows, failed, *tokens, whole(high, low), *rest)


def _said(value: str | int) -> str:
    if isinstance(value, str):
        return value
    return f"{_EPOCH + timedelta(days=value):%Y-%m-%d}"
