"""More of what the wall plays: upstreams that attack who reads them. None of these ends by itself."""

import zlib
from collections.abc import Awaitable, Callable

from tests.wall.answer import event, words
from tests.wall.line import Socket
from tests.wall.plays import EVENTS, PLAYS, Script

_LINE = b"a" * 16_384
_HUGE = 64 * 2**20  # bytes of what is packed into some 64 KiB


def bomb(before: bytes = b"") -> bytes:
    """Return these bytes packed, and what unpacks to 64 MiB behind them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = [packer.compress(before), packer.flush(zlib.Z_SYNC_FLUSH)]
    packed += [packer.compress(b"\n" * 2**20) for _ in range(_HUGE // 2**20)]
    return b"".join([*packed, packer.flush()])


async def _packed(one: Socket, script: Script) -> None:
    """Send `@n` words of a stream, packed, and a bomb behind them."""
    await one.head(200, EVENTS, "transfer-encoding: chunked", "content-encoding: gzip")
    await one.chunk(bomb(b"".join(words(script.number))))
    await one.forever()


async def _packed_error(one: Socket, script: Script) -> None:
    """Refuse with the status `@n`, and a body that is a bomb."""
    await one.whole(bomb(), script.number, "application/json", "content-encoding: gzip")


def _flood(piece: bytes, first: bytes = b"") -> Callable[[Socket, Script], Awaitable[None]]:
    """Send `@n` words of a stream (none), `first`, and then the same over and over."""

    async def play(one: Socket, script: Script) -> None:
        await one.head(200, EVENTS, "transfer-encoding: chunked")
        for frame in words(script.number) if script.number > 0 else []:
            await one.chunk(frame)
        await one.chunk(first + piece)
        while True:
            await one.chunk(piece)

    return play


async def _heads(one: Socket, script: Script) -> None:
    """Send header lines without end, `@n` bytes long each."""
    await one.write(b"HTTP/1.1 200 OK\r\n")
    line = b"x-a: " + b"a" * script.number + b"\r\n"
    while True:
        await one.write(line * max(1, 4096 // len(line)))


async def _elsewhere(one: Socket, script: Script) -> None:
    """Send the caller elsewhere with the status `@n`: to the port `to`."""
    where = f"location: http://127.0.0.1:{script.keys['to']}/v1/chat/completions"
    body = b"<a href='/elsewhere'>moved</a>"
    await one.whole(body, script.number, "text/html", where, "set-cookie: a=b")


PLAYS |= {
    "packed": _packed,
    "packed-error": _packed_error,
    "flood-line": _flood(_LINE, b"data: "),  # one line
    "flood-lines": _flood(b"data: a\n" * 1024),  # one event
    "flood-comments": _flood(b": ping\n\n" * 1024),
    "flood-names": _flood(b"event: a\n" * 1024),
    "flood-nothing": _flood(event({"id": "x", "object": "chat.completion.chunk", "choices": []})),
    "flood-head": _heads,
    "elsewhere": _elsewhere,
}
