"""The proxy spoils exactly what it is told to, and a gateway behind it keeps its promises."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.api.caller import refused
from tests.api.upstream import Upstream
from tests.conftest import Start, upstream_settings
from tests.wall import ANSWER, wall
from tests.wall.matrix.play import streamed_text
from tests.wall.proxy import Harm, Proxy, proxy


@asynccontextmanager
async def echo() -> AsyncIterator[Proxy]:
    """A proxy in front of a server that says everything again."""

    async def again(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(again, "127.0.0.1", 0)
    async with proxy(server.sockets[0].getsockname()[1]) as between:
        yield between
    server.close()


async def said(between: Proxy, data: bytes, size: int) -> bytes:
    """Send bytes and return the first of those that come back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", between.port)
    writer.write(data)
    try:
        return await asyncio.wait_for(reader.readexactly(size), 5)
    finally:
        writer.transport.abort()


async def test_without_harm_all_passes() -> None:
    async with echo() as between:
        data = bytes(range(256)) * 1000
        assert await said(between, data, len(data)) == data


async def test_one_byte_is_turned() -> None:
    async with echo() as between:
        between.down = Harm(corrupt=3, slice_=2)
        assert await said(between, b"abcdef", 6) == b"abc" + bytes([ord("d") ^ 0xFF]) + b"ef"


async def test_what_passes_is_late_and_slow() -> None:
    now = asyncio.get_running_loop().time
    async with echo() as between:
        between.harm = Harm(latency=0.05, jitter=0.01, rate=10_000)
        began = now()
        await said(between, b"a" * 1000, 1000)
        assert now() - began >= 0.1 + 0.1  # twice late, and half of each second's bytes


@pytest.mark.parametrize(
    ("harm", "error"),
    [
        (Harm(reset_after=3), ConnectionResetError),
        (Harm(close_after=3), asyncio.IncompleteReadError),
        (Harm(refuse=True), ConnectionResetError),
    ],
)
async def test_a_connection_ends_where_it_is_told_to(harm: Harm, error: type[Exception]) -> None:
    async with echo() as between:
        between.harm = harm
        with pytest.raises(error) as ended:
            await said(between, b"abcdef", 6)
        if isinstance(ended.value, asyncio.IncompleteReadError):
            assert ended.value.partial == b"abc"


async def test_from_a_byte_on_nothing_passes() -> None:
    async with echo() as between:
        between.down = Harm(stall_after=3)
        reader, writer = await asyncio.open_connection("127.0.0.1", between.port)
        writer.write(b"abcdef")
        assert await reader.readexactly(3) == b"abc"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.05)
        writer.transport.abort()


async def test_open_connections_are_reset_at_once() -> None:
    async with echo() as between:
        reader, writer = await asyncio.open_connection("127.0.0.1", between.port)
        writer.write(b"abc")
        assert await reader.readexactly(3) == b"abc"
        between.reset()
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        writer.transport.abort()


@pytest.mark.parametrize("harm", [Harm(slice_=1), Harm(slice_=7), Harm(latency=0.01, jitter=0.01)])
@pytest.mark.parametrize("stream", [True, False])
async def test_a_reply_in_small_pieces_is_the_same_reply(
    start: Start, harm: Harm, stream: bool
) -> None:
    async with wall() as up, proxy(up.port) as between:
        between.down = harm
        gateway = await start(upstream=Upstream(port=between.port))
        heard = await gateway.chat(**({"stream": True} if stream else {}))
    assert heard.status == 200
    said = streamed_text(heard) if stream else heard.json["choices"][0]["message"]["content"]
    assert said == ANSWER


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        (Harm(reset_after=100), "upstream_disconnected"),
        (Harm(reset_after=400), "upstream_bad_response"),
        (Harm(corrupt=0), "upstream_bad_response"),
        (Harm(refuse=True), "upstream_disconnected"),
    ],
)
async def test_a_reply_that_is_spoilt_on_its_way_is_refused_or_had_elsewhere(
    start: Start, harm: Harm, code: str
) -> None:
    async with wall() as up, proxy(up.port) as between:
        between.harm = harm
        gateway = await start(upstream=Upstream(port=between.port), attempts={"backoff_base": 0.01})
        refused(await gateway.chat(), 502, code)
        rows = [
            upstream_settings("one", Upstream(port=between.port), "m1"),
            upstream_settings("two", Upstream(port=up.port), "m1"),
        ]
        other = await start(upstream=Upstream(port=up.port), upstreams=rows)
        heard = await other.chat(provider={"order": ["one", "two"]})
        assert heard.header("x-gateway-provider") == "two"
        assert heard.json["choices"][0]["message"]["content"] == ANSWER
