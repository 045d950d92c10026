"""A chunked body, followed to its end without being copied.

RFC 9112, section 7.1, without extensions and trailers: no client of an API needs them, and they
are where readers differ (threat model, row A6).
"""

import re
from typing import Literal

from infway.door.head import malformed

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
_LONGEST = 10  # bytes of a line: eight digits, CR and LF
_MOST_SMALL = 4096  # chunks from which they must be of some size
_SMALL = 64  # bytes; a chunk costs more to follow than that many bytes


class Chunks:
    """Knows where in a chunked body the next byte stands."""

    __slots__ = ("_count", "_left", "_line", "_next", "_size")

    def __init__(self) -> None:
        self._left = 0  # bytes of the chunk that are still to come
        self._line = b""
        self._next: Literal["size", "data", "end"] = "size"
        self._count = self._size = 0

    def follow(self, data: bytes) -> int:
        """Return where in `data` the body ends, -1 where it goes on; raises CallerError."""
        at = 0
        while at < len(data):
            if self._left:
                step = min(self._left, len(data) - at)
                at, self._left = at + step, self._left - step
                continue
            end = data.find(b"\n", at, at + _LONGEST)
            if end < 0:
                self._line += data[at : at + _LONGEST]
                if len(self._line) >= _LONGEST or len(data) - at >= _LONGEST:
                    raise malformed("a chunk's size does not end")
                return -1
            line, self._line, at = self._line + data[at : end + 1], b"", end + 1
            if self._ends(line):
                return at
        return -1

    def _ends(self, line: bytes) -> bool:
        """Take a line in; tell whether it was the last one."""
        if self._next != "size":
            if line != b"\r\n":
                raise malformed("a chunk is not as long as it says, or has a trailer")
            is_last, self._next = self._next == "end", "size"
            return is_last
        found = _SIZE.fullmatch(line)
        if found is None:
            raise malformed("a chunk's size is no number")
        self._left = int(found[1], 16)
        self._next = "data" if self._left else "end"
        self._count, self._size = self._count + 1, self._size + self._left
        if self._count > _MOST_SMALL and self._size < _SMALL * self._count:
            raise malformed("its chunks are too small")
        return False
