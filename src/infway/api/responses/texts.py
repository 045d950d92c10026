"""Events of a response as JSON texts, one message of a WebSocket each."""

from collections.abc import Iterable

import msgspec

from infway.api.errors import Header, error_headers
from infway.api.exchange import ClientLeftError, Send
from infway.kernel.errors import GatewayError
from infway.providers.sse import Frame, frames


class _Named(msgspec.Struct):
    type: str = ""


_read = msgspec.json.Decoder(_Named).decode
_write = msgspec.json.Encoder().encode
# What ends a turn: the next event that a client reads belongs to the next one
_ENDS = frozenset(
    {b"response.completed", b"response.incomplete", b"response.failed", b"error"}
    | {b"response.done", b"response.cancelled"}
)
_DONE = b"[DONE]"
_TOLD = frozenset({b"retry-after", b"x-should-retry", b"x-gateway-attempts"})


class Texts:
    """Sends the events of one turn. `lane`: the name that the client gave it, told in each.

    `headers`: what a stream would have in its head; the first event tells it.
    """

    def __init__(self, send: Send, lane: str | None = None) -> None:
        self._send = send
        self.lane = lane
        self.headers: Iterable[Header] = ()
        self._is_over = False

    async def write(self, data: bytes) -> None:
        """Send frames of a stream up to the one that ends the turn; raises ClientLeftError."""
        for frame in frames(data):
            if not self._is_over and frame.data != _DONE:
                self._is_over = _kind(frame) in _ENDS
                await self._tell(self._marked(frame.data))

    async def refuse(self, error: GatewayError) -> None:
        """Send an error, unless the turn is over; raises ClientLeftError."""
        if not self._is_over:
            self._is_over = True
            await self._tell(self._marked(_error_event(error)))

    def _marked(self, data: bytes) -> bytes:
        """Return an event with what is told beside its own fields."""
        marks: dict[str, object] = {}
        if self.lane is not None:
            marks["stream_id"] = self.lane
        if self.headers:
            marks["headers"] = _texts(self.headers)
            self.headers = ()
        if not marks or not data.startswith(b"{"):
            return data
        return b"%b,%b" % (_write(marks)[:-1], data[1:])

    async def _tell(self, data: bytes) -> None:
        try:
            await self._send({"type": "websocket.send", "text": data.decode()})
        except OSError as error:
            raise ClientLeftError from error


def _kind(frame: Frame) -> bytes:
    """Return the type of an event; its frame may have no name."""
    if frame.event:
        return frame.event
    try:
        return _read(frame.data).type.encode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return b""


def _error_event(error: GatewayError) -> bytes:
    """Return an error as OpenAI's sockets tell it, with what else a refusal has in its headers."""
    headers = [header for header in error_headers(error) if header[0] in _TOLD]
    headers.append((b"x-request-id", (error.request_id or "").encode()))
    said = {
        "type": error.type,
        "code": error.code,
        "message": error.message,
        "param": error.param,
        "headers": _texts(headers),
    }
    return _write({"type": "error", "status": error.status, "error": said})


def _texts(headers: Iterable[Header]) -> dict[str, str]:
    return {name.decode(): value.decode("latin-1") for name, value in headers}
