"""Anthropic's usage and cost reports: buckets of the Admin API, or the Console's CSV.

https://platform.claude.com/docs/en/api/admin/usage_report/retrieve_messages and .../cost_report.
Nothing counts requests; costs are in cents.
"""

from infway.ledger.exports.words import (
    DAY,
    Counts,
    Export,
    Tree,
    Used,
    amount,
    count,
    is_tree,
    moment,
    named,
    of_buckets,
    total,
)

VENDOR = "anthropic"
_CENTS = 100  # of one USD
_WRITTEN = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")
# Older files have one column for what was written to the cache, newer ones two
_COLUMNS = (
    "usage_input_tokens_no_cache",
    "usage_input_tokens_cache_write",
    "usage_input_tokens_cache_write_5m",
    "usage_input_tokens_cache_write_1h",
    "usage_input_tokens_cache_read",
)


def read_buckets(buckets: list[dict[str, object]]) -> Export:
    """Return what buckets of the usage report or the cost report say."""
    return of_buckets(VENDOR, buckets, ("starting_at", "ending_at"), _of_bucket)


def read_rows(table: list[dict[str, str]]) -> Export:
    """Return what the rows of the Console's CSV say, one for each day and group."""
    rows = tuple(map(_of_row, table))
    return Export(VENDOR, tuple((row.at, row.at + DAY) for row in rows), rows)


def _of_bucket(at: float, result: Tree) -> Used:
    model, key = named(result, "model"), named(result, "api_key_id")
    if "amount" in result:
        return Used(at, model, key, Counts(cost=amount(result, "amount", _CENTS)))
    plain = total(result, "uncached_input_tokens", "cache_read_input_tokens")
    made = result.get("cache_creation")
    written = total(made, *_WRITTEN) if is_tree(made) else None
    counts = Counts(
        prompt=plain if written is None else (plain or 0) + written,
        completion=count(result, "output_tokens"),
        cached=count(result, "cache_read_input_tokens"),
    )
    return Used(at, model, key, counts)


def _of_row(row: Tree) -> Used:
    counts = Counts(
        prompt=total(row, *_COLUMNS),
        completion=count(row, "usage_output_tokens"),
        cached=count(row, "usage_input_tokens_cache_read"),
    )
    at = moment(row, "usage_date_utc")
    return Used(at, named(row, "model_version"), named(row, "api_key"), counts)
