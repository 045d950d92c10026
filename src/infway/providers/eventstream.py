"""AWS's binary event streams: bytes to messages, whatever the cuts.

The format is Amazon's `application/vnd.amazon.eventstream`, described with the SDKs' own
specification: https://smithy.io/2.0/aws/amazon-eventstream.html
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple
from zlib import crc32

from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Failure, Fault

MAX_MESSAGE = 4 * 1024 * 1024  # bytes of one message; reliability C3, as for server-sent events
MAX_HEADERS = 128 * 1024  # bytes of a message's headers; the limit of the format
_PRELUDE = struct.Struct(">III")  # the length of all, the length of the headers, their CRC
_CRC = struct.Struct(">I")
_LEAST = _PRELUDE.size + _CRC.size
_REMEMBERED = 64  # header blocks that are not read again; a stream has a handful of them

Value = bool | int | str | bytes
Headers = Mapping[str, Value]


class Message(NamedTuple):
    """One message: its headers, names as sent (`:event-type`), and its payload."""

    headers: Headers
    payload: bytes


class MessageFramer:
    """Cuts a byte stream into messages; an unfinished one is kept until its end comes."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._known: dict[bytes, Headers] = {}

    def feed(self, data: bytes) -> Iterator[Message]:
        """Yield all messages that are whole now.

        Raises UpstreamFailed after those before it: bad_event where a message is damaged,
        too_large where it is beyond the limits.
        """
        self._rest += data
        while len(self._rest) >= _PRELUDE.size:
            size, headers_size, crc = _PRELUDE.unpack_from(self._rest)
            if crc32(self._rest[: _PRELUDE.size - _CRC.size]) != crc:
                raise UpstreamFailed(Failure(Fault.BAD_EVENT, 200))
            if size > MAX_MESSAGE or headers_size > MAX_HEADERS:
                raise UpstreamFailed(Failure(Fault.TOO_LARGE, 200))
            if size < _LEAST + headers_size:
                raise UpstreamFailed(Failure(Fault.BAD_EVENT, 200))
            if len(self._rest) < size:
                return
            block = bytes(self._rest[:size])
            del self._rest[:size]
            yield self._message(block, _PRELUDE.size + headers_size)

    def _message(self, block: bytes, begin: int) -> Message:
        """Read a whole message whose payload begins at `begin`."""
        end = len(block) - _CRC.size
        if crc32(block[:end]) != _CRC.unpack_from(block, end)[0]:
            raise UpstreamFailed(Failure(Fault.BAD_EVENT, 200))
        raw = block[_PRELUDE.size : begin]
        headers = self._known.get(raw)
        if headers is None:
            headers = _headers(raw)
            if len(self._known) < _REMEMBERED:
                self._known[raw] = headers
        return Message(headers, block[begin:end])


def _headers(raw: bytes) -> Headers:
    """Read a header block; raises UpstreamFailed(bad_event) where it is none."""
    headers: dict[str, Value] = {}
    at = 0
    try:
        while at < len(raw):
            end = at + 1 + raw[at]
            name = _text(raw, at + 1, end)
            if name in headers:
                raise UpstreamFailed(Failure(Fault.BAD_EVENT, 200))
            headers[name], at = _KINDS[raw[end]](raw, end + 1)
    except (IndexError, KeyError, UnicodeDecodeError, struct.error) as error:
        raise UpstreamFailed(Failure(Fault.BAD_EVENT, 200)) from error
    return MappingProxyType(headers)


def _slice(raw: bytes, begin: int, end: int) -> bytes:
    if end > len(raw):
        raise IndexError
    return raw[begin:end]


def _text(raw: bytes, begin: int, end: int) -> str:
    return _slice(raw, begin, end).decode()


def _number(layout: str) -> Callable[[bytes, int], tuple[int, int]]:
    packed = struct.Struct(layout)
    return lambda raw, at: (packed.unpack_from(raw, at)[0], at + packed.size)


def _long_bytes(raw: bytes, at: int) -> tuple[bytes, int]:
    end = at + 2 + int.from_bytes(_slice(raw, at, at + 2))
    return _slice(raw, at + 2, end), end


def _long_text(raw: bytes, at: int) -> tuple[str, int]:
    data, end = _long_bytes(raw, at)
    return data.decode(), end


# How a value is read, by the byte before it: its place -> the value and what comes after it
_KINDS: Mapping[int, Callable[[bytes, int], tuple[Value, int]]] = {
    0: lambda _raw, at: (True, at),
    1: lambda _raw, at: (False, at),
    2: _number(">b"),
    3: _number(">h"),
    4: _number(">i"),
    5: _number(">q"),
    6: _long_bytes,
    7: _long_text,
    8: _number(">q"),  # a time, in milliseconds
    9: lambda raw, at: (_slice(raw, at, at + 16), at + 16),  # a UUID
}
