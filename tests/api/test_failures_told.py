"""A request that fails tells its caller and its operator what was tried, and when to come again."""

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from openai import AsyncOpenAI
from tests.api.caller import KEY, refused
from tests.api.embedding import embedder
from tests.api.upstream import Asked, Script, chunk, fault, frames, listening, stream, whole
from tests.conftest import Gateway, Start, upstream_settings

LOGGER = "infway.pipeline.attempt"
SECRET = "sk-very-secret-0123456789"


@asynccontextmanager
async def two(start: Start, first: Script, second: Script) -> AsyncIterator[Gateway]:
    """A gateway with the upstreams `one` and `two`, asked in this order."""
    async with listening(lambda _: first) as one, listening(lambda _: second) as two:
        rows = [upstream_settings(*row, "m1") for row in (("one", one), ("two", two))]
        yield await start(upstreams=rows)


@pytest.mark.parametrize("streamed", [True, False])
async def test_an_error_reply_tells_every_attempt(start: Start, streamed: bool) -> None:
    async with two(start, fault(503), fault(401)) as gateway:
        heard = await gateway.chat(stream=streamed, provider={"order": ["one", "two"]})
    refused(heard, 502, "upstream_auth_error")
    assert heard.header("x-gateway-attempts") == "one:http_5xx, two:provider_auth"


async def test_equal_attempts_in_a_row_are_told_once(start: Start) -> None:
    heard = await (await start(lambda _: fault(500), attempts={"backoff_base": 0.01})).chat()
    refused(heard, 502, "upstream_error")
    assert heard.header("x-gateway-attempts") == "one:http_500 x2"


async def test_an_error_without_attempts_tells_none(gateway: Gateway) -> None:
    heard = await gateway.chat(model="none")
    refused(heard, 404, "model_not_found", "model")
    assert heard.header("x-gateway-attempts") is None


async def test_embeddings_that_fail_tell_their_attempts(start: Start) -> None:
    async with listening(lambda _: fault(400, "no")) as upstream:
        gateway = await start(upstreams=[embedder("one", upstream)])
        heard = await gateway.post("/v1/embeddings", {"model": "e1", "input": "Hi"})
    refused(heard, 400, "upstream_rejected")
    assert heard.header("x-gateway-attempts") == "one:upstream_4xx"


@pytest.mark.parametrize("rescue", [True, False])
async def test_an_error_behind_the_finish_is_told_all_the_same(start: Start, rescue: bool) -> None:
    over = chunk({}, "stop")
    failed = b'data: {"error":{"message":"Malformed function call","code":502}}\n\n'

    def say(_: Asked) -> Script:
        return stream(chunk({"content": "Hello"}), over, 0.05, failed)

    gateway = await start(say, attempts={"rescue": rescue})
    heard = await gateway.chat(stream=True)
    assert heard.chunks[-1]["error"]["code"] == "upstream_error"


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    found = [record for record in caplog.records if record.name == LOGGER]
    return [(record.levelname, record.getMessage()) for record in found]


async def test_every_failed_attempt_leaves_one_line_without_what_was_said(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with two(start, fault(401, f"Wrong key {SECRET}"), whole()) as gateway:
        heard = await gateway.chat(provider={"order": ["one", "two"]})
    name = heard.header("x-request-id")
    assert heard.status == 200
    assert lines(caplog) == [
        (
            "WARNING",
            f"attempt failed: upstream=one model=m1 fault=provider_auth status=401 request={name}",
        ),
        ("WARNING", "upstream one was refused its credential and is off"),
    ]
    assert SECRET not in caplog.text


async def test_a_stream_that_breaks_is_logged_and_a_callers_mistake_is_no_warning(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    def say(asked: Asked) -> Script:
        cut = stream(*frames("a")[:2], cut=True)
        return cut if b'"stream":true' in asked.body else fault(400, "bad words")

    gateway = await start(say, attempts={"rescue": False})
    await gateway.chat(stream=True)
    await gateway.chat()
    told = [
        (level, line.partition("fault=")[2].partition(" request=")[0])
        for level, line in lines(caplog)
    ]
    assert told == [("WARNING", "stream_cut status=200"), ("INFO", "upstream_4xx status=400")]


async def test_success_is_silent(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert (await gateway.chat()).status == (await gateway.chat(stream=True)).status == 200
    assert lines(caplog) == []


LIMITED = ("retry-after: 1",)


async def test_an_sdk_comes_again_when_the_upstream_said_when(start: Start) -> None:
    replies = [fault(429, headers=LIMITED), whole()]
    gateway = await start(lambda _: replies.pop(0), attempts={"max": 1})
    async with AsyncOpenAI(api_key=KEY, base_url=f"{gateway.url}/v1", max_retries=1) as client:
        began = time.perf_counter()
        done = await client.chat.completions.create(
            model="m1", messages=[{"role": "user", "content": "Hi"}]
        )
        assert time.perf_counter() - began >= 1
    assert done.choices[0].message.content == "Hello"


@pytest.mark.parametrize(
    ("headers", "after", "again"),
    [(LIMITED, "1", None), (("retry-after: 61",), "61", "false"), ((), "1", "false")],
)
async def test_a_limit_never_says_when_and_never_at_once(
    start: Start, headers: tuple[str, ...], after: str, again: str | None
) -> None:
    gateway = await start(lambda _: fault(429, headers=headers), attempts={"max": 1})
    heard = await gateway.chat()
    refused(heard, 429, "upstream_rate_limited")
    assert (heard.header("retry-after"), heard.header("x-should-retry")) == (after, again)
