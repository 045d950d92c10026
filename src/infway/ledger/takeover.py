"""Taking over a ledger that was written before there were sums."""

from infway.database import Work
from infway.ledger.counting import Ids, count
from infway.ledger.rows import Row

_CHUNK = 10_000  # rows that are in memory at once
# What a row was when this step was published, and stays for this step
_READ = (
    f"SELECT {', '.join(Row._fields)} FROM entries"  # noqa: S608 - our own names
    " WHERE (request, attempt) > (?, ?) ORDER BY request, attempt LIMIT ?"
)


def count_old_rows(work: Work) -> None:
    """Count every row that is there."""
    ids = Ids()
    request, attempt = "", -1
    while found := work.run(_READ, (request, attempt, _CHUNK)):
        rows = [Row(*row) for row in found]
        ids.learn(count(work, rows, "", ids))
        request, attempt = rows[-1].request, rows[-1].attempt
