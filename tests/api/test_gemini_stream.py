"""Streams of the Gemini API: events or an array, what breaks them, and bytes that stay as they are."""

import asyncio
import json

import pytest
from google.genai import errors
from tests.api.caller import BEARER, JSON
from tests.api.gemini_talking import DIALECTS, SAYS, TEXT, client, talking
from tests.api.test_gemini_refused import HELLO
from tests.api.upstream import Asked, Script, chunk, stream
from tests.conformance.small_words import sse
from tests.conftest import Start

PATH = "/v1beta/models/m1:streamGenerateContent"


def said(objects: list[dict]) -> str:
    """Return the words of all objects."""
    parts = (part for one in objects for c in one["candidates"] for part in c["content"]["parts"])
    return "".join(part.get("text", "") for part in parts)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_without_a_word_for_events_a_stream_is_an_array(start: Start, dialect: str) -> None:
    async with talking(start, dialect) as gateway:
        listed = await gateway.post(PATH, HELLO)
        assert listed.header("content-type") == "application/json"
        assert said(listed.json) == TEXT
        assert listed.json[-1]["candidates"][0]["finishReason"] == "STOP"
        events = await gateway.post(f"{PATH}?alt=sse", HELLO)
        assert events.header("content-type") == "text/event-stream; charset=utf-8"
        assert b"[DONE]" not in events.body
        assert said(events.chunks) == TEXT
        assert [row.outcome for row in await gateway.rows() if row.outcome].count("ok") >= 2


async def test_googles_own_bytes_stay_as_they_are(start: Start) -> None:
    words = (
        b'{"content":{"parts":[{"text":"\\u00e9 \xc3\xa9"}],"role":"model"},"finishReason":"STOP"'
    )
    odd = b'data: {"candidates": [ %b,"newField":1.50}], "extra":null}\n\n' % words

    def say(asked: Asked) -> Script:
        return stream(odd) if "stream" in asked.path else Script([odd[6:].strip()])

    async with talking(start, "gemini", say) as gateway:
        assert (await gateway.post(f"{PATH}?alt=sse", HELLO)).body == odd
        assert (await gateway.post(PATH, HELLO)).body == b"[" + odd[6:].strip() + b"]"
        whole = await gateway.post("/v1beta/models/m1:generateContent", HELLO)
        assert whole.body == odd[6:].strip()
        sent = gateway.upstream.asked[0]
        assert sent.path == "/v1/models/native-m1:streamGenerateContent?alt=sse"
        assert sent.json == HELLO


BEGUN = {
    "gemini": sse({"candidates": [{"content": {"parts": [{"text": "Hel"}]}, "index": 0}]}),
    "openai": chunk({"content": "Hel"}),
}


@pytest.mark.parametrize("alt", ["?alt=sse", ""])
@pytest.mark.parametrize("dialect", BEGUN)
async def test_a_broken_stream_ends_with_an_error(start: Start, dialect: str, alt: str) -> None:
    begun = BEGUN[dialect]
    async with talking(start, dialect, lambda _: stream(begun, cut=True)) as gateway:
        heard = await gateway.post(PATH + alt, HELLO)
        objects = heard.chunks if alt else heard.json
        assert said(objects[:-1]) == "Hel"
        error = objects[-1]["error"]
        assert (error["code"], error["status"]) == (502, "UNAVAILABLE")
        assert error["details"][0]["reason"] == "upstream_disconnected"


async def test_an_upstreams_own_error_is_told_once_and_in_our_words(start: Start) -> None:
    secret = sse({"error": {"code": 503, "message": "inner words", "status": "UNAVAILABLE"}})
    async with talking(start, "gemini", lambda _: stream(BEGUN["gemini"], 0.05, secret)) as gateway:
        heard = await gateway.post(f"{PATH}?alt=sse", HELLO)
        assert [list(one) for one in heard.chunks] == [["candidates"], ["error"]]
        assert b"inner words" not in heard.body


@pytest.mark.parametrize("dialect", BEGUN)
async def test_the_sdk_raises_what_broke_a_stream(start: Start, dialect: str) -> None:
    async with talking(start, dialect, lambda _: stream(BEGUN[dialect], cut=True)) as gateway:
        chunks = await client(gateway).aio.models.generate_content_stream(
            model="m1", contents="Hello"
        )
        assert (await anext(chunks)).text == "Hel"
        with pytest.raises(errors.ServerError) as caught:
            await anext(chunks)
        assert caught.value.code == 502


@pytest.mark.parametrize("alt", ["?alt=sse", ""])
async def test_a_silence_is_filled_with_what_no_client_reads(start: Start, alt: str) -> None:
    def say(asked: Asked) -> Script:
        return Script([0.12, *SAYS["openai"](asked).pieces], kind="text/event-stream")

    async with talking(start, "openai", say, server={"heartbeat": 0.03}) as gateway:
        heard = await gateway.post(PATH + alt, HELLO)
        assert heard.body.startswith(b"\n\n")
        assert said(heard.chunks if alt else heard.json) == TEXT
        if alt:
            chunks = await client(gateway).aio.models.generate_content_stream(
                model="m1", contents="Hello"
            )
            assert "".join([one.text or "" async for one in chunks]) == TEXT


async def test_a_late_refusal_is_an_error_in_the_stream(start: Start) -> None:
    def say(_: Asked) -> Script:
        return Script([0.12, b'{"error":{"message":"no"}}'], status=400)

    async with talking(start, "openai", say, server={"heartbeat": 0.03}) as gateway:
        for alt in ("?alt=sse", ""):
            heard = await gateway.post(PATH + alt, HELLO)
            objects = heard.chunks if alt else json.loads(heard.body)
            assert heard.status == 200
            assert [one["error"]["code"] for one in objects] == [400]


async def test_a_client_that_leaves_frees_the_upstream(start: Start) -> None:
    def say(_: Asked) -> Script:
        return stream(BEGUN["openai"], asyncio.Event())

    async with talking(start, "openai", say) as gateway, gateway.line() as line:
        line.send("POST", f"{PATH}?alt=sse", (BEARER, JSON), json.dumps(HELLO).encode())
        await line.head()
        assert b"Hel" in await line.piece()
        line.hang_up()
        await asyncio.wait_for(gateway.upstream.gone.wait(), 5)
