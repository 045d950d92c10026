"""Streams of all kinds to their events, read slowly and plainly."""

import contextlib
import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

Json = dict[str, Any]


class Event(NamedTuple):
    """A server-sent event."""

    name: str
    data: str


def events(text: str) -> Iterator[Event]:
    """Yield the events of an SSE stream; one that has no blank line after it never came."""
    name, lines = "", []
    for line in text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if line:
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "event":
                name = value
            elif field == "data":
                lines.append(value)
            continue
        if lines:
            yield Event(name, "\n".join(lines))
        name, lines = "", []


def objects(text: str) -> Iterator[Json]:
    """Yield the JSON objects of an SSE stream up to its `[DONE]`."""
    for event in events(text):
        if event.data.strip() == "[DONE]":
            return
        if event.data.strip():
            yield json.loads(event.data)


def is_done(text: str) -> bool:
    """Tell whether an SSE stream has the sentinel."""
    return any(event.data.strip() == "[DONE]" for event in events(text))


def lines(text: str) -> Iterator[Json]:
    """Yield the objects of newline-delimited JSON; a last line that was cut off never came."""
    whole, _, rest = text.rpartition("\n")
    for line in whole.split("\n"):
        if line.strip():
            yield json.loads(line)
    if rest.strip().endswith("}"):
        with contextlib.suppress(ValueError):
            yield json.loads(rest)


class Frame(NamedTuple):
    """A message of an AWS event stream."""

    headers: dict[str, str]
    payload: bytes


def aws_frames(body: bytes) -> Iterator[Frame]:
    """Yield the messages of application/vnd.amazon.eventstream; both checksums must be right.

    total length, length of the headers, checksum of these, headers, payload, checksum of all. One
    that was cut off never came.
    """
    place = 0
    while place + 12 <= len(body):
        total, head, check = struct.unpack_from(">III", body, place)
        assert zlib.crc32(body[place : place + 8]) == check
        if place + total > len(body):
            return
        message = body[place : place + total]
        assert zlib.crc32(message[:-4]) == struct.unpack(">I", message[-4:])[0]
        yield Frame(dict(_headers(message[12 : 12 + head])), message[12 + head : -4])
        place += total


def _headers(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield the headers, all of them strings (type 7) in what the vendors send."""
    place = 0
    while place < len(data):
        size = data[place]
        name = data[place + 1 : place + 1 + size].decode()
        place += 1 + size
        kind, length = struct.unpack_from(">BH", data, place)
        assert kind == 7
        yield name, data[place + 3 : place + 3 + length].decode()
        place += 3 + length
