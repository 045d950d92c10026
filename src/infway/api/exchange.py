"""One HTTP exchange as plain ASGI: its head, its body within limits, its reply."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any

from infway.api.errors import Header
from infway.kernel.errors import CallerError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Scope = MutableMapping[str, Any]


class ClientLeftError(Exception):
    """The client went away before its request was whole: there is nobody to answer."""


class Exchange:
    """A request and the means to answer it. `began`: seconds of the monotonic clock."""

    __slots__ = ("began", "headers", "path", "receive", "request_id", "send", "started")

    def __init__(
        self, scope: Mapping[str, Any], receive: Receive, send: Send, request_id: str, began: float
    ) -> None:
        self.path: str = scope["path"]
        self.headers: Sequence[Header] = scope["headers"]
        self.receive = receive
        self.send = send
        self.request_id = request_id
        self.began = began
        self.started = False

    async def read_json(self, limit: int) -> bytes:
        """Return the body; raises CallerError 413 beyond `limit` bytes and 415 for other types."""
        self._check_type()
        message = await self.receive()
        if message["type"] == "http.disconnect":
            raise ClientLeftError
        body: bytes = message.get("body", b"")
        size = len(body)
        pieces = [body]
        while size <= limit and message.get("more_body", False):
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientLeftError
            pieces.append(message.get("body", b""))
            size += len(pieces[-1])
        if size > limit:
            raise _too_large(limit)
        return b"".join(pieces) if len(pieces) > 1 else body

    def check_size(self, limit: int) -> None:
        """Raise CallerError 413 where the declared length is beyond `limit`."""
        for name, value in self.headers:
            if name == b"content-length" and value.isdigit() and int(value) > limit:
                raise _too_large(limit)

    def _check_type(self) -> None:
        for name, value in self.headers:
            if name == b"content-type":
                kind = value.partition(b";")[0].strip().lower()
                if kind not in (b"", b"application/json") and not kind.endswith(b"+json"):
                    raise CallerError(
                        415, "unsupported_media_type", "Content-Type must be application/json."
                    )
            elif name == b"content-encoding" and value.lower() != b"identity":
                raise CallerError(
                    415, "unsupported_media_type", "A compressed body is not accepted."
                )

    async def start(self, status: int, headers: list[Header]) -> None:
        """Send the head of the reply; the request id goes with every one of them."""
        self.started = True
        headers.append((b"x-request-id", self.request_id.encode()))
        await self.send({"type": "http.response.start", "status": status, "headers": headers})

    async def reply(self, status: int, headers: list[Header], body: bytes) -> None:
        """Send a whole reply."""
        headers.append((b"content-length", b"%d" % len(body)))
        await self.start(status, headers)
        await self.send({"type": "http.response.body", "body": body})


def _too_large(limit: int) -> CallerError:
    return CallerError(413, "payload_too_large", f"The body is larger than {limit} bytes.")
