"""Server-sent events: bytes to frames, whatever the cuts and the line endings.

Works on bytes, never on text lines: U+2028 and its like inside JSON are not line ends.
The format is WHATWG HTML, section 9.2.6.
"""

from typing import NamedTuple

from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Failure, Fault

MAX_EVENT = 4 * 1024 * 1024  # bytes of one event; reliability C3
_BOM = b"\xef\xbb\xbf"


class Frame(NamedTuple):
    """One event: its name (empty where none was given) and its data lines, joined."""

    event: bytes
    data: bytes


class Framer:
    """Cuts a byte stream at blank lines; unfinished events are kept until their end comes.

    `most`: bytes of one event.
    """

    def __init__(self, most: int = MAX_EVENT) -> None:
        self._most = most
        self._rest = bytearray()
        self._begun = False
        self._carriage_return = False

    def feed(self, data: bytes) -> bytes:
        """Return all whole events so far as one block with LF line ends, or nothing.

        Raises UpstreamFailed (too_large) when an event grows beyond its limit.
        """
        if not self._begun:
            data = self._strip_bom(data)
        if self._carriage_return or b"\r" in data:
            data = self._unify(data)
        if self._rest:
            return self._join(data)
        cut = data.rfind(b"\n\n")
        if cut == len(data) - 2 and cut >= 0:
            return data
        return self._split(bytearray(data), cut)

    def rest(self) -> bytes:
        """Return what came of an event that did not end."""
        return bytes(self._rest)

    def _join(self, data: bytes) -> bytes:
        seen = len(self._rest)
        self._rest += data
        return self._split(self._rest, self._rest.rfind(b"\n\n", max(0, seen - 1)))

    def _split(self, data: bytearray, cut: int) -> bytes:
        end = cut + 2 if cut >= 0 else 0
        block = bytes(data[:end])
        self._rest = data[end:] if end else data
        if len(self._rest) > self._most:
            raise UpstreamFailed(Failure(Fault.TOO_LARGE))
        return block

    def _strip_bom(self, data: bytes) -> bytes:
        data = bytes(self._rest) + data
        self._rest.clear()
        if len(data) < len(_BOM) and _BOM.startswith(data):
            self._rest += data
            return b""
        self._begun = True
        return data.removeprefix(_BOM)

    def _unify(self, data: bytes) -> bytes:
        """Turn CRLF and CR into LF; the LF of a CRLF that was cut in two is left out."""
        if self._carriage_return:
            data = data.removeprefix(b"\n")
        self._carriage_return = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def frames(block: bytes) -> list[Frame]:
    """Return the frames of a block with LF line ends; comments and unknown fields are left out."""
    found: list[Frame] = []
    for event in block.split(b"\n\n"):
        if event.startswith(b"data: ") and b"\n" not in event:
            found.append(Frame(b"", event[6:]))
        elif event:
            name, named, data = event.partition(b"\ndata: ")
            if named and name.startswith(b"event: ") and b"\n" not in data and b"\n" not in name:
                found.append(Frame(name[7:], data))
                continue
            frame = _parse(event)
            if frame is not None:
                found.append(frame)
    return found


def _parse(event: bytes) -> Frame | None:
    name = b""
    lines: list[bytes] = []
    for line in event.split(b"\n"):
        field, _, value = line.partition(b":")
        if field == b"data":
            lines.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.removeprefix(b" ")
    return Frame(name, b"\n".join(lines)) if lines else None
