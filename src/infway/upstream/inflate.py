"""Replies that come compressed although nobody asked: unpacked within bounds, or refused.

gzip and deflate only. What grows more than a hundredfold is a bomb. Reliability, row 19 and C1.
"""

import zlib
from collections.abc import Mapping
from typing import NoReturn, Protocol

from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Failure, Fault
from infway.upstream.http1 import MAX_BODY

RATIO = 100  # times that a reply may grow, once it is larger than `SMALL`
SMALL = 1024 * 1024  # bytes that any reply may have
PIECE = 64 * 1024  # bytes that are unpacked at once
_WINDOW = 32 + zlib.MAX_WBITS  # gzip or zlib, as the first bytes say
_KNOWN = frozenset({"gzip", "x-gzip", "deflate"})
NONE = frozenset({"", "identity"})


class Packed(Protocol):
    """A reply as it came."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers."""
        ...

    async def read_some(self) -> bytes:
        """Return what has come."""
        ...

    async def finish(self, patience: float = ...) -> None:
        """Give the connection back."""
        ...

    def close(self) -> None:
        """Drop the reply."""
        ...


class Inflated:
    """A reply whose body is unpacked as it is read; in all else it is the reply inside."""

    def __init__(self, packed: Packed) -> None:
        """Raises UpstreamFailed where the encoding is unknown."""
        self.status = packed.status
        self.headers = packed.headers
        self.finish = packed.finish
        self.close = packed.close
        self._packed = packed
        self._unpack = zlib.decompressobj(_WINDOW)
        self._rest = b""
        self._came = self._made = 0
        if packed.headers["content-encoding"].strip().lower() not in _KNOWN:
            self._refuse()

    async def read(self, limit: int = MAX_BODY) -> bytes:
        """Return the whole body; raises UpstreamFailed where it is bad or beyond `limit` bytes."""
        pieces: list[bytes] = []
        while piece := await self.read_some():
            pieces.append(piece)
            if self._made > limit:
                self.close()
                raise UpstreamFailed(Failure(Fault.TOO_LARGE, self.status))
        return b"".join(pieces)

    async def read_some(self) -> bytes:
        """Return what has come, unpacked; empty at the end. Raises UpstreamFailed."""
        while True:
            data = self._rest or await self._packed.read_some()
            if not data:
                if not self._unpack.eof:
                    self._refuse()
                return b""
            made = self._unpacked(data)
            if made:
                return made

    def _unpacked(self, data: bytes) -> bytes:
        if self._unpack.eof:  # what follows the end of the pack is not part of it
            self._rest = b""
            return b""
        if data is not self._rest:
            self._came += len(data)
        try:
            made = self._unpack.decompress(data, PIECE)
        except zlib.error:
            self._refuse()
        self._rest = self._unpack.unconsumed_tail
        self._made += len(made)
        if self._made > SMALL and self._made > RATIO * self._came:
            self._refuse()
        return made

    def _refuse(self) -> NoReturn:
        self.close()
        raise UpstreamFailed(Failure(Fault.BAD_ENCODING, self.status))
