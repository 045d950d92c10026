"""Streams read slowly and by the letter of their formats, in one piece. Nothing of infway is used.

Server-sent events: WHATWG HTML, section 9.2.6. AWS's event streams are read by its own library.
"""

import re

from botocore.eventstream import EventStreamBuffer

_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\r|\n")

Told = list[tuple[object, bytes]]
"""Of each event what it is called, or its headers, and what it carries."""


def unified(stream: bytes) -> bytes:
    """Return a stream with LF line ends and without its byte order mark."""
    return b"\n".join(_LINE_END.split(stream.removeprefix(_BOM)))


def sent_events(stream: bytes) -> Told:
    """Return the server-sent events; one that no blank line ends never came."""
    told: Told = []
    name, data = b"", list[bytes]()
    *lines, _unfinished = _LINE_END.split(stream.removeprefix(_BOM))
    for line in lines:
        if not line:
            if data:
                told.append((name, b"\n".join(data)))
            name, data = b"", []
            continue
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"event":
            name = value
        elif field == b"data":
            data.append(value)
    return told


def aws_messages(stream: bytes) -> Told:
    """Return the messages of an AWS event stream."""
    buffer = EventStreamBuffer()
    buffer.add_data(stream)
    return [(dict(message.headers), message.payload) for message in buffer]


def lines(stream: bytes) -> list[bytes]:
    """Return the lines that say something; the last may have no end."""
    return [line for line in stream.split(b"\n") if line.strip()]
