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

from infway.ledger.segment import FIRST, number_of, records

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


def left_behind(place: Place) -> Iterator[bytes]:
    """Return the records of a dead process, in order; what cannot be read is left out, and said."""
    numbered = ((_number(path), path) for path in place.path.iterdir())
    for _, path in sorted(one for one in numbered if one[0]):
        data = path.read_bytes()
        found, lost = records(data, FIRST, len(data))
        if lost:
            _log.error("%d bytes in the middle of the journal %s cannot be read", lost, path)
        yield from found


def clear(place: Place) -> None:
    """Remove the files of a folder; raises OSError.

    The oldest goes first: what is settled stays longer than that it was begun.
    """
    for path in sorted(place.path.iterdir(), key=_number):
        path.unlink()


def _number(path: Path) -> int:
    with path.open("rb") as file:
        return number_of(file.read(FIRST))


def _remove_empty(path: Path) -> None:
    try:
        path.rmdir()
    except OSError:
        _log.debug("%s stays: it is not empty", path)
