"""A file of records that is written through memory: what is in it survives the death of its process.

The file has all its blocks from the beginning, so that no write can fail for want of room, and is
zero where nothing was written. It begins with MAGIC, the segment's number, 0 where it is spare, and
a mark: the number of a segment, a place in it, and a checksum of both. Each record is its length and its CRC-32, both little-endian, its bytes, and zeros up to the next
multiple of 8.
"""

import mmap
import os
from pathlib import Path
from struct import Struct
from zlib import crc32

MAGIC = b"IWJ1"
HEAD = Struct("<II")  # of a record: length and checksum
FIRST = 16  # where the first record begins
LONGEST = 256 * 1024  # bytes of a record
_NAME = Struct("<4sI")
_MARK = Struct("<II")  # the number; the place, in units of 8 bytes, above its checksum's bits
_CHECK = 12  # of them, which leaves room for places in segments of less than 8 MiB
_PIECE = b"\0" * 65_536  # as much as is cleared, or written, in one go


class Segment:
    """One such file, or memory alone where no path is named. Making one raises OSError.

    `at`: where the next record goes; a multiple of 8.
    """

    __slots__ = ("_descriptor", "at", "memory", "path", "size")

    def __init__(self, size: int, path: Path | None = None) -> None:
        self.size = size
        self.path = path
        self.at = FIRST
        self._descriptor = -1
        if path is None:
            self.memory = mmap.mmap(-1, size)
            return
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(self._descriptor, 0, size)
            for at in range(0, size, len(_PIECE)):
                # blocks that were written once need no journal of the file system's later
                os.pwrite(self._descriptor, _PIECE[: size - at], at)
            self.memory = mmap.mmap(self._descriptor, size)
        except OSError:
            os.close(self._descriptor)
            path.unlink()
            raise

    def begin(self, number: int) -> None:
        """Be the segment of this number, which must be more than 0."""
        _NAME.pack_into(self.memory, 0, MAGIC, number)
        self.at = FIRST

    def mark(self, number: int, at: int) -> None:
        """Note how far the journal is done with, in whichever of its segments that is."""
        _MARK.pack_into(self.memory, _NAME.size, number, at >> 3 << _CHECK | _check(number, at))

    def wipe(self) -> None:
        """Be spare again: clear what was written."""
        used, self.at = self.at, FIRST
        self.memory[:FIRST] = _PIECE[:FIRST]
        for at in range(FIRST, min(used, self.size), len(_PIECE)):
            end = min(at + len(_PIECE), self.size)
            self.memory[at:end] = _PIECE[: end - at]

    def sync(self) -> None:
        """Have what was written so far survive the machine's death as well; raises OSError."""
        if self._descriptor >= 0:
            os.fdatasync(self._descriptor)

    def close(self, *, remove: bool) -> None:
        """Give it back, and with `remove` its file."""
        self.memory.close()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
            if remove and self.path is not None:
                self.path.unlink(missing_ok=True)


def number_of(data: bytes | mmap.mmap) -> int:
    """Return the number of a segment; 0 where it is spare, or no segment at all."""
    if len(data) < FIRST:
        return 0
    magic, number = _NAME.unpack_from(data)
    return int(number) if magic == MAGIC else 0


def mark_of(data: bytes) -> tuple[int, int]:
    """Return the mark in a segment: up to which number, and which place in that, it is done with.

    There is none in what is spare, damaged, or was being written: then nothing is done with.
    """
    if not number_of(data):
        return 0, 0
    number, said = _MARK.unpack_from(data, _NAME.size)
    at = said >> _CHECK << 3
    return (number, at) if said % (1 << _CHECK) == _check(number, at) and at else (0, 0)


def _check(number: int, at: int) -> int:
    return crc32(HEAD.pack(number, at)) % (1 << _CHECK)


def records(data: bytes | mmap.mmap, since: int, until: int) -> tuple[list[bytes], int]:
    """Return the records between two places, and how many bytes between them cannot be read.

    What cannot be read at the end is no loss: the last record was not finished.
    """
    found: list[bytes] = []
    at, gap, lost = since, 0, 0
    while at + HEAD.size <= until:
        size, checksum = HEAD.unpack_from(data, at)
        end = at + HEAD.size + size
        if 0 < size <= LONGEST and end <= until and crc32(data[at + 8 : end]) == checksum:
            found.append(bytes(data[at + 8 : end]))
            at, gap, lost = (end + 7) & -8, 0, lost + gap
        elif not (size or gap or data[at:until].strip(b"\0")):
            break
        else:
            at, gap = at + 8, gap + 8
    return found, lost
