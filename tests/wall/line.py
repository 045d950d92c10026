"""The wall's sockets: requests are taken in, and written answers go out as told."""

import asyncio
import contextlib
import json
import socket
import struct
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

_REASONS = {200: "OK", 302: "Found", 429: "Too Many Requests"}


@dataclass(eq=False)
class Attempt:
    """One request that reached the wall. Times are seconds of the loop's clock."""

    connection: int  # the number of its socket, from 1; equal for requests on one socket
    path: str
    headers: list[tuple[str, str]]  # names in lower case, in order
    body: bytes
    began: float
    fault: str = ""
    sent: int = 0  # bytes given to the socket for it
    closed_at: float | None = None
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def json(self) -> dict[str, object]:
        return json.loads(self.body)

    @property
    def stream(self) -> bool:
        return bool(self.json.get("stream"))

    async def closes_within(self, seconds: float) -> bool:
        """Tell whether its socket goes so soon, where the machine itself is on time.

        Counted in turns of ten milliseconds: a halt of the whole machine is one of them.
        """
        for _ in range(round(seconds * 100)):
            if self.closed.is_set():
                break
            await asyncio.sleep(0.01)
        return self.closed.is_set()


class Wall:
    """What a test sees."""

    def __init__(self, play: Callable[["Socket", str], Awaitable[None]]) -> None:
        self.play = play
        self.attempts: list[Attempt] = []
        self.connections = 0
        self.port = 0
        self.open: set[Socket] = set()
        self._played: Counter[str] = Counter()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def script(self, model: str) -> str:
        scripts = model.split("|")
        turn = min(self._played[model], len(scripts) - 1)
        self._played[model] += 1
        return scripts[turn]


class Socket(asyncio.Protocol):
    """One accepted connection; requests on it are answered one after the other."""

    def __init__(self, up: Wall) -> None:
        self._up = up
        self._rest = b""
        self._task: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self.attempt: Attempt | None = None
        self.lost = asyncio.Event()
        self.requests = 0
        self._mine: list[Attempt] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._up.connections += 1
        self.number = self._up.connections
        self._up.open.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._up.open.discard(self)
        self.lost.set()
        self._writable.set()
        if self._task is not None:
            self._task.cancel()
        for attempt in self._mine:
            if not attempt.closed.is_set():
                attempt.closed_at = asyncio.get_running_loop().time()
                attempt.closed.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        self._rest += data
        head, found, rest = self._rest.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = [(n.lower(), v.strip()) for n, _, v in (x.partition(":") for x in lines[1:])]
        length = int(dict(headers).get("content-length", 0))
        if not found or len(rest) < length:
            return
        self._rest = rest[length:]
        now = asyncio.get_running_loop().time()
        path = lines[0].split(" ")[1]
        self.attempt = Attempt(self.number, path, headers, rest[:length], now)
        self._up.attempts.append(self.attempt)
        self._mine.append(self.attempt)
        self.requests += 1
        self._task = asyncio.create_task(self._answer(self.attempt))

    async def _answer(self, attempt: Attempt) -> None:
        model = str(attempt.json.get("model", "")) if attempt.body else ""
        with contextlib.suppress(ConnectionError):
            await self._up.play(self, self._up.script(model))

    async def write(self, data: bytes) -> None:
        if self.lost.is_set() or self.transport.is_closing():
            raise ConnectionResetError
        assert self.attempt is not None
        self.attempt.sent += len(data)
        self.transport.write(data)
        await self._writable.wait()

    async def head(self, status: int, kind: str, *more: str) -> None:
        lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'X')}", f"content-type: {kind}", *more]
        await self.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    async def whole(
        self, body: bytes, status: int = 200, kind: str = "application/json", *more: str
    ) -> None:
        await self.head(status, kind, f"content-length: {len(body)}", *more)
        await self.write(body)

    async def chunk(self, data: bytes) -> None:
        await self.write(b"%x\r\n%s\r\n" % (len(data), data))

    async def last_chunk(self) -> None:
        await self.write(b"0\r\n\r\n")

    async def forever(self) -> None:
        await self.lost.wait()

    def end(self) -> None:
        """Send FIN after what was written."""
        self.transport.close()

    async def reset(self) -> None:
        """Send RST once everything written is with the kernel."""
        self.transport.set_write_buffer_limits(0)
        await self._writable.wait()
        raw = self.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def abort(self) -> None:
        self.transport.abort()
