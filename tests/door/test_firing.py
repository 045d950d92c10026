"""What sends a million bad requests misses nothing of what is answered."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.door.firing import RESET, STRAY, Bad, bad_requests, fire

ASKED = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
WHOLE = Bad(ASKED, whole=True)
OK = b"HTTP/1.1 400 Bad\r\nContent-Length: 2\r\n\r\n{}"
CLOSED = b"HTTP/1.1 431 Bad\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
EMPTY = b"HTTP/1.1 405 No\r\nContent-Length: 2\r\n\r\n"


@asynccontextmanager
async def saying(*replies: bytes, step: int = 7) -> AsyncIterator[tuple[int, list[int]]]:
    """Answer with these in turn, whoever asks; tell the port, and how often each line asked.

    `step`: bytes of each write.
    """
    left, lines = list(replies), list[int]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.append(0)
        number = len(lines) - 1
        while left and await reader.read(65536):
            lines[number] += 1
            said = left.pop(0)
            for at in range(0, len(said), step):
                writer.write(said[at : at + step])
                await writer.drain()
                await asyncio.sleep(0)
            if b"close" in said or not said:
                break
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], lines


async def fired(port: int, *some: Bad) -> Counter[str]:
    statuses = Counter[str]()
    await fire(port, iter(some), statuses)
    return statuses


async def test_a_line_is_kept_for_as_long_as_the_gateway_keeps_it() -> None:
    bare = WHOLE._replace(bare=True)
    async with saying(OK, CHUNKED, EMPTY, CLOSED, OK) as (port, lines):
        statuses = await fired(port, WHOLE, WHOLE, bare, WHOLE, WHOLE)
    assert statuses == {"400": 2, "200": 1, "405": 1, "431": 1}
    assert lines == [4, 1]


async def test_what_is_not_whole_has_a_line_of_its_own_and_is_heard_to_the_end() -> None:
    async with saying(CLOSED, b"", CLOSED) as (port, lines):
        statuses = await fired(port, Bad(ASKED), Bad(ASKED), Bad(ASKED))
    assert statuses == {"431": 2, "": 1}
    assert lines == [1, 1, 1]


@pytest.mark.parametrize("said", [OK + b"x", OK + OK, EMPTY + b"{}x"])
async def test_a_byte_too_many_is_found(said: bytes) -> None:
    async with saying(said, OK, OK, step=1000) as (port, _):
        statuses = await fired(port, WHOLE, WHOLE, WHOLE)
    assert statuses[STRAY] == 1


async def test_nobody_there_is_a_reset() -> None:
    async with saying() as (port, _):
        pass
    assert await fired(port, WHOLE) == {RESET: 1}


def test_requests_are_the_same_for_the_same_seed_and_few_of_them_come_twice() -> None:
    first = list(bad_requests(400, 7, ahead=100))
    assert first == list(bad_requests(400, 7, ahead=100))
    assert first[:100] == list(bad_requests(100, 7))
    assert len({bad.data for bad in first}) > 330
    for before, after in zip(first[:100], first[100:200], strict=True):
        assert before.data[: before.loose] == after.data[: after.loose]
        assert len(before.data) == len(after.data)
