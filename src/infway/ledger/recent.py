"""What was used a short while ago, and by which process it was let in: of limits, not of money."""

from typing import NamedTuple

from infway.database import Database

_SLOT = 4  # seconds: uses so near to one another are one
_LONGEST = 3600  # seconds that a request is looked for that began before
_QUERY = """
    SELECT boot, key, project, organisation, (CAST(at AS BIGINT) + end_ms / 1000) / ? AS slot,
        count(*), sum(prompt_tokens), sum(completion_tokens)
    FROM entries WHERE attempt = 0 AND at >= ? AND at < ?
    GROUP BY boot, key, project, organisation, slot ORDER BY slot
    """


class Recent(NamedTuple):
    """Requests of one key that ended about then. `at`: Unix seconds, no earlier than any of them."""

    boot: str
    key: str
    project: str
    organisation: str
    at: float
    requests: int
    prompt_tokens: int
    completion_tokens: int


def recent(database: Database, since: float, until: float) -> list[Recent]:
    """Return what ended since then and began before `until` (Unix seconds); raises DatabaseError."""
    rows = database.read(_QUERY, (_SLOT, since - _LONGEST, until))
    # a slot ends where the next begins, and whole seconds may have been rounded either way
    found = [
        Recent(boot, key, project, organisation, (slot + 1) * _SLOT + 2.0, *map(int, sums))
        for boot, key, project, organisation, slot, *sums in rows
    ]
    return [one for one in found if one.at >= since]
