"""The folder of all journals: each process has a folder in it, which is locked as long as it lives.

The lock is the system's (`flock`) and ends with the process, however that ends. Whoever gets the
lock of a folder that is not its own has found the journal of a process that died.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from infway.ledger.segment import FIRST, mark_of, number_of, records

_log = logging.getLogger(__name__)


class Place(NamedTuple):
    """A folder that is locked by this process. `name`: that of the process it belongs to."""

    path: Path
    descriptor: int

    @property
    def name(self) -> str:
        """The name of whose folder it is."""
        return self.path.name

    def leave(self) -> None:
        """Give the lock back; the folder goes where it is empty."""
        _remove_empty(self.path)
        os.close(self.descriptor)


def entered(spool: Path, name: str) -> Place:
    """Return a new folder, locked, of a name that nobody else has; raises OSError."""
    spool.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = spool / f".{name}"
    draft.mkdir(mode=0o700)
    descriptor = os.open(draft, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    # nobody looks at it before it is locked: names that begin with a dot are not looked at
    return Place(draft.rename(spool / name), descriptor)


def folders(spool: Path) -> list[Path]:
    """Return the folders of processes, dead or alive, the same order each time; raises OSError."""
    if not spool.is_dir():
        return []
    return sorted(path for path in spool.iterdir() if path.name[0] != "." and path.is_dir())


def taken(path: Path) -> Place | None:
    """Lock the folder of a dead process; None where its process lives or another was faster.

    Raises OSError.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None  # another process was faster
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            return None
        raise
    if not path.exists():
        os.close(descriptor)
        return None
    return Place(path, descriptor)


def left_behind(place: Place) -> Iterator[tuple[bytes, bool]]:
    """Return the records of a dead process, in order, and whether each is before its mark.

    What cannot be read is left out, and said.
    """
    files = sorted(one for one in map(_begun, place.path.iterdir()) if one[0])
    until, at = max((mark for _, mark, _ in files), default=(0, 0))
    for number, _, path in files:
        data = path.read_bytes()
        middle = FIRST if number > until else len(data) if number < until else min(at, len(data))
        for since, end, is_before in ((FIRST, middle, True), (middle, len(data), False)):
            found, lost = records(data, since, end)
            if lost:
                _log.error("%d bytes in the middle of the journal %s cannot be read", lost, path)
            for record in found:
                yield record, is_before


def clear(place: Place) -> None:
    """Remove the files of a folder; raises OSError.

    The oldest goes first: what is settled stays longer than that it was begun.
    """
    for _, _, path in sorted(map(_begun, place.path.iterdir())):
        path.unlink()


def _begun(path: Path) -> tuple[int, tuple[int, int], Path]:
    """Return the number of a segment, its mark, and where it is."""
    with path.open("rb") as file:
        head = file.read(FIRST)
    return number_of(head), mark_of(head), path


def _remove_empty(path: Path) -> None:
    try:
        path.rmdir()
    except OSError:
        _log.debug("%s stays: it is not empty", path)
