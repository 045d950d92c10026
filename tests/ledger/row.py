"""Rows for tests of the ledger."""

from collections.abc import Sequence

from infway.ledger.rows import Row, tags_text

HOUR, DAY = 3600.0, 86_400.0
ROW = Row(
    "r-1", 0, 0.0, "key", "model", "up", "ok", 200, 1, 10, 20, 3, 4, 500, 0, 1, 40, 90
)  # fmt: skip


def request(name: str, tags: Sequence[str] = (), **fields: object) -> list[Row]:
    """Return the rows of a request that one attempt answered: the attempt's and its own."""
    row = ROW._replace(request=name, tags=tags_text(tuple(tags)), **fields)
    return [row._replace(attempt=1), row]
