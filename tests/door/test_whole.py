"""A whole reply in one piece is what the server would have sent in two, for both parsers."""

import asyncio
from typing import Any

import pytest
from tests.door.standing import PARSERS, Behind, calling, heard, served

from infway.api.exchange import Exchange
from infway.door.limits import Limits

both = pytest.mark.parametrize("http", PARSERS)
END = "Connection: close\r\n"


class Answering(Behind):
    """Answers each request with what it is told to say."""

    def __init__(self, body: bytes = b"{}", *headers: tuple[bytes, bytes]) -> None:
        super().__init__()
        self.body = body
        self.headers = headers

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await super().__call__(scope, receive, send)
            return
        exchange = Exchange(scope, receive, send, "r1", 0.0)
        await exchange.reply(200, list(self.headers), self.body)


async def _said(http: str, behind: Answering, *requests: str) -> bytes:
    """Return all that comes when these are sent on one connection, the last of which ends it."""
    async with (
        served(behind, Limits(), http) as port,  # type: ignore[arg-type]
        calling(port) as (reader, writer),
    ):
        writer.write("".join(requests).encode())
        return await asyncio.wait_for(heard(reader), 20)


def _request(method: str = "GET", more: str = "", version: str = "1.1") -> str:
    return f"{method} /a HTTP/{version}\r\nHost: a\r\n{more}\r\n"


def _head(said: bytes) -> dict[bytes, bytes]:
    lines = said.partition(b"\r\n\r\n")[0].lower().split(b"\r\n")
    return dict(line.split(b": ", 1) for line in lines[1:])


@both
@pytest.mark.parametrize("size", [0, 2, 65_535, 65_536, 1_000_000])
async def test_it_has_its_length_its_id_and_its_body(http: str, size: int) -> None:
    said = await _said(http, Answering(b"x" * size, (b"x-a", b"1")), _request(more=END))
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert _head(said).keys() >= {b"date", b"x-a", b"x-request-id", b"content-length"}
    assert _head(said)[b"content-length"] == b"%d" % size
    assert body == b"x" * size


@both
async def test_the_connection_stays_for_the_next_request(http: str) -> None:
    said = await _said(http, Answering(), *[_request()] * 3, _request(more=END))
    assert said.count(b"HTTP/1.1 200 ") == 4
    assert said.lower().count(b"connection: close") == 1


@both
async def test_nothing_follows_the_head_that_was_asked_for_alone(http: str) -> None:
    said = await _said(http, Answering(), _request("HEAD", END))
    assert said.endswith(b"\r\n\r\n")
    assert _head(said)[b"content-length"] == b"2"


@both
async def test_a_caller_of_an_older_version_is_answered_and_let_go(http: str) -> None:
    said = await _said(http, Answering(), _request(version="1.0"))
    assert said.endswith(b"\r\n\r\n{}")


@both
@pytest.mark.parametrize("value", [b"a\r\nx-b: 2", b"a\nx-b: 2", b"a\rx-b: 2", b"a\0b"])
async def test_no_value_of_a_header_begins_another(http: str, value: bytes) -> None:
    said = await _said(http, Answering(b"{}", (b"x-a", value)), _request(), _request(more=END))
    assert not said.startswith(b"HTTP/1.1 200 ")
    assert b"x-b" not in said
