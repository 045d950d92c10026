"""How large a picture is, read from the first bytes of its file: PNG, GIF, JPEG or WebP."""

import base64
import binascii
from typing import NamedTuple

_HEAD = 4 * 65536  # characters of base64: a JPEG tells its size behind colours and a preview
_BASE64_CHARS = 4
# Segments of a JPEG that start a frame and so hold its size: SOF0 to SOF15 but DHT, JPG and DAC
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})


class Size(NamedTuple):
    """Pixels."""

    width: int
    height: int


def size_of(data: str) -> Size | None:
    """Return the size of a picture given as base64, None where it cannot be read."""
    head = data[:_HEAD]
    try:
        content = base64.b64decode(head[: len(head) // _BASE64_CHARS * _BASE64_CHARS])
    except (binascii.Error, ValueError):
        return None
    size = _read(content)
    return size if size is not None and size.width and size.height else None


def _read(data: bytes) -> Size | None:
    if data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) >= 24:
        return Size(int.from_bytes(data[16:20]), int.from_bytes(data[20:24]))
    if data.startswith((b"GIF87a", b"GIF89a")) and len(data) >= 10:
        return Size(int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little"))
    if data.startswith(b"\xff\xd8"):
        return _jpeg(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP" and len(data) >= 30:
        return _webp(data)
    return None


def _jpeg(data: bytes) -> Size | None:
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        kind = data[at + 1]
        if kind == 0xFF:  # a filling byte
            at += 1
        elif kind in _FRAMES:
            return Size(
                int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
            )
        elif kind in _WITHOUT_LENGTH:
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return None


def _webp(data: bytes) -> Size | None:
    """Read one of WebP's three forms: lossy, lossless, or extended."""
    match data[12:16]:
        case b"VP8 ":
            width, height = data[26:28], data[28:30]
            return Size(
                int.from_bytes(width, "little") & 0x3FFF, int.from_bytes(height, "little") & 0x3FFF
            )
        case b"VP8L":
            bits = int.from_bytes(data[21:25], "little")
            return Size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        case b"VP8X":
            return Size(
                int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
            )
        case _:
            return None
