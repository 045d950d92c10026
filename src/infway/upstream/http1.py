"""HTTP/1.1 to an upstream over one connection: as little as POST requests need, on httptools.

aiohttp, the best of the libraries tried, costs 56 us of CPU a request; this costs a third of it.
No redirects, no cookies, no decompression: a gateway wants none of them.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, MutableSequence
from typing import NoReturn, cast

import httptools

from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Failure, Fault

MAX_HEAD = 64 * 1024  # bytes of a reply's status line and headers; reliability C2
MAX_BODY = 32 * 1024 * 1024  # bytes of a whole reply; reliability row 20
DRAIN = 1.0  # seconds given to a finished stream to end its connection cleanly
HIGH_WATER = 256 * 1024  # bytes read ahead of the reader before the socket is held back
_NOWHERE: deque[tuple[bytes, bytes]] = deque(maxlen=0)  # where trailers go: nobody asks for them


class Incoming:
    """One reply as it arrives. `status` is 0 until its head is there."""

    __slots__ = ("_size", "_waiter", "body", "complete", "connection", "fault", "headers", "status")

    def __init__(self, connection: "Connection") -> None:
        self.connection = connection
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body: list[bytes] = []
        self.complete = False
        self.fault: Fault | None = None
        self._size = 0
        self._waiter: asyncio.Future[None] | None = None

    def add(self, data: bytes) -> bool:
        """Keep a piece of the body; tell whether so much waits that the socket should."""
        self.body.append(data)
        self._size += len(data)
        return self._size > HIGH_WATER

    def take(self) -> bytes:
        """Return what has arrived and was not taken yet."""
        body = self.body
        data = body[0] if len(body) == 1 else b"".join(body)
        self.body = []
        self._size = 0
        return data

    def wake(self) -> None:
        """Let the reader look again."""
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def changed(self) -> None:
        """Wait until something arrives, or nothing more will."""
        self._waiter = self.connection.loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None


class Connection(asyncio.Protocol):
    """One connection, one reply at a time.

    `released` is told when a reply is complete and the connection may carry another request.
    `_head_size`: bytes since the request, or since there was any of the body.
    `is_held`: nothing is read from the socket until there is room.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, released: Callable[["Connection"], None]
    ) -> None:
        self.loop = loop
        self.idle_since = 0.0
        self.is_used = False
        self.is_held = False
        self._released = released
        self._transport: asyncio.Transport | None = None
        self._reply: Incoming | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._head: MutableSequence[tuple[bytes, bytes]] = _NOWHERE
        self._head_size = 0
        self._until_close = False

    @property
    def is_open(self) -> bool:
        """Whether a request can be sent on it."""
        return self._transport is not None and not self._transport.is_closing()

    @property
    def has_begun(self) -> bool:
        """Whether any byte of the reply has come."""
        return self._head_size > 0

    def post(self, request: bytes) -> Incoming:
        """Send a whole request and return its reply to be."""
        reply = self._reply = Incoming(self)
        self._parser = httptools.HttpResponseParser(self)
        self._head_size = 0
        self._until_close = False
        if self._transport is None:
            reply.fault = Fault.RESET_BEFORE_HEADERS
        else:
            self._transport.write(request)
        return reply

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        if self._transport is not None:
            self._transport.abort()

    def hold(self, *, back: bool) -> None:
        """Stop reading from the socket, or go on."""
        transport = self._transport
        if transport is None or transport.is_closing() or transport.is_reading() is not back:
            return
        self.is_held = back
        if back:
            transport.pause_reading()
        else:
            transport.resume_reading()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class

    def data_received(self, data: bytes) -> None:
        """Parse what came; bytes that nobody asked for end the connection."""
        reply, parser = self._reply, self._parser
        if reply is None or parser is None:
            self.abort()
            return
        self._head_size += len(data)
        pieces = len(reply.body)
        try:
            parser.feed_data(data)
        except httptools.HttpParserError:
            self._fail(Fault.INVALID_JSON if reply.status == 0 else Fault.TRUNCATED_BODY)
            reply.wake()  # it may have ended before: what is longer than it said is not used again
            return
        if len(reply.body) > pieces:
            self._head_size = 1
        elif self._head_size > MAX_HEAD:  # of a head, of several, or of trailers
            self._fail(Fault.TOO_LARGE)
            return
        reply.wake()

    def eof_received(self) -> None:
        """Let the transport close itself."""

    def connection_lost(self, exc: Exception | None) -> None:
        """End the reply: whole only where its end is the connection's, cut otherwise."""
        reply = self._reply
        self._transport = self._parser = self._reply = None
        if reply is None or reply.complete:
            return
        if exc is None and self._until_close and reply.status:
            self._complete(reply)
        elif reply.fault is None:
            reply.fault = Fault.TRUNCATED_BODY if reply.status else Fault.RESET_BEFORE_HEADERS
        reply.wake()

    # httptools' callbacks

    def on_message_begin(self) -> None:
        """Start a head; there may be several, since 1xx replies come before the real one."""
        self._head = []
        if self._reply is None:  # a second reply to one request: what follows would be mistaken
            self.abort()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep one header."""
        self._head.append((name, value))

    def on_headers_complete(self) -> None:
        """Give the reply its head, unless it is a 1xx one."""
        reply, parser = self._reply, self._parser
        if reply is None or parser is None:
            return
        status = parser.get_status_code()
        if status < 200:
            return
        if self._head_size > MAX_HEAD < sum(len(name) + len(value) for name, value in self._head):
            self._fail(Fault.TOO_LARGE)
            return
        reply.headers = _headers(self._head)
        self._head = _NOWHERE
        self._until_close = not (
            "content-length" in reply.headers or "transfer-encoding" in reply.headers
        )
        reply.status = status

    def on_body(self, data: bytes) -> None:
        """Keep a piece of the body."""
        if self._reply is not None and self._reply.add(data):
            self.hold(back=True)

    def on_message_complete(self) -> None:
        """End the reply and free the connection."""
        reply = self._reply
        if reply is not None and reply.status:
            self._complete(reply)

    def _complete(self, reply: Incoming) -> None:
        reply.complete = True
        keep = self._parser is not None and self._parser.should_keep_alive()
        self._reply = self._parser = None
        self.is_used = True
        if self.is_held:
            self.hold(back=False)
        transport = self._transport
        if keep and not self._until_close and transport is not None and not transport.is_closing():
            self._released(self)
        else:
            self.abort()

    def _fail(self, fault: Fault) -> None:
        reply, self._reply = self._reply, None
        self._parser = None  # it holds this object too, and so a head that may be large
        self._head = _NOWHERE
        self.abort()
        if reply is not None:
            reply.fault = fault
            reply.wake()


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in raw:
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


class Reply:
    """A reply from the network whose head has come."""

    __slots__ = ("_incoming", "headers", "status")

    def __init__(self, incoming: Incoming) -> None:
        self._incoming = incoming
        self.status = incoming.status
        self.headers: Mapping[str, str] = incoming.headers

    async def read(self, limit: int = MAX_BODY) -> bytes:
        """Return the whole body; raises UpstreamFailed where it is cut or beyond `limit` bytes."""
        incoming = self._incoming
        pieces: list[bytes] = []
        size = 0
        if not incoming.complete and int(self.headers.get("content-length", 0)) > limit:
            self._refuse()
        while not incoming.complete or incoming.body:
            piece = await self.read_some()
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                self._refuse()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def read_some(self) -> bytes:
        """Return what has come, empty at the end; raises UpstreamFailed where the body is cut."""
        incoming = self._incoming
        while not incoming.body:
            if incoming.complete:
                return b""
            if incoming.fault is not None:
                raise UpstreamFailed(Failure(incoming.fault, self.status))
            await incoming.changed()
        data = incoming.take()
        if incoming.connection.is_held and not incoming.complete:
            incoming.connection.hold(back=False)
        return data

    async def finish(self, patience: float = DRAIN) -> None:
        """Wait `patience` seconds for the end of a body that said all it had to say."""
        try:
            async with asyncio.timeout(patience):
                while not self._incoming.complete:
                    await self.read_some()
        except (TimeoutError, UpstreamFailed):
            self.close()

    def _refuse(self) -> NoReturn:
        self.close()
        raise UpstreamFailed(Failure(Fault.TOO_LARGE, self.status))

    def close(self) -> None:
        """Drop the connection unless the body was read to its end."""
        if not self._incoming.complete:
            self._incoming.connection.abort()
