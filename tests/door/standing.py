"""A door on a free port, with a small app behind it that tells what it was asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.api.serving import served

from infway.api.errors import error_body, error_headers
from infway.door.limits import Limits
from infway.kernel.errors import GatewayError

PARSERS = ("httptools", "h11")
Talk = Callable[[bytes, Any, Any], Awaitable[None]]


@dataclass
class Behind:
    """An ASGI app. `asked`: requests that reached it; `left`: set when a caller is known to be gone."""

    talk: Talk | None = None
    asked: list[dict[str, object]] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    left_at: float = 0.0

    def turn_away(self, error: GatewayError, _: str) -> tuple[list[tuple[bytes, bytes]], bytes]:
        return error_headers(error), error_body(error)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                self._gone()
                return
            body += message["body"]
            if not message["more_body"]:
                break
        told = {
            "method": scope["method"],
            "path": scope["path"],
            "query": scope["query_string"].decode(),
            "headers": [[n.decode("latin-1"), v.decode("latin-1")] for n, v in scope["headers"]],
            "body": body.decode("latin-1"),
        }
        self.asked.append(told)
        if self.talk is None:
            await reply(send, json.dumps(told).encode())
        else:
            await self._watched(receive, self.talk(body, receive, send))

    async def _watched(self, receive: Any, talk: Awaitable[None]) -> None:
        """Talk until it is over or the caller is gone."""
        talking = asyncio.ensure_future(talk)
        leaving = asyncio.ensure_future(receive())
        await asyncio.wait({talking, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not talking.done():
            self._gone()
        for one in (talking, leaving):
            one.cancel()
        await asyncio.gather(talking, leaving, return_exceptions=True)

    def _gone(self) -> None:
        self.left_at = asyncio.get_running_loop().time()
        self.left.set()


async def reply(send: Any, body: bytes) -> None:
    """Send a whole reply."""
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _live(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


@asynccontextmanager
async def standing(
    http: str, limits: Limits | None = None, talk: Talk | None = None
) -> AsyncIterator[tuple[int, Behind]]:
    """Serve on a free port while the block runs."""
    behind = Behind(talk)
    async with served(behind, limits or Limits(), http) as port:  # type: ignore[arg-type]
        yield port, behind


@asynccontextmanager
async def calling(
    port: int, limit: int = 2**16
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a connection for the block; `limit`: bytes that are read ahead."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=limit)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def heard(reader: asyncio.StreamReader) -> bytes:
    """Return all that comes until the other side closes."""
    said = b""
    try:
        while piece := await asyncio.wait_for(reader.read(65536), 20):
            said += piece
    except ConnectionError:
        said += b"(reset)"
    return said
