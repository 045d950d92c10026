"""A client that leaves ends the work that is done for it, and leaves exactly one row."""

import asyncio
import json

import pytest
from tests.api.caller import BEARER, JSON, chat_body
from tests.api.upstream import Script, chunk, frames, stream
from tests.conftest import Gateway, Start

PATH = "/v1/chat/completions"
SOON = 0.25  # seconds


async def _until_it_is_settled(gateway: Gateway) -> None:
    async with asyncio.timeout(20):
        while not any(row.attempt == 0 for row in await gateway.rows()):
            await asyncio.sleep(0.005)


async def _rows_of_one_that_left(gateway: Gateway) -> None:
    await _until_it_is_settled(gateway)
    request, attempt = await gateway.rows()
    assert (request.attempt, attempt.attempt) == (0, 1)
    assert (request.outcome, request.status) == ("client_gone", 499)
    assert attempt.outcome == "client_gone"
    assert gateway.app.gateway.attempts.active == 0


async def _leave(gateway: Gateway, pause: float, *, seen: int, **fields: object) -> float:
    """Ask, read `seen` pieces, wait, hang up; return the seconds until the upstream noticed."""
    async with gateway.line() as line:
        line.send("POST", PATH, (BEARER, JSON), json.dumps(chat_body(**fields)).encode())
        await asyncio.wait_for(gateway.upstream.reached.wait(), 5)
        if seen:
            await line.head()
            for _ in range(seen):
                await asyncio.wait_for(line.piece(), 5)
        await asyncio.sleep(pause)
        left_at = asyncio.get_running_loop().time()
        line.hang_up()
        await asyncio.wait_for(gateway.upstream.gone.wait(), 5)
    return gateway.upstream.gone_at - left_at


@pytest.mark.parametrize("pause", [0.0, 0.12])
async def test_leaving_a_whole_reply_ends_it_upstream_at_once(start: Start, pause: float) -> None:
    gateway = await start(lambda _: Script([asyncio.Event()]))
    assert await _leave(gateway, pause, seen=0) <= SOON
    await _rows_of_one_that_left(gateway)


@pytest.mark.parametrize("pause", [0.0, 0.12])
async def test_leaving_a_stream_before_its_first_byte_ends_it_upstream_at_once(
    start: Start, pause: float
) -> None:
    gateway = await start(lambda _: stream(asyncio.Event()))
    assert await _leave(gateway, pause, seen=0, stream=True) <= SOON
    await _rows_of_one_that_left(gateway)


@pytest.mark.parametrize("pause", [0.0, 0.12])
async def test_leaving_a_stream_after_its_first_byte_ends_it_upstream_at_once(
    start: Start, pause: float
) -> None:
    gateway = await start(lambda _: stream(chunk({"content": "a"}), asyncio.Event()))
    assert await _leave(gateway, pause, seen=1, stream=True) <= SOON
    await _rows_of_one_that_left(gateway)
    (request, _) = await gateway.rows()
    assert request.completion_tokens > 0
    assert request.cost > 0


async def test_leaving_several_models_ends_all_of_them(start: Start) -> None:
    gateway = await start(lambda _: Script([asyncio.Event()]))
    model = {"llms": ["m1", "m2"], "imsn": 2}
    assert await _leave(gateway, 0.1, seen=0, model=model) <= SOON
    await _until_it_is_settled(gateway)
    request, *attempts = await gateway.rows()
    assert (request.outcome, request.status) == ("client_gone", 499)
    assert [row.outcome for row in attempts] == ["client_gone"] * 2


async def test_leaving_is_held_against_no_upstream(start: Start) -> None:
    gateway = await start(lambda _: stream(chunk({"content": "a"}), asyncio.Event()))
    for _ in range(8):
        gateway.upstream.gone.clear()
        gateway.upstream.reached.clear()
        await _leave(gateway, 0.0, seen=1, stream=True)
    gateway.upstream.say = lambda _: stream(*frames("a"))
    assert (await gateway.chat(stream=True)).status == 200


async def test_leaving_after_the_end_changes_nothing(gateway: Gateway) -> None:
    async with gateway.line() as line:
        line.send("POST", PATH, (BEARER, JSON), json.dumps(chat_body(stream=True)).encode())
        assert (await line.hear()).body.endswith(b"data: [DONE]\n\n")
        line.hang_up()
    assert [row.outcome for row in await gateway.rows()] == ["ok", "ok"]
