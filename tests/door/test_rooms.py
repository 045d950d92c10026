"""How many come in, for whom, and who is still there; for both parsers."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest
from tests.door.standing import PARSERS, calling, heard, reply, standing

from infway.door.limits import Limits

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
SOON = 0.25  # seconds; fault matrix, rows 55 and 56
both = pytest.mark.parametrize("http", PARSERS)


@both
@pytest.mark.parametrize("limits", [Limits(connections=3), Limits(per_address=3)])
async def test_one_too_many_is_refused_until_another_leaves(http: str, limits: Limits) -> None:
    async with standing(http, limits) as (port, _), AsyncExitStack() as stack:
        inside = [await stack.enter_async_context(calling(port)) for _ in range(3)]
        async with calling(port) as (reader, _):
            said = await heard(reader)
        assert said.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nretry-after: 1\r\n" in said
        assert b'"code":"too_many_connections"' in said
        for reader, writer in inside:
            writer.write(GET)
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        inside[0][1].close()
        assert await _is_let_in(port)


async def _is_let_in(port: int) -> bool:
    for _ in range(100):
        async with calling(port) as (reader, writer):
            writer.write(GET)
            if (await reader.readline()).startswith(b"HTTP/1.1 200"):
                return True
        await asyncio.sleep(0.01)
    return False


@both
@pytest.mark.parametrize(
    ("host", "status"),
    [("api.example", 200), ("API.example:8080", 200), ("evil.example", 400), ("", 400),
     ("api.example.evil", 400), ("127.0.0.1", 400)],
)  # fmt: skip
async def test_only_hosts_that_may_be_asked_for_are_answered(
    http: str, host: str, status: int
) -> None:
    limits = Limits(hosts=frozenset({"api.example"}))
    async with standing(http, limits) as (port, _), calling(port) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % host.encode())
        said = await heard(reader)
    assert said.startswith(b"HTTP/1.1 %d " % status)
    assert (b"unknown_host" in said) is (status == 400)


class _Told:
    """An app that answers when a test says so."""

    def __init__(self, *, stream: bool = False) -> None:
        self.go = asyncio.Event()
        self.stream = stream

    async def __call__(self, _: bytes, __: Any, send: Any) -> None:
        if not self.stream:
            await self.go.wait()
            await reply(send, b"whole")
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        await self.go.wait()
        await send({"type": "http.response.body", "body": b"second", "more_body": True})
        await send({"type": "http.response.body", "body": b""})


@both
@pytest.mark.parametrize("pause", [0.0, 0.3])
async def test_who_ends_its_own_side_still_gets_a_whole_reply(http: str, pause: float) -> None:
    app = _Told()
    async with standing(http, talk=app) as (port, _), calling(port) as (reader, writer):
        writer.write(GET)
        writer.write_eof()
        await asyncio.sleep(pause)
        app.go.set()
        said = await heard(reader)
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert body == b"whole"


@both
@pytest.mark.parametrize("pause", [0.0, 0.3])
async def test_who_ends_its_own_side_still_gets_a_whole_stream(http: str, pause: float) -> None:
    app = _Told(stream=True)
    async with standing(http, talk=app) as (port, _), calling(port) as (reader, writer):
        writer.write(GET)
        await reader.readuntil(b"first\r\n")
        writer.write_eof()
        await asyncio.sleep(pause)
        app.go.set()
        rest = await heard(reader)
    size, _, rest = rest.partition(b"\r\n")
    assert int(size, 16) == 6
    assert rest.startswith(b"second\r\n")
    assert int(rest[8:-4], 16) == 0
    assert rest.endswith(b"\r\n\r\n")


@both
@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("how", ["close", "abort"])
async def test_who_is_gone_is_known_to_be_soon(http: str, is_stream: bool, how: str) -> None:
    app = _Told(stream=is_stream)
    async with standing(http, talk=app) as (port, behind), calling(port) as (reader, writer):
        writer.write(GET)
        if is_stream:
            await reader.readuntil(b"first\r\n")
        else:
            while not behind.asked:
                await asyncio.sleep(0.001)
        left_at = asyncio.get_running_loop().time()
        writer.close() if how == "close" else writer.transport.abort()
        await asyncio.wait_for(behind.left.wait(), 5)
        assert behind.left_at - left_at <= SOON


@both
async def test_a_request_in_the_middle_of_which_somebody_leaves_is_nobodys(http: str) -> None:
    async with standing(http) as (port, behind), calling(port) as (_, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
        await writer.drain()
        writer.close()
        await asyncio.wait_for(behind.left.wait(), 5)
    assert behind.asked == []


@both
async def test_requests_sent_ahead_are_answered_in_order_and_one_by_one(http: str) -> None:
    async with standing(http) as (port, behind), calling(port) as (reader, writer):
        sent = b"".join(
            b"POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n" % i + b"a" * 20000
            for i in range(50)
        )
        writer.write(sent + b"GET /end HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        said = await heard(reader)
    assert said.count(b"HTTP/1.1 200") == 51
    assert [one["path"] for one in behind.asked] == [*[f"/{i}" for i in range(50)], "/end"]
