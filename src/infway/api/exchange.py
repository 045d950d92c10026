"""One HTTP exchange as plain ASGI: its head, its body within limits, its reply."""

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any

from infway.api.bulk import LONG, read_beside
from infway.api.errors import Header
from infway.api.gate import check_shape
from infway.api.guesses import Client
from infway.kernel.errors import CallerError
from infway.kernel.outlet import WHOLE, WriteWhole
from infway.pipeline.admit import Visit

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Scope = MutableMapping[str, Any]
ID_HEADERS: tuple[bytes, ...] = (b"x-request-id",)
FORM = b"multipart/form-data"
_KINDS = frozenset({b"content-type", b"content-encoding"})
_CALLERS_IDS = frozenset({b"x-request-id", b"x-client-request-id"})
_ONCE = b"idempotency-key"
_NOTED = _CALLERS_IDS | {b"content-length", _ONCE}
_OPAQUE = re.compile(rb"[ -~]{1,1024}")  # what is said back
_NO_STATE: Mapping[str, object] = {}


class ClientLeftError(Exception):
    """The client went away before its request was whole: there is nobody to answer."""


class Exchange:
    """A request and the means to answer it. `began`: seconds of the monotonic clock.

    `id_headers`: the headers in which its clients look for the request's id. `state`: what the
    server says of it. `length`: bytes of the body, as declared; 0 where nothing is.
    `visit`: what its key's limits say to it, None where there are none.
    `once`: what its caller calls a request by that may be delivered twice, empty where nothing is.
    `client`: who asks, as the server has it.
    `callers_id`: the caller's own name for the request, said back and used for nothing.
    `whole`: what writes a whole reply at once, past `send`; None where there is no such thing.
    """

    __slots__ = (
        "began",
        "callers_id",
        "client",
        "headers",
        "id_headers",
        "length",
        "once",
        "path",
        "query",
        "receive",
        "request_id",
        "send",
        "started",
        "state",
        "visit",
        "whole",
    )

    def __init__(
        self, scope: Mapping[str, Any], receive: Receive, send: Send, request_id: str, began: float
    ) -> None:
        self.path: str = scope["path"]
        self.state: Mapping[str, object] = scope.get("state", _NO_STATE)
        self.client: Client = scope.get("client")
        self.query: bytes = scope.get("query_string", b"")
        self.headers: Sequence[Header] = scope["headers"]
        self.length = 0
        self.callers_id = b""
        self.once = b""
        for name, value in self.headers:
            if name not in _NOTED:
                continue
            if name in _CALLERS_IDS:
                if _OPAQUE.fullmatch(value):
                    self.callers_id = value
            elif name == _ONCE:
                self.once = value or b" "
            elif value.isdigit():
                self.length = int(value)
        self.receive = receive
        self.send = send
        extensions = scope.get("extensions")
        self.whole: WriteWhole | None = extensions and extensions.get(WHOLE)
        self.request_id = request_id
        self.began = began
        self.started = False
        self.visit: Visit | None = None
        self.id_headers = ID_HEADERS

    async def read_json(
        self, limit: int, *, form: bool = False, takes: str = "application/json"
    ) -> bytes:
        """Return the body; raises CallerError: 413 beyond `limit` bytes, 415 for other types, 400.

        `form`: it is a form with files and no JSON. `takes`: all types that would do.
        """
        for name, value in self.headers:
            if name in _KINDS and (form or value != b"application/json"):
                _check_kind(name, value, takes, form=form)
        message = await self.receive()
        if message["type"] == "http.disconnect":
            raise ClientLeftError
        body: bytes = message.get("body", b"")
        if message.get("more_body", False):
            body = await self._gather(body, limit)
        if len(body) > limit:
            raise too_large(limit)
        if form:
            return body
        if len(body) < LONG:
            check_shape(body)
        else:
            await read_beside(body, lambda: check_shape(body))
        return body

    async def read_ahead(self, limit: int) -> bytes:
        """Return the body as it is, which can be read once more; raises as `read_json` does."""
        self.check_size(limit)
        body = await self._gather(b"", limit)
        if len(body) > limit:
            raise too_large(limit)
        receive, whole = self.receive, [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Message:
            return whole.pop() if whole else await receive()

        self.receive = again
        return body

    async def _gather(self, body: bytes, limit: int) -> bytes:
        """Return a body that comes in pieces, whole or as soon as it is beyond `limit` bytes."""
        pieces, size, goes_on = [body], len(body), True
        while goes_on and size <= limit:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientLeftError
            pieces.append(message.get("body", b""))
            size += len(pieces[-1])
            goes_on = message.get("more_body", False)
        return b"".join(pieces)

    def check_size(self, limit: int) -> None:
        """Raise CallerError 413 where the declared length is beyond `limit`."""
        if self.length > limit:
            raise too_large(limit)

    def kind(self) -> bytes:
        """Return the content type, empty where none is said."""
        return next((value for name, value in self.headers if name == b"content-type"), b"")

    def watch(self, receive: Receive, send: Send) -> None:
        """Have all that comes and goes pass by these."""
        self.receive, self.send, self.whole = receive, send, None

    async def start(self, status: int, headers: list[Header]) -> None:
        """Send the head of the reply; the request id goes with every one of them."""
        self._complete(headers)
        await self.send({"type": "http.response.start", "status": status, "headers": headers})

    def _complete(self, headers: list[Header]) -> None:
        self.started = True
        request_id = self.request_id.encode()
        headers += [(name, request_id) for name in self.id_headers]
        if self.callers_id:
            headers.append((b"x-client-request-id", self.callers_id))
        if self.visit is not None:
            headers += self.visit.headers()

    async def reply(self, status: int, headers: list[Header], body: bytes) -> None:
        """Send a whole reply."""
        headers.append((b"content-length", b"%d" % len(body)))
        self._complete(headers)
        if self.whole is None or not self.whole(self.send, status, headers, body):
            await self.send({"type": "http.response.start", "status": status, "headers": headers})
            await self.send({"type": "http.response.body", "body": body})


def too_large(limit: int) -> CallerError:
    """Return the error of a body beyond `limit` bytes."""
    return CallerError(413, "payload_too_large", f"The body is larger than {limit} bytes.")


def _check_kind(name: bytes, value: bytes, takes: str, *, form: bool) -> None:
    """Raise CallerError where a body is of another type, or compressed."""
    if name == b"content-encoding":
        if value.lower() != b"identity":
            raise CallerError(415, "unsupported_media_type", "A compressed body is not accepted.")
        return
    kind = value.partition(b";")[0].strip().lower()
    is_json = kind in (b"", b"application/json") or kind.endswith(b"+json")
    if kind != FORM if form else not is_json:
        raise CallerError(415, "unsupported_media_type", f"Content-Type must be {takes}.")
