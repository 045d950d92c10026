"""Newline-delimited JSON: bytes to lines, whatever the cuts.

Works on bytes, never on text lines: U+2028 and its like inside JSON are not line ends.
"""

from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Failure, Fault

MAX_LINE = 4 * 1024 * 1024  # bytes of one line; reliability C3


class LineFramer:
    """Cuts a byte stream at line ends; an unfinished line is kept until its end comes."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines that are complete, without those that hold nothing.

        Raises UpstreamFailed (too_large) when a line grows beyond MAX_LINE.
        """
        if b"\n" not in data:
            self._rest += data
            if len(self._rest) > MAX_LINE:
                raise UpstreamFailed(Failure(Fault.TOO_LARGE))
            return []
        *lines, rest = (bytes(self._rest) + data).split(b"\n")
        self._rest = bytearray(rest)
        return [line for line in lines if line.strip()]

    def rest(self) -> bytes:
        """Return what stands after the last line end, and forget it."""
        rest = bytes(self._rest).strip()
        self._rest.clear()
        return rest
