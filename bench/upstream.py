"""The mock upstream: the cheapest HTTP/1.1 server Python can give, so that it is never the limit.

`python -m bench.upstream BURST PACED SILENT OTHER VECTORS` listens on five ports. The first three
differ only in how an SSE reply is paced; the fourth speaks Anthropic's dialect, paced. Every other
request is answered with the JSON completion, at the last port with vectors.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import cast

import httptools
import uvloop

from bench.payloads import Replies, other_replies, replies, vector_replies

GAP_S = 0.002
"""Pause between two frames of the paced port: the yardstick's 2 ms."""

Pace = Callable[[], Coroutine[object, object, None]]
"""What is awaited after each frame."""


async def burst() -> None:
    """Frames back to back, each in its own write."""
    await asyncio.sleep(0)


async def paced() -> None:
    """A frame every `GAP_S`."""
    await asyncio.sleep(GAP_S)


async def silent() -> None:
    """One frame, then nothing until the other side goes."""
    await asyncio.Event().wait()


class Conversation(asyncio.Protocol):
    """One connection; requests are answered one after the other."""

    def __init__(self, answers: Replies, pace: Pace) -> None:
        self._answers = answers
        self._pace = pace
        self._parser = httptools.HttpRequestParser(self)
        self._body = bytearray()
        self._streaming: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is no subclass

    def connection_lost(self, exc: Exception | None) -> None:
        if self._streaming is not None:
            self._streaming.cancel()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._body.clear()

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        if b'"stream":true' in self._body or b'"stream": true' in self._body:
            self._streaming = asyncio.get_running_loop().create_task(self._stream())
        else:
            self._transport.write(self._answers.whole)

    async def _stream(self) -> None:
        self._transport.write(self._answers.stream_head)
        role, *frames = self._answers.frames
        self._transport.write(role)  # says nothing yet: a stream begins with its first token
        for frame in frames:
            self._transport.write(frame)
            await self._pace()
        self._transport.write(self._answers.stream_end)


async def serve(ports: dict[int, tuple[Replies, Pace]]) -> None:
    """Listens until the process is stopped."""
    loop = asyncio.get_running_loop()
    for port, (answers, pace) in ports.items():
        await loop.create_server(
            lambda answers=answers, pace=pace: Conversation(answers, pace),  # type: ignore[misc]  # mypy cannot infer a lambda's default
            "127.0.0.1",
            port,
            backlog=4096,
        )
    await asyncio.Event().wait()


if __name__ == "__main__":
    ours, theirs = replies(), other_replies()
    kinds = ((ours, burst), (ours, paced), (ours, silent), (theirs, paced))
    listening = (*kinds, (vector_replies(), burst))
    uvloop.run(serve(dict(zip(map(int, sys.argv[1:6]), listening, strict=True))))
