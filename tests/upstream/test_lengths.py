"""How long a reply says it is, and how long it is, over real sockets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.wall.asking import CALM

from infway.kernel.chat import HttpCall
from infway.kernel.clock import system_clock
from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Fault
from infway.upstream.client import Client
from infway.upstream.sign import Signer

BODY = b'{"a":"12345678"}'  # 16 bytes
CHUNKED = b"10\r\n" + BODY + b"\r\n0\r\n\r\n"
PATIENCE = 5.0  # seconds in which all of this is known, or a test hangs

Told = bytes | Fault


@asynccontextmanager
async def saying(reply: bytes, *, cut: bool, stays: bool) -> AsyncIterator[str]:
    """Answer every request with these bytes, one at a time if `cut`; then close, or stay."""

    answered: list[asyncio.Task[None] | None] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answered.append(asyncio.current_task())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n{}"):
                for at in range(0, len(reply), 1 if cut else len(reply)):
                    writer.write(reply[at : at + 1] if cut else reply)
                    await writer.drain()
                if not stays:
                    break
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    finally:
        server.close()
        await asyncio.gather(*filter(None, answered))


@asynccontextmanager
async def closing(client: Client) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await client.close()


async def told(head: bytes, body: bytes = BODY, *, cut: bool = False, stays: bool = False) -> Told:
    """Return what is read of such a reply; asked again, it is the same."""
    reply = b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + body
    client = Client(Signer({}), system_clock().monotonic)
    both: list[Told] = []
    async with saying(reply, cut=cut, stays=stays) as url, closing(client):
        for _ in range(2):
            call = HttpCall(upstream="up", url=url, headers={}, body=b"{}")
            try:
                async with asyncio.timeout(PATIENCE):
                    both.append(await (await client.send(call, CALM)).read())
            except UpstreamFailed as failed:
                both.append(failed.failure.fault)
    assert both[0] == both[1]
    return both[0]


@pytest.mark.parametrize("cut", [False, True])
async def test_a_body_shorter_than_declared_is_no_body(cut: bool):
    assert await told(b"content-length: 20", cut=cut) is Fault.TRUNCATED_BODY
    assert await told(b"transfer-encoding: chunked", CHUNKED[:-5], cut=cut) is Fault.TRUNCATED_BODY


@pytest.mark.parametrize("stays", [False, True])
@pytest.mark.parametrize(
    ("size", "body", "read"),
    [(10, BODY, BODY[:10]), (0, BODY, b""), (16, BODY + b"more", BODY), (16, BODY + b"\r\n", BODY)],
)
async def test_what_is_longer_than_declared_ends_where_it_said_and_at_once(
    size: int, body: bytes, read: bytes, stays: bool
):
    assert await told(b"content-length: %d" % size, body, stays=stays) == read


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize(
    "head",
    [
        b"content-length: -1",
        b"content-length: +16",
        b"content-length: 0x10",
        b"content-length: sixteen",
        b"content-length: 16, 16",
        b"content-length: 16\r\ncontent-length: 16",
        b"content-length: 16\r\ncontent-length: 3",
        b"content-length: 99999999999999999999999",
        b"content-length: 16\r\ntransfer-encoding: chunked",
        b"transfer-encoding: chunked\r\ncontent-length: 16",
    ],
)
async def test_a_length_that_can_be_read_in_two_ways_is_no_reply(head: bytes, cut: bool):
    body = CHUNKED if b"chunked" in head else BODY
    assert await told(head, body, cut=cut, stays=True) is Fault.INVALID_JSON


@pytest.mark.parametrize(
    "body",
    [
        b"0x10\r\n" + BODY + b"\r\n0\r\n\r\n",
        b"10\r\n" + BODY + b"0\r\n\r\n",
        b"ffffffffffffffffff\r\n" + BODY,
        b"-1\r\n" + BODY,
    ],
)
async def test_chunks_of_another_length_than_they_say_are_no_body(body: bytes):
    assert await told(b"transfer-encoding: chunked", body, stays=True) is Fault.TRUNCATED_BODY


@pytest.mark.parametrize("coding", [b"gzip", b"identity"])
async def test_a_coding_without_a_length_is_never_taken_for_whole(coding: bytes):
    assert await told(b"transfer-encoding: " + coding) is Fault.TRUNCATED_BODY


async def test_without_any_length_the_end_of_the_connection_is_that_of_the_reply():
    assert await told(b"content-type: x") == BODY


async def test_a_length_beyond_the_limit_is_refused_before_it_comes():
    assert await told(b"content-length: 99999999", stays=True) is Fault.TOO_LARGE
