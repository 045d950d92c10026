"""Rows as any database can hold them: one that cannot be held would hold up all behind it."""

from operator import attrgetter
from typing import Any

from infway.ledger.rows import Row, tags_of, tags_text

_MOST_COST = 2**63 - 1  # whole numbers have 64 bits
_MOST_TOKENS = 10**12  # no request has so many, and nine million rows of it are still a number
_NUMBERS = {
    "prompt_tokens": _MOST_TOKENS,
    "completion_tokens": _MOST_TOKENS,
    "cached_tokens": _MOST_TOKENS,
    "reasoning_tokens": _MOST_TOKENS,
    "cache_write_tokens": _MOST_TOKENS,
    "cost": _MOST_COST,
}
_counted_of = attrgetter(*_NUMBERS)
_WORDS = ("key", "model", "upstream", "native", "organisation", "project")
_words_of = attrgetter(*_WORDS, "tags")
_NUL = "\\u0000"  # as the JSON of tags has it


def fitting(row: Row) -> Row:
    """Return a row without what no database takes; a sound one as it is.

    Models may be what a caller wrote, other words what an administrator did, and numbers what an
    upstream said.
    """
    counted = _counted_of(row)
    words = "".join(_words_of(row))
    is_plain = words.isascii() and "\0" not in words and _NUL not in row.tags
    if is_plain and min(counted) >= 0 and max(counted) <= _MOST_TOKENS:
        return row
    values: dict[str, Any] = row._asdict()
    for name, top in _NUMBERS.items():
        values[name] = max(0, min(values[name], top))
    for name in _WORDS:
        values[name] = _plain(values[name])
    values["tags"] = tags_text(tuple(_plain(tag) for tag in tags_of(row.tags)))
    return Row(**values)


def _plain(text: str) -> str:
    """Return text without NUL, which Postgres has no place for, and without half characters."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
