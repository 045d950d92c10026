"""OpenRouter's activity: the API's days, or the CSV of single generations.

https://openrouter.ai/docs/client-sdks/typescript/models/activityitem. Completions have their
reasoning; what is spent at other providers with keys of one's own counts as spent.
"""

from collections.abc import Mapping, Sequence

from infway.ledger.exports.words import (
    DAY,
    Counts,
    Export,
    Tree,
    Used,
    amount,
    count,
    moment,
    named,
    total,
)

VENDOR = "openrouter"


def read_days(items: Sequence[Mapping[str, object]]) -> Export:
    """Return what the items of the activity say, one for each day, model and endpoint."""
    return _spanned([_of_day(item) for item in items])


def read_rows(table: list[dict[str, str]]) -> Export:
    """Return what the rows of a CSV say, one for each generation."""
    return _spanned([_of_row(row) for row in table])


def _of_row(row: Tree) -> Used:
    counts = Counts(
        requests=1,
        prompt=count(row, "tokens_prompt"),
        completion=count(row, "tokens_completion"),
        cached=count(row, "tokens_cached"),
        cost=amount(row, "cost_total"),
    )
    at = moment(row, "created_at")
    return Used(at, named(row, "model_permaslug"), named(row, "api_key_name"), counts)


def _of_day(item: Tree) -> Used:
    spent = [
        found
        for name in ("usage", "byok_usage_inference")
        if (found := amount(item, name)) is not None
    ]
    counts = Counts(
        requests=count(item, "requests"),
        prompt=count(item, "prompt_tokens"),
        completion=total(item, "completion_tokens"),
        cost=sum(spent) if spent else None,
    )
    return Used(moment(item, "date"), named(item, "model"), None, counts)


def _spanned(rows: list[Used]) -> Export:
    """Return an export of whole days of UTC, from the first to the last that is in it."""
    days = [row.at // DAY for row in rows]
    spans = ((min(days) * DAY, max(days) * DAY + DAY),) if days else ()
    return Export(VENDOR, spans, tuple(rows))
