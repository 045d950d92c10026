"""Streams in time: comments in silences, frames as they come, errors after the head."""

import asyncio
import json
from itertools import pairwise

import msgspec
from tests.api.caller import BEARER, JSON, chat_body
from tests.api.upstream import DONE, chunk, frames, stream
from tests.conftest import Start

from infway.api.replies import ErrorDetail

PATH = "/v1/chat/completions"


async def test_comments_fill_every_silence_also_before_the_first_byte(start: Start) -> None:
    go = [asyncio.Event() for _ in range(2)]
    gateway = await start(
        lambda _: stream(go[0], chunk({"content": "a"}), go[1], *frames("b")[2:]),
        server={"heartbeat": 0.02},
    )
    async with gateway.line() as line:
        line.send("POST", PATH, (BEARER, JSON), json.dumps(chat_body(stream=True)).encode())
        status, headers = await line.head()
        assert status == 200
        assert dict(headers)["content-type"].startswith("text/event-stream")
        for step in go:
            for _ in range(3):
                assert await asyncio.wait_for(line.piece(), 5) == b": PROCESSING\n\n"
            step.set()
            while (piece := await asyncio.wait_for(line.piece(), 5)).startswith(b":"):
                pass
            assert piece.startswith(b"data: {"), piece
        rest = piece
        while piece := await line.piece():
            rest += piece
        assert rest.endswith(DONE)


async def test_an_error_after_the_first_comment_comes_as_a_whole_chunk(start: Start) -> None:
    go = asyncio.Event()
    gateway = await start(
        lambda _: stream(go, cut=True), server={"heartbeat": 0.02}, attempts={"max": 1}
    )
    for prompt in (None, "Say it"):
        go.clear()
        async with gateway.line() as line:
            body = chat_body(
                stream=True, **({"messages": None, "prompt": prompt} if prompt else {})
            )
            line.send("POST", PATH, (BEARER, JSON), json.dumps(body).encode())
            await line.head()
            assert await line.piece() == b": PROCESSING\n\n"
            go.set()
            rest = b""
            while piece := await line.piece():
                rest += piece
        event, end = rest.replace(b": PROCESSING\n\n", b"").split(b"\n\n")[:2]
        assert end == b"data: [DONE]"
        last = json.loads(event[6:])
        msgspec.convert(last["error"], ErrorDetail)
        assert last.keys() == {"id", "object", "created", "model", "choices", "error"}
        (choice,) = last["choices"]
        assert choice["finish_reason"] == "error"
        assert ("text" in choice) == (prompt is not None)
    row = (await gateway.rows())[0]
    assert row.outcome != "ok"


async def test_frames_come_one_by_one_as_the_upstream_says_them(start: Start) -> None:
    go = [asyncio.Event() for _ in range(5)]
    said = [chunk({"content": str(i)}) for i in range(5)]
    pieces = [one for pair in zip(said, go, strict=True) for one in pair]
    gateway = await start(lambda _: stream(*pieces, *frames()[1:]))
    async with gateway.line() as line:
        line.send("POST", PATH, (BEARER, JSON), json.dumps(chat_body(stream=True)).encode())
        await line.head()
        seen = []
        for step in go:
            seen.append(json.loads((await asyncio.wait_for(line.piece(), 5))[6:]))
            step.set()
    texts = [one["choices"][0]["delta"]["content"] for one in seen]
    assert texts == ["0", "1", "2", "3", "4"]
    assert all(one["id"] == other["id"] for one, other in pairwise(seen))
