"""One HTTP exchange as plain ASGI: its head, its body within limits, its reply."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any

from infway.api.errors import Header
from infway.kernel.errors import CallerError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Scope = MutableMapping[str, Any]
ID_HEADERS: tuple[bytes, ...] = (b"x-request-id",)
FORM = b"multipart/form-data"


class ClientLeftError(Exception):
    """The client went away before its request was whole: there is nobody to answer."""


class Exchange:
    """A request and the means to answer it. `began`: seconds of the monotonic clock.

    `id_headers`: the headers in which its clients look for the request's id.
    """

    __slots__ = (
        "began",
        "headers",
        "id_headers",
        "path",
        "query",
        "receive",
        "request_id",
        "send",
        "started",
    )

    def __init__(
        self, scope: Mapping[str, Any], receive: Receive, send: Send, request_id: str, began: float
    ) -> None:
        self.path: str = scope["path"]
        self.query: bytes = scope.get("query_string", b"")
        self.headers: Sequence[Header] = scope["headers"]
        self.receive = receive
        self.send = send
        self.request_id = request_id
        self.began = began
        self.started = False
        self.id_headers = ID_HEADERS

    async def read_json(
        self, limit: int, *, form: bool = False, takes: str = "application/json"
    ) -> bytes:
        """Return the body; raises CallerError 413 beyond `limit` bytes and 415 for other types.

        `form`: it is a form with files and no JSON. `takes`: all types that would do.
        """
        self._check_type(takes, form=form)
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

    def kind(self) -> bytes:
        """Return the content type, empty where none is said."""
        return next((value for name, value in self.headers if name == b"content-type"), b"")

    def _check_type(self, takes: str, *, form: bool) -> None:
        for name, value in self.headers:
            if name == b"content-type":
                kind = value.partition(b";")[0].strip().lower()
                is_json = kind in (b"", b"application/json") or kind.endswith(b"+json")
                if kind != FORM if form else not is_json:
                    message = f"Content-Type must be {takes}."
                    raise CallerError(415, "unsupported_media_type", message)
            elif name == b"content-encoding" and value.lower() != b"identity":
                raise CallerError(
                    415, "unsupported_media_type", "A compressed body is not accepted."
                )

    async def start(self, status: int, headers: list[Header]) -> None:
        """Send the head of the reply; the request id goes with every one of them."""
        self.started = True
        headers += [(name, self.request_id.encode()) for name in self.id_headers]
        await self.send({"type": "http.response.start", "status": status, "headers": headers})

    async def reply(self, status: int, headers: list[Header], body: bytes) -> None:
        """Send a whole reply."""
        headers.append((b"content-length", b"%d" % len(body)))
        await self.start(status, headers)
        await self.send({"type": "http.response.body", "body": body})


def _too_large(limit: int) -> CallerError:
    return CallerError(413, "payload_too_large", f"The body is larger than {limit} bytes.")
