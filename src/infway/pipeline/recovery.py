"""What processes left that died: their journals become rows of the ledger.

What they had settled is appended; what they had begun is settled as `interrupted`, with the usage
that they had last put on record, or their prompt's where they had not come to that.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from infway.database import DatabaseError
from infway.kernel.errors import InfwayError
from infway.kernel.events import Usage
from infway.kernel.faults import Fault
from infway.ledger.journal import BEGUN, SETTLED, Entry, entry_of
from infway.ledger.rows import Ledger, Row
from infway.ledger.spool import Place, clear, folders, left_behind, taken
from infway.pipeline.cost import cost_of

_BATCH = 2000  # rows of one transaction
_log = logging.getLogger(__name__)

Found = dict[str, dict[int, Entry]]


class Recovery:
    """Takes over the journals of dead processes in a folder. Called from the background.

    `watch` is told of rows that nobody had settled. `buried` is told the name of each process
    whose journal is all in the ledger.
    """

    def __init__(
        self,
        spool: Path,
        ledger: Ledger,
        watch: Callable[[Sequence[Row]], None],
        buried: Callable[[str], None],
    ) -> None:
        self._spool = spool
        self._ledger = ledger
        self._watch = watch
        self._buried = buried
        self._said: dict[Path, str] = {}  # why a folder could not be taken over

    def run(self) -> None:
        """Take over what there is; what cannot be done now is tried again the next time.

        What is wrong with one folder holds up no other; a database that is away does.
        """
        try:
            paths = folders(self._spool)
        except OSError as error:
            self._say(self._spool, error)
            return
        self._said = {path: said for path, said in self._said.items() if path in paths}
        for path in paths:
            try:
                if (place := taken(path)) is not None:
                    self._take_over(place)
                    self._said.pop(path, None)
            except (InfwayError, OSError) as error:
                self._say(path, error)
                if isinstance(error, DatabaseError) and error.is_away:
                    return

    def _say(self, path: Path, error: Exception) -> None:
        """Say why a folder waits, once for each reason."""
        if self._said.get(path) != str(error):
            self._said[path] = str(error)
            _log.error("the journal of a process that died waits in %s: %s", path, error)

    def _take_over(self, place: Place) -> None:
        began: Found = {}
        count = 0
        try:
            self._ledger.hold(place.name, 0.0)  # none may count twice, were it long ago
            for batch in _batches(settled(left_behind(place), began)):
                self._ledger.append(batch, place.name)
                count += len(batch)
            rows = list(interrupted(began))
            for batch in _batches(rows):
                self._ledger.append(batch, place.name)
            self._buried(place.name)
            clear(place)
        finally:
            place.leave()
        self._watch(rows)
        if rows or count:
            _log.warning(
                "took over the journal of a process that died: %d requests were under way,"
                " and its %d settled rows are in the ledger",
                len(began),
                count,
            )
        self._ledger.hold(place.name, None)


def settled(found: Iterable[tuple[bytes, bool]], began: Found) -> Iterator[Row]:
    """Return the rows that are final; what was begun and not settled is left in `began`.

    `found`: records, and whether the ledger has what is settled in them for certain.
    """
    for data, is_there in found:
        entry = entry_of(data)
        if entry is None:
            continue
        if entry.kind != SETTLED:
            for row in entry.rows:
                began.setdefault(row.request, {})[row.attempt] = entry
            continue
        for row in entry.rows:
            if not row.attempt:
                began.pop(row.request, None)
        if not is_there:
            yield from entry.rows


def interrupted(began: Found) -> Iterator[Row]:
    """Return the rows of requests that were under way, each with the sum of its attempts."""
    for attempts in began.values():
        rows = [_priced(entry) for _, entry in sorted(attempts.items())]
        yield from rows
        yield _sum(rows)


def _priced(entry: Entry) -> Row:
    """Return the row of an attempt; what it costs is said where more than its prompt is known."""
    row = entry.rows[0]
    if entry.kind != BEGUN or entry.prices is None:
        return row
    tokens = row.prompt_tokens
    cost = cost_of(Usage(tokens, 0, tokens, estimated=True), entry.prices)
    return row._replace(cost=cost.total, priced=int(cost.priced))


def _sum(rows: Sequence[Row]) -> Row:
    first, last = rows[0], rows[-1]
    start = next((row for row in rows if row.start_ms is not None), None)
    began = None if start is None else _later(first, start) + (start.start_ms or 0)
    return last._replace(
        attempt=0,
        at=first.at,
        monotonic=first.monotonic,
        outcome=Fault.INTERRUPTED.value,
        status=0,
        prompt_tokens=sum(row.prompt_tokens for row in rows),
        completion_tokens=sum(row.completion_tokens for row in rows),
        cached_tokens=sum(row.cached_tokens for row in rows),
        cache_write_tokens=sum(row.cache_write_tokens for row in rows),
        reasoning_tokens=sum(row.reasoning_tokens for row in rows),
        cost=sum(row.cost for row in rows),
        estimated=int(any(row.estimated for row in rows)),
        priced=int(all(row.priced for row in rows)),
        start_ms=began,
        end_ms=max(_later(first, row) + row.end_ms for row in rows),
    )


def _later(first: Row, row: Row) -> int:
    """Return by how many milliseconds an attempt began after the first."""
    return max(0, round((row.monotonic - first.monotonic) * 1000))


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) >= _BATCH and not row.attempt:
            yield batch
            batch = []
    if batch:
        yield batch
