"""One exchange: sizes and types of bodies."""

import asyncio

import pytest
from tests.api.caller import BEARER, JSON, KEY, chat_body, refused
from tests.conftest import Gateway, Start

PATH = "/v1/chat/completions"
SMALL = {"server": {"body_limit": 1024}}


def _padded(size: int) -> bytes:
    text = b'{"model":"m1","messages":[{"role":"user","content":"Hi"}]}'
    return text + b" " * (size - len(text))


async def test_a_body_of_exactly_the_limit_is_taken(start: Start) -> None:
    gateway = await start(**SMALL)
    assert (await gateway.post(PATH, _padded(1024))).status == 200
    refused(await gateway.post(PATH, _padded(1025)), 413, "payload_too_large")


@pytest.mark.parametrize("pieces", [1, 2, 3, 20])
async def test_a_chunked_body_over_the_limit_is_refused(start: Start, pieces: int) -> None:
    gateway = await start(**SMALL)
    for size, status in ((1024, 200), (1025, 413), (60_000, 413), (900_000, 413)):
        body, step = _padded(size), -(-size // pieces)
        cut = [body[i : i + step] for i in range(0, size, step)]
        heard = await gateway.send("POST", PATH, (BEARER, JSON), cut)
        assert heard.status == status
        if status == 413:
            refused(heard, 413, "payload_too_large")


async def test_a_declared_size_over_the_limit_is_refused_before_the_body_comes(
    start: Start,
) -> None:
    gateway = await start(**SMALL)
    async with gateway.line() as line:
        head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n"
        line.writer.write(head.encode())
        refused(await asyncio.wait_for(line.hear(), 5), 413, "payload_too_large")


async def test_the_size_is_looked_at_before_the_key(start: Start) -> None:
    gateway = await start(**SMALL)
    refused(await gateway.post(PATH, _padded(2000), (JSON,)), 413, "payload_too_large")


@pytest.mark.parametrize(
    "kind",
    ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", None, "",
     "application/json;charset=UTF-8", "application/vnd.api+json", " application/json "],
)  # fmt: skip
async def test_a_json_body_is_taken_by_any_of_its_names(gateway: Gateway, kind: str | None) -> None:
    headers = (BEARER,) if kind is None else (BEARER, ("Content-Type", kind))
    assert (await gateway.post(PATH, chat_body(), headers)).status == 200


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded",
     "application/xml", "json", "application/jsonl", "text/xapplication/json", "\xff"],
)  # fmt: skip
async def test_another_content_type_is_refused(gateway: Gateway, kind: str) -> None:
    heard = await gateway.post(PATH, chat_body(), (BEARER, ("Content-Type", kind)))
    refused(heard, 415, "unsupported_media_type")


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "zstd"])
async def test_a_compressed_body_is_refused(gateway: Gateway, coding: str) -> None:
    headers = (BEARER, JSON, ("Content-Encoding", coding))
    refused(await gateway.post(PATH, chat_body(), headers), 415, "unsupported_media_type")


async def test_an_empty_body_is_no_json(gateway: Gateway) -> None:
    for headers in ((BEARER, JSON), (BEARER,)):
        refused(await gateway.post(PATH, b"", headers), 400, "invalid_request_body")
        for pieces in ([], [b" "], [b"\n", b"\t"]):
            heard = await gateway.send("POST", PATH, headers, pieces)
            refused(heard, 400, "invalid_request_body")


async def test_a_body_in_many_pieces_is_one_body(gateway: Gateway) -> None:
    body = _padded(300)
    heard = await gateway.send("POST", PATH, (BEARER, JSON), [bytes([one]) for one in body])
    assert heard.status == 200


async def test_a_client_that_leaves_in_the_middle_of_its_body_harms_nobody(
    gateway: Gateway,
) -> None:
    async with gateway.line() as line:
        head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
        line.writer.write(f"{head}Content-Length: 100\r\n\r\n{{".encode())
        await line.writer.drain()
        line.hang_up()
    assert (await gateway.chat()).status == 200
    assert len(gateway.upstream.asked) == 1
