"""OpenAI's usage and costs of an organization: pages of the API, or the dashboard's CSV.

Names: `openai.types.admin.organization` of its Python library; `input_tokens` has the cached ones.
"""

from infway.ledger.exports.words import (
    Counts,
    Export,
    ExportError,
    Tree,
    Used,
    amount,
    count,
    is_tree,
    moment,
    named,
    of_buckets,
)

VENDOR = "openai"


def read_buckets(buckets: list[dict[str, object]]) -> Export:
    """Return what buckets of the usage API or the costs API say."""
    return of_buckets(VENDOR, buckets, ("start_time", "end_time"), _of_bucket)


def read_rows(table: list[dict[str, str]]) -> Export:
    """Return what the rows of a CSV say, one for each bucket and group; a bucket may be empty."""
    spans: list[tuple[float, float]] = []
    rows: list[Used] = []
    for row in table:
        at = moment(row, "start_time")
        spans.append((at, moment(row, "end_time")))
        if row.get("amount_value"):
            cost = _cost(row, "amount_value", named(row, "amount_currency"))
            rows.append(Used(at, _item(row), named(row, "api_key_id"), Counts(cost=cost)))
        elif row.get("num_model_requests"):
            rows.append(Used(at, named(row, "model"), named(row, "api_key_id"), _tokens(row)))
    return Export(VENDOR, tuple(spans), tuple(rows))


def _of_bucket(at: float, result: Tree) -> Used:
    key = named(result, "api_key_id")
    paid = result.get("amount")
    if is_tree(paid):
        cost = _cost(paid, "value", named(paid, "currency"))
        return Used(at, _item(result), key, Counts(cost=cost))
    return Used(at, named(result, "model"), key, _tokens(result))


def _tokens(tree: Tree) -> Counts:
    return Counts(
        requests=count(tree, "num_model_requests"),
        prompt=count(tree, "input_tokens"),
        completion=count(tree, "output_tokens"),
        cached=count(tree, "input_cached_tokens"),
    )


def _cost(tree: Tree, name: str, currency: str | None) -> int:
    if currency is not None and currency.lower() != "usd":
        raise ExportError("the costs are not in USD")
    return amount(tree, name) or 0


def _item(tree: Tree) -> str | None:
    """Return the model of a line item: `gpt-4o-2024-08-06, Input`."""
    item = named(tree, "line_item")
    return None if item is None else item.partition(",")[0].strip()
