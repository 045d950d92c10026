"""AWS event streams as tests say them, packed by hand."""

import json
import struct
from collections.abc import Mapping
from zlib import crc32

NUMBERS = {2: ">b", 3: ">h", 4: ">i", 5: ">q", 8: ">q"}


def header(name: str, kind: int, value: object) -> bytes:
    """One header, its value packed as the kind says."""
    packed = name.encode()
    start = bytes([len(packed)]) + packed + bytes([kind])
    if kind in NUMBERS:
        return start + struct.pack(NUMBERS[kind], value)
    if kind in (6, 7):
        raw = value.encode() if isinstance(value, str) else bytes(value)
        return start + struct.pack(">H", len(raw)) + raw
    return start + (bytes(value) if kind == 9 else b"")


def message(headers: bytes, payload: bytes) -> bytes:
    """One message around a block of headers."""
    prelude = struct.pack(">II", len(headers) + len(payload) + 16, len(headers))
    head = prelude + struct.pack(">I", crc32(prelude)) + headers + payload
    return head + struct.pack(">I", crc32(head))


def event(name: str, said: Mapping[str, object] | bytes, kind: str = "event") -> bytes:
    """One message of Bedrock: an event or an exception."""
    payload = said if isinstance(said, bytes) else json.dumps(said).encode()
    headers = {f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind}
    block = b"".join(header(key, 7, value) for key, value in headers.items())
    return message(block, payload)
