"""Rows as any database can hold them: one that cannot be held would hold up all behind it."""

from typing import Any

from infway.ledger.rows import Row

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
_WORDS = ("key", "model", "upstream", "native", "organisation", "project")


def fitting(row: Row) -> Row:
    """Return a row without what no database takes: it is the same row where nothing is wrong.

    Models may be what a caller wrote, and numbers what an upstream said.
    """
    most = max(row.prompt_tokens, row.completion_tokens, row.cached_tokens, row.reasoning_tokens)
    least = min(row.prompt_tokens, row.completion_tokens, row.cached_tokens, row.reasoning_tokens)
    if (
        0 <= least <= most <= _MOST_TOKENS
        and 0 <= row.cache_write_tokens <= _MOST_TOKENS
        and 0 <= row.cost <= _MOST_COST
        and _is_plain(row.model)
        and _is_plain(row.native)
    ):
        return row
    values: dict[str, Any] = row._asdict()
    for name, top in _NUMBERS.items():
        values[name] = max(0, min(values[name], top))
    for name in _WORDS:
        values[name] = _plain(values[name])
    return Row(**values)


def _is_plain(text: str) -> bool:
    return text.isascii() and "\0" not in text


def _plain(text: str) -> str:
    """Return text without NUL, which Postgres has no place for, and without half characters."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
