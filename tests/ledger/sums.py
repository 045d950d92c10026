"""What the sums must be, worked out anew from every row."""

from collections import Counter
from datetime import UTC, datetime

from infway.database import Database
from infway.ledger.rows import Row, tags_of

_SUMS = (
    "rows, prompt_tokens, completion_tokens, cached_tokens, cache_write_tokens,"
    " reasoning_tokens, high, low, estimated, unpriced"
)
_PLACE = "attempts, organisation, project, key, model, upstream, outcome, tags"
Sums = dict[tuple[object, ...], tuple[int, ...]]


def assert_sums_equal_rows(database: Database) -> None:
    """Check hours, days, tags, and what is spent."""
    rows = [Row(*row) for row in database.read(f"SELECT {', '.join(Row._fields)} FROM entries")]
    for table, place, seconds in (("hours", "hour", 3600), ("days", "day", 86_400)):
        assert _kept(database, table, place) == _expected(rows, seconds), table
    spent = database.read("SELECT holder, period, high, low FROM spent WHERE high + low > 0")
    kept = {(holder, period): high * 10**6 + low for holder, period, high, low in spent}
    assert kept == dict(_spent(rows))
    tagged = "SELECT tags, tag FROM dimensions JOIN dimension_tags ON dimension = id"
    expected = {(row.tags, tag) for row in rows for tag in tags_of(row.tags)}
    assert set(database.read(tagged)) == expected


def _kept(database: Database, table: str, place: str) -> Sums:
    query = f"SELECT {_PLACE}, {place}, {_SUMS} FROM {table} JOIN dimensions ON id = dimension"
    found: Sums = {}
    for row in database.read(query):
        *where, count, prompt, completion, cached, write, reasoning, high, low, guess, free = row
        tokens = (prompt, completion, cached, write, reasoning)
        found[tuple(where)] = (count, *tokens, high * 10**6 + low, guess, free)
    return found


def _expected(rows: list[Row], seconds: int) -> Sums:
    sums: Sums = {}
    for row in rows:
        place = (
            int(row.attempt > 0), row.organisation, row.project, row.key, row.model,
            row.upstream, row.outcome, row.tags, int(row.at // seconds),
        )  # fmt: skip
        tokens = (row.prompt_tokens, row.completion_tokens, row.cached_tokens)
        more = (row.cache_write_tokens, row.reasoning_tokens)
        mine = (1, *tokens, *more, row.cost, row.estimated, 1 - row.priced)
        known = sums.get(place, (0,) * len(mine))
        sums[place] = tuple(map(sum, zip(known, mine, strict=True)))
    return sums


def _spent(rows: list[Row]) -> Counter[tuple[str, str]]:
    spent: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if row.attempt or not row.cost:
            continue
        at = datetime.fromtimestamp(row.at, UTC)
        holders = {"key": row.key, "project": row.project, "organisation": row.organisation}
        for kind, name in holders.items():
            for period in ("total", f"{at:%Y-%m}", f"{at:%Y-%m-%d}"):
                if name:
                    spent[f"{kind}:{name}", period] += row.cost
    return spent
