"""OpenRouter's activity: the API's days, or the CSV of single generations.

https://openrouter.ai/docs/client-sdks/typescript/models/activityitem. Completions have their
reasoning; what is spent at other providers with keys of one's own counts as spent.
"""

from collections.abc import Mapping, Sequence

from infway.ledger.exports.words import (
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
_DAY = 86_400.0  # seconds


def read_days(items: Sequence[Mapping[str, object]]) -> Export:
    """Return what the items of the activity say, one for each day, model and endpoint."""
    return _spanned([_of_day(item) for item in items])


def read_rows(table: list[dict[str, str]]) -> Export:
    """Return what the rows of a CSV say, one for each generation."""
    rows = [
        Used(
            moment(row, "created_at"),
            named(row, "model_permaslug"),
            named(row, "api_key_name"),
            Counts(
                requests=1,
                prompt=count(row, "tokens_prompt"),
                completion=count(row, "tokens_completion"),
                cached=count(row, "tokens_cached"),
                cost=amount(row, "cost_total"),
            ),
        )
        for row in table
    ]
    return _spanned(rows)


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
    days = [row.at // _DAY for row in rows]
    spans = ((min(days) * _DAY, max(days) * _DAY + _DAY),) if days else ()
    return Export(VENDOR, spans, tuple(rows))
