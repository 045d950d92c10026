"""Both ends of many lines at once: an upstream that notes who left it, and callers that may leave.

Every request has a number in its text, by which the two ends are compared.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from time import perf_counter
from typing import cast

from bench.payloads import MODEL, PATH, replies
from bench.rig import KEY

_NUMBER = re.compile(rb"number-(-?\d+)\.")
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_REPLIES = replies()
_DONE = b"data: [DONE]\n\n"


def numbered(number: int, *, stream: bool) -> bytes:
    """One whole request that says which it is."""
    said = b'"stream":true,' if stream else b""
    body = b'{"model":"%b",%b"messages":[{"role":"user","content":"number-%d."}]}' % (
        MODEL.encode(),
        said,
        number,
    )
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Far:
    """The upstream of a rehearsal. A stream says one frame each `gap` seconds until it is over.

    `asked`: when each request came, by its number. `left`: when its socket was closed before the
    end of its answer. `whole`: the requests whose answers were said to their end. `held`: streams stay as they are while it is set, after their first frames.
    """

    def __init__(self, gap: float) -> None:
        self.gap = gap
        self.asked: dict[int, float] = {}
        self.left: dict[int, float] = {}
        self.whole: set[int] = set()
        self.held = asyncio.Event()
        self.port = 0

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Answer on a free port for the length of the block."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Answering(self), "127.0.0.1", 0, backlog=4096)
        self.port = server.sockets[0].getsockname()[1]
        yield
        server.close()


class _Answering(asyncio.Protocol):
    """One connection of the gateway's; its requests come one after the other."""

    def __init__(self, far: Far) -> None:
        self._far = far
        self._rest = b""
        self._number = -1
        self._frames = 0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is no subclass

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._number >= 0:
            self._far.left[self._number] = perf_counter()

    def data_received(self, data: bytes) -> None:
        self._rest += data
        head, found, body = self._rest.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not found or length is None or len(body) < int(length[1]):
            return
        self._rest = body[int(length[1]) :]
        number = _NUMBER.search(body)
        self._number = -1 if number is None else int(number[1])
        self._far.asked[self._number] = perf_counter()
        if b'"stream":true' in body:
            self._frames = 0
            self._transport.write(_REPLIES.stream_head)
            self._say()
        else:
            self._ended()
            self._transport.write(_REPLIES.whole)

    def _say(self) -> None:
        frames = _REPLIES.frames
        is_held = self._far.held.is_set() and self._frames >= 2
        if not is_held:
            self._transport.write(frames[self._frames])
            self._frames += 1
        if self._frames < len(frames):
            self._timer = asyncio.get_running_loop().call_later(self._far.gap, self._say)
        else:
            self._ended()
            self._transport.write(_REPLIES.stream_end)

    def _ended(self) -> None:
        self._far.whole.add(self._number)
        self._number = -1


class Near(asyncio.Protocol):
    """One caller on a connection of its own. `heard` gets what came, with the time.

    `begun`: the first bytes are here. `over`: nothing more will come. `lost`: the connection was
    reset or refused.
    """

    def __init__(self, request: bytes, heard: Callable[[bytes], None] | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.begun: asyncio.Future[None] = loop.create_future()
        self.over: asyncio.Future[None] = loop.create_future()
        self.lost = False
        self.head = b""
        self.tail = b""
        self.has_error = False
        self._request = request
        self._heard = heard

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self.head:
            self.head = data[:200]
        self.has_error = self.has_error or b'"error"' in self.tail[-16:] + data
        self.tail = (self.tail + data)[-300:]
        if self._heard is not None:
            self._heard(data)
        if not self.begun.done():
            self.begun.set_result(None)
        if self.is_ended:
            self._end()

    @property
    def is_ended(self) -> bool:
        """Whether the answer came to its end: its last chunk, or all of its length."""
        return self.tail.endswith((b"0\r\n\r\n", b"}"))

    @property
    def is_whole(self) -> bool:
        """Whether a stream was ended as it should be, and without an error."""
        return _DONE in self.tail and not self.has_error

    @property
    def is_told(self) -> bool:
        """Whether a stream ended with an error, said in its own dialect."""
        return _DONE in self.tail and self.has_error

    def leave(self) -> None:
        """Hang up."""
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = exc is not None or not self.tail
        self._end()

    def _end(self) -> None:
        for waiting in (self.begun, self.over):
            if not waiting.done():
                waiting.set_result(None)


async def call(port: int, request: bytes, heard: Callable[[bytes], None] | None = None) -> Near:
    """Open a connection and send a request on it."""
    loop = asyncio.get_running_loop()
    near = Near(request, heard)
    try:
        await loop.create_connection(lambda: near, "127.0.0.1", port)
    except OSError:
        near.connection_lost(ConnectionRefusedError())
    return near
