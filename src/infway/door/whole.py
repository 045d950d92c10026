"""A whole reply in one piece: what ASGI says in two messages, at a third of the server's time."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

Headers = Sequence[tuple[bytes, bytes]]
CLOSE = (b"connection", b"close")
_LARGE = 64 * 1024  # bytes of a body that is not copied behind its head
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_STATUS_LINES = {
    status: f"HTTP/1.1 {status} {_PHRASES.get(status, '')}\r\n".encode()
    for status in range(100, 600)
}


def head_of(status: int, *headers: tuple[bytes, bytes]) -> bytes:
    """Return the head of a reply; raises ValueError where a header would end before its end."""
    lines = b"\r\n".join(map(b": ".join, headers))
    ends = len(headers) - 1
    if lines.count(b"\r") != ends or lines.count(b"\n") != ends or b"\0" in lines:
        raise ValueError("a header holds the end of a line")
    return _STATUS_LINES[status] + lines + b"\r\n\r\n"


def write_whole(send: Any, status: int, headers: Headers, body: bytes) -> bool:
    """Write a reply to the request whose `send` this is, a method of uvicorn's; end it as that does.

    False where nothing was written: it is begun or the caller has gone, reads slowly, asked for no
    body, or is to be told that the connection ends.
    """
    cycle = send.__self__
    if (
        cycle.response_started
        or cycle.disconnected
        or not cycle.keep_alive
        or cycle.flow.write_paused
        or CLOSE in cycle.default_headers
        or cycle.scope["method"] == "HEAD"
    ):
        return False
    data = head_of(status, *cycle.default_headers, *headers)
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    if len(body) < _LARGE:
        cycle.transport.write(data + body)
    else:
        cycle.transport.write(data)
        cycle.transport.write(body)
    cycle.message_event.set()
    cycle.on_response()
    return True
