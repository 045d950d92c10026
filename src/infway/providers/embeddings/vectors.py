"""Vectors as they are written: JSON numbers, or base64 of float32. Read without trust.

They stay text as long as possible: parsing and printing a thousand numbers for each input would
cost more than all the rest of a request.
"""

import base64
import binascii
import struct
from array import array
from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec

from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Usage, Vectors
from infway.kernel.faults import Failure, Fault

_T = TypeVar("_T")

_MOST = 10**9  # tokens of one reply: more than that is a mistake, and no number to bill
_FLOAT = 4  # bytes
_SPACE = b" \t\r\n"
_IN_NUMBERS = b"0123456789+-.eE,"
_NONE_SENT = Failure(Fault.EMPTY_CHOICES, 200)
_NOT_READABLE = Failure(Fault.INVALID_JSON, 200)
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_read_floats = msgspec.json.Decoder(list[float]).decode
_read_text = msgspec.json.Decoder(str).decode
_write = msgspec.json.Encoder().encode


def read_as(decoder: msgspec.json.Decoder[_T], body: bytes) -> _T:
    """Read a reply of a known shape; raises UpstreamFailed where it has another."""
    try:
        return decoder.decode(body)
    except _BROKEN as error:
        raise UpstreamFailed(_NOT_READABLE) from error


def vectors_of(raws: Sequence[msgspec.Raw], usage: Usage | None) -> Vectors:
    """Return vectors that came as arrays of numbers; raises UpstreamFailed where they are none."""
    return Vectors([_numbers(bytes(raw)) for raw in _some(raws)], coded=False, usage=usage)


def coded_of(raws: Sequence[msgspec.Raw], usage: Usage | None) -> Vectors:
    """Return vectors that came as base64 of float32; raises UpstreamFailed where they are none."""
    items = [_text(raw) for raw in _some(raws)]
    if any(len(_decoded(item)) % _FLOAT for item in items):
        raise UpstreamFailed(_NOT_READABLE)
    return Vectors(items, coded=True, usage=usage)


def bytes_of(raws: Sequence[msgspec.Raw], usage: Usage | None) -> Vectors:
    """Return vectors that came as base64 of signed bytes; raises UpstreamFailed."""
    small = [array("b", _decoded(_text(raw))) for raw in _some(raws)]
    return Vectors([_write(one.tolist()) for one in small], coded=False, usage=usage)


def in_format(vectors: Vectors, *, coded: bool) -> Vectors:
    """Return vectors in the format that is wanted; raises UpstreamFailed where they have none."""
    if vectors.coded == coded:
        return vectors
    change = _encoded if coded else _spelled
    return Vectors([change(item) for item in vectors.items], coded, vectors.usage)


def in_order(places: Iterable[int | None], raws: Iterable[msgspec.Raw]) -> list[msgspec.Raw]:
    """Return what came with its places in the order of these; raises UpstreamFailed.

    What came without a place stands where it came.
    """
    placed = [
        (at if place is None else place, raw)
        for at, (place, raw) in enumerate(zip(places, raws, strict=True))
    ]
    placed.sort(key=lambda one: one[0])
    if [place for place, _ in placed] != list(range(len(placed))):
        raise UpstreamFailed(_NOT_READABLE)
    return [raw for _, raw in placed]


def usage_of(*counts: object) -> Usage | None:
    """Return the usage by the first of these counts that makes sense; None where none does."""
    for count in counts:
        is_text = isinstance(count, str) and count.isascii() and count.isdecimal()
        number = int(count[:12]) if is_text and isinstance(count, str) else count
        if isinstance(number, int) and not isinstance(number, bool) and 0 < number <= _MOST:
            return Usage(number, 0, number)
    return None


def _some(raws: Sequence[msgspec.Raw]) -> Sequence[msgspec.Raw]:
    if not raws:
        raise UpstreamFailed(_NONE_SENT)
    return raws


def _numbers(text: bytes) -> bytes:
    """Return a JSON array of numbers without its spaces; msgspec has seen that it is JSON."""
    dense = text.translate(None, _SPACE)
    if len(dense) < 3 or dense[:1] != b"[" or dense[1:-1].translate(None, _IN_NUMBERS):
        raise UpstreamFailed(_NOT_READABLE)
    return dense


def _text(raw: msgspec.Raw) -> bytes:
    try:
        return _read_text(raw).encode()
    except _BROKEN as error:
        raise UpstreamFailed(_NOT_READABLE) from error


def _decoded(text: bytes) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise UpstreamFailed(_NOT_READABLE) from error
    if not data:
        raise UpstreamFailed(_NOT_READABLE)
    return data


def _encoded(item: bytes) -> bytes:
    """Return numbers as base64 of little-endian float32."""
    try:
        floats = _read_floats(item)
        return base64.b64encode(struct.pack(f"<{len(floats)}f", *floats))
    except (msgspec.DecodeError, OverflowError) as error:
        raise UpstreamFailed(_NOT_READABLE) from error


def _spelled(item: bytes) -> bytes:
    """Return base64 of little-endian float32 as numbers."""
    data = _decoded(item)
    text = _write(struct.unpack(f"<{len(data) // _FLOAT}f", data))
    if b"null" in text:  # how what is not finite would be written
        raise UpstreamFailed(_NOT_READABLE)
    return text
