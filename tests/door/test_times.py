"""Who sends or reads too slowly is let go in time, for both parsers; threat model, row A8."""

import asyncio
from typing import Any

import pytest
from tests.door.standing import PARSERS, calling, heard, reply, standing

from infway.door.limits import GRACE, SPEED, Limits

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
SHORT = 0.1  # seconds
LATE = 5.0  # far more than any of the times that are set here, and less than those that are not
both = pytest.mark.parametrize("http", PARSERS)


async def _ends_after(port: int, *sent: bytes, pause: float = 0.0) -> tuple[bytes, float]:
    """Send these pieces, each after a pause; return what came until the end, and when it was."""
    began = asyncio.get_running_loop().time()  # the door may know of us before we know of it
    said, _ = await _ends_at(port, *sent, pause=pause)
    return said, asyncio.get_running_loop().time() - began


async def _ends_at(port: int, *sent: bytes, pause: float) -> tuple[bytes, float]:
    """Send these pieces; return what came until the end, and the pauses until then, in seconds.

    The pauses are timed by the loop in which the door is: a machine that stops stops both.
    """
    paused = 0.0
    async with calling(port) as (reader, writer):
        hearing = asyncio.ensure_future(heard(reader))
        for piece in sent:
            if hearing.done():
                break
            writer.write(piece)
            await asyncio.wait({hearing}, timeout=pause)
            paused += pause
        return await asyncio.wait_for(hearing, 20), paused


def _bytes(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


@both
async def test_a_silent_socket_is_closed_without_a_word(http: str) -> None:
    async with standing(http, Limits(head=SHORT)) as (port, _):
        said, took = await _ends_after(port)
    assert said == b""
    assert SHORT * 0.9 <= took < LATE


@both
@pytest.mark.parametrize("begun", [b"G", HEAD[:30], HEAD[:-2]])
async def test_a_head_that_does_not_end_is_told_so(http: str, begun: bytes) -> None:
    async with standing(http, Limits(head=SHORT)) as (port, behind):
        said, took = await _ends_after(port, begun)
    assert said.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"request_timeout"' in said
    assert took < LATE
    assert behind.asked == []


@both
async def test_a_head_byte_by_byte_gets_no_more_time(http: str) -> None:
    async with standing(http, Limits(head=SHORT)) as (port, _):
        said, paused = await _ends_at(port, *_bytes(HEAD), pause=0.02)
    assert said.startswith(b"HTTP/1.1 408 ")
    assert paused < SHORT + 0.5


@both
@pytest.mark.parametrize("begun", [HEAD, HEAD + b"abc", CHUNKED, CHUNKED + b"3\r\nabc\r\n"])
async def test_a_body_that_does_not_end_is_told_so(http: str, begun: bytes) -> None:
    async with standing(http, Limits(body=SHORT)) as (port, behind):
        said, took = await _ends_after(port, begun)
        assert said.startswith(b"HTTP/1.1 408 ")
        assert SHORT * 0.9 <= took < LATE
        await asyncio.wait_for(behind.left.wait(), LATE)
    assert behind.asked == []


@both
async def test_a_body_byte_by_byte_gets_no_more_time(http: str) -> None:
    pieces = [HEAD.replace(b"10", b"99"), *[b"a"] * 99]
    async with standing(http, Limits(body=SHORT)) as (port, _):
        said, paused = await _ends_at(port, *pieces, pause=0.02)
    assert said.startswith(b"HTTP/1.1 408 ")
    assert paused < SHORT + 0.5


def test_a_small_body_has_less_time_than_a_large_one() -> None:
    limits = Limits()
    assert limits.body_time(0) == GRACE
    assert limits.body_time(10 * SPEED) == GRACE + 10
    assert limits.body_time(10**9) == limits.body_time(-1) == limits.body == 30.0


@both
async def test_a_connection_between_requests_is_closed_in_time(http: str) -> None:
    async with standing(http, Limits(idle=SHORT)) as (port, behind):
        said, took = await _ends_after(port, GET)
    assert said.count(b"HTTP/1.1") == 1
    assert SHORT * 0.9 <= took < LATE
    assert len(behind.asked) == 1


@both
async def test_the_time_between_requests_is_that_since_the_last(http: str) -> None:
    async with standing(http, Limits(idle=10 * SHORT)) as (port, behind):
        said, _ = await _ends_after(port, *[GET] * 5, pause=3 * SHORT)
    assert said.count(b"HTTP/1.1 200") == len(behind.asked) == 5


@both
async def test_a_later_head_has_its_own_time(http: str) -> None:
    async with standing(http, Limits(head=SHORT, idle=60)) as (port, _):
        said, took = await _ends_after(port, GET, HEAD[:20])
    assert b"HTTP/1.1 408 " in said
    assert took < LATE


@both
async def test_infway_may_take_longer_than_any_of_these_times(http: str) -> None:
    async def slowly(_: bytes, __: Any, send: Any) -> None:
        await asyncio.sleep(4 * SHORT)
        await reply(send, b"done")

    short = Limits(SHORT, SHORT, SHORT, SHORT)
    async with standing(http, short, slowly) as (port, _):
        said, _ = await _ends_after(port, HEAD + b"0123456789")
    assert said.endswith(b"\r\n\r\ndone")


async def _flood(_: bytes, __: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": b"a" * 65536, "more_body": True})
        await asyncio.sleep(0)


@both
async def test_who_reads_nothing_is_let_go_and_infway_knows(http: str) -> None:
    async with (
        standing(http, Limits(write=SHORT), _flood) as (port, behind),
        calling(port, limit=1024) as (_, writer),
    ):
        writer.write(GET)
        await asyncio.wait_for(behind.left.wait(), LATE)


@both
async def test_who_reads_slowly_but_reads_is_kept(http: str) -> None:
    async def much(_: bytes, __: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _i in range(64):
            await send({"type": "http.response.body", "body": b"a" * 65536, "more_body": True})
        await send({"type": "http.response.body", "body": b"end"})

    async with (
        standing(http, Limits(write=20 * SHORT), much) as (port, _),
        calling(port, limit=65536) as (reader, writer),
    ):
        writer.write(GET)
        said = b""
        while not said.endswith(b"0\r\n\r\n"):
            said += await asyncio.wait_for(reader.read(200_000), LATE)
            await asyncio.sleep(5 * SHORT / 8)
    assert len(said) > 64 * 65536


@both
async def test_a_reply_that_nobody_takes_does_not_hold_its_connection(http: str) -> None:
    async def large(_: bytes, __: Any, send: Any) -> None:
        await reply(send, b"a" * 20_000_000)

    async with (
        standing(http, Limits(write=SHORT, idle=60), large) as (port, _),
        calling(port, limit=1024) as (reader, writer),
    ):
        writer.write(GET.replace(b"Host", b"Connection: close\r\nHost"))
        await asyncio.sleep(10 * SHORT)
        said = await heard(reader)
    assert len(said) < 20_000_000
