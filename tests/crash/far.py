"""The upstream: it knows of every request how much of the answer it sent."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from infway.kernel.clock import system_clock

PROMPT = 7  # tokens of every prompt, as the upstream counts them
GAP = 0.01  # seconds between two tokens
_now = system_clock().wall
_NUMBER = re.compile(rb"number-(\d+)\.")
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass(slots=True)
class Sent:
    """One request as it came: `at` in Unix seconds, `tokens` sent, `whole`: to the end."""

    number: int
    at: float
    tokens: int = 0
    whole: bool = False


def is_stream(number: int) -> bool:
    """Whether an answer comes in pieces: one in five, which is most of those under way at any time."""
    return number % 5 == 1


def tokens_of(number: int) -> int:
    """How long an answer is: most streams take a second, some ten."""
    return 1000 if number % 100 == 1 else 20 + number * 7 % 100


def _frame(delta: object, finish: str | None = None, usage: object = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    said = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    body = {**said, "choices": [choice], **({"usage": usage} if usage else {})}
    data = b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(data), data)


def _usage(tokens: int) -> object:
    total = PROMPT + tokens
    return {"prompt_tokens": PROMPT, "completion_tokens": tokens, "total_tokens": total}


_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_ROLE, _WORD = _frame({"role": "assistant", "content": ""}), _frame({"content": "w "})
_END = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"


class Answering(asyncio.Protocol):
    """One connection of the gateway's."""

    def __init__(self, sent: list[Sent]) -> None:
        self._sent = sent
        self._rest = b""
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, _: Exception | None) -> None:
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        self._rest += data
        head, found, body = self._rest.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not found or length is None or len(body) < int(length[1]):
            return
        self._rest = body[int(length[1]) :]
        number = _NUMBER.search(body)
        assert number is not None
        sent = Sent(int(number[1]), _now())
        self._sent.append(sent)
        answer = self._stream if is_stream(sent.number) else self._whole
        self._task = asyncio.create_task(answer(sent))

    async def _whole(self, sent: Sent) -> None:
        await asyncio.sleep(sent.number % 50 / 1000)
        tokens = tokens_of(sent.number)
        choice = {"index": 0, "message": {"role": "assistant", "content": "w " * tokens}}
        said = {"id": "x", "object": "chat.completion", "created": 1, "model": "m"}
        choices = [{**choice, "finish_reason": "stop"}]
        body = json.dumps({**said, "choices": choices, "usage": _usage(tokens)}).encode()
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        sent.tokens, sent.whole = tokens, True
        self._transport.write(head % len(body) + body)

    async def _stream(self, sent: Sent) -> None:
        tokens = tokens_of(sent.number)
        self._transport.write(_HEAD + _ROLE)
        for _ in range(tokens):
            sent.tokens += 1
            self._transport.write(_WORD)
            await asyncio.sleep(GAP)
        sent.whole = True
        self._transport.write(_frame({}, "stop", _usage(tokens)) + _END)


@asynccontextmanager
async def far(sent: list[Sent]) -> AsyncIterator[int]:
    """Answer on a free port while the block runs."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answering(sent), "127.0.0.1", 0, backlog=1024)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
