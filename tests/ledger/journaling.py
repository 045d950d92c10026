"""Journals of processes that are gone, and rows to put into them."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infway.ledger.journal import Entry, Journal, entries
from infway.ledger.rows import Row
from infway.ledger.spool import Place, folders, left_behind, taken

SMALL = 64 * 1024  # bytes of a segment


def row(request: str = "r-1", attempt: int = 1, **said: object) -> Row:
    facts = {
        "at": 1_700_000_000.0, "key": "someone", "model": "m", "upstream": "up", "outcome": "ok",
        "status": 200, "stream": 1, "prompt_tokens": 10, "completion_tokens": 20,
        "cached_tokens": 0, "reasoning_tokens": 0, "cost": 5, "estimated": 0, "priced": 1,
        "start_ms": 1, "end_ms": 2, **said,
    }  # fmt: skip
    return Row(request=request, attempt=attempt, **facts)


def opened(folder: Path, size: int = SMALL) -> Journal:
    journal = Journal(folder, size)
    journal.open()
    return journal


def die(journal: Journal) -> Path:
    """Lose the lock as a process does that is killed; return where its files are."""
    place = journal._place
    assert place is not None
    fcntl.flock(place.descriptor, fcntl.LOCK_UN)
    os.close(place.descriptor)
    return place.path


@contextmanager
def found(folder: Path) -> Iterator[list[tuple[Place, list[Entry]]]]:
    """Lock what dead processes left, and read it."""
    places = [place for path in folders(folder) if (place := taken(path))]
    try:
        yield [(one, list(entries(data for data, _ in left_behind(one)))) for one in places]
    finally:
        for one in places:
            one.leave()
