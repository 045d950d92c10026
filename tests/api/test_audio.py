"""Speech and transcription through the whole line, over real sockets."""

import asyncio
import json

import httpx2
import pytest
from openai import AsyncOpenAI, RateLimitError
from tests.api.caller import BEARER, JSON, KEY, NARROW_KEY, refused
from tests.api.upstream import Script, fault, whole
from tests.api.working import SOUND, events, sound, upload, wave, working, works
from tests.conftest import Start

SPEECH = "/v1/audio/speech"
WRITTEN = "/v1/audio/transcriptions"
SAID = {"model": "s1", "input": "Hello there", "voice": "alloy"}
WAV = ("a.wav", wave(2.5), "audio/wav")
SRT = b"1\n00:00:00,000 --> 00:00:01,500\nhello\n\n2\n00:00:01,500 --> 00:01:02,250\nyou\n\n"
TOKENS = {
    "type": "tokens",
    "input_tokens": 30,
    "output_tokens": 5,
    "total_tokens": 35,
    "input_token_details": {"audio_tokens": 20, "text_tokens": 10},
}


def client(url: str) -> AsyncOpenAI:
    return AsyncOpenAI(api_key=KEY, base_url=f"{url}/v1", max_retries=0)


async def test_the_openai_sdk_hears_a_text_as_it_comes(start: Start) -> None:
    rest = asyncio.Event()

    async with (
        working(start, lambda _: Script([SOUND[:9], rest, SOUND[9:]], kind="audio/mpeg")) as (
            gateway
        ),
        client(gateway.url) as sdk,
    ):
        create = sdk.audio.speech.with_streaming_response.create
        async with create(model="s1", input="Hello there", voice="alloy") as reply:
            pieces = reply.iter_bytes()
            heard = await anext(pieces)
            assert heard == SOUND[:9]  # the rest was not said yet
            rest.set()
            async for piece in pieces:
                heard += piece
        assert heard == SOUND
        assert reply.headers["content-type"] == "audio/mpeg"
        (asked,) = gateway.upstream.asked
        assert asked.path == "/v1/audio/speech"
        assert asked.json == {**SAID, "model": "native-s1"}
        total, _ = await gateway.rows()
        # eleven characters at 15 USD per million
        assert (total.outcome, total.cost, total.estimated) == ("ok", 165_000_000, 0)


async def test_speech_comes_as_events_where_they_are_wanted(start: Start) -> None:
    usage = {"input_tokens": 4, "output_tokens": 100, "total_tokens": 104}
    said = [
        {"type": "speech.audio.delta", "audio": "AAAA"},
        {"type": "speech.audio.done", "usage": usage},
    ]
    native = {"native": "gpt-4o-mini-tts", "character_price": None, "mode": None}
    more = {"models": ["s1"], "s1": native, "vendor": "openai", "key": "k"}
    async with working(start, lambda _: events(*said), **more) as gateway:
        heard = await gateway.post(SPEECH, {**SAID, "stream_format": "sse"})
        assert heard.chunks == said
        total, _ = await gateway.rows()
        # 4 tokens at 0.60, 100 of sound at 12 USD per million
        assert (total.cost, total.stream, total.estimated) == (1_202_400_000, 1, 0)


async def test_speech_without_a_price_by_letters_is_paid_by_its_length(start: Start) -> None:
    native = {"native": "gpt-4o-mini-tts", "character_price": None, "mode": None}
    more = {"models": ["s1"], "s1": native, "vendor": "openai", "key": "k"}
    async with working(start, **more) as gateway:
        heard = await gateway.post(SPEECH, {**SAID, "input": "x" * 900})
        assert heard.body == SOUND
        total, _ = await gateway.rows()
        # 900 letters are about a minute, at 0.015 USD
        assert (total.cost, total.estimated) == (15_000_000_000, 1)


async def test_a_sound_that_is_cut_does_not_end_like_a_whole_one(start: Start) -> None:
    async with working(start, lambda _: sound(SOUND, SOUND, cut=True)) as gateway:
        async with httpx2.AsyncClient() as line:
            with pytest.raises(httpx2.RemoteProtocolError):
                await line.post(gateway.url + SPEECH, json=SAID, headers=dict([BEARER]))
        total, _ = await gateway.rows()
        assert total.outcome == "stream_cut"
        assert gateway.app.work  # the gateway lives
        assert (await gateway.get("/healthz", ())).status == 200


async def test_a_listener_that_leaves_ends_the_call_and_pays_what_was_asked(start: Start) -> None:
    endless = Script([SOUND, asyncio.Event()], kind="audio/mpeg")
    async with working(start, lambda _: endless) as gateway:
        async with gateway.line() as line:
            line.send("POST", SPEECH, (BEARER, JSON), json.dumps(SAID).encode())
            await asyncio.wait_for(line.head(), 5)
        await asyncio.wait_for(gateway.upstream.gone.wait(), 5)
        total, _ = await gateway.rows()
        assert (total.outcome, total.status, total.cost) == ("client_gone", 499, 165_000_000)


async def test_a_listener_that_leaves_before_the_head_is_read_leaves_nothing_behind(
    start: Start,
) -> None:
    endless = Script([SOUND, asyncio.Event()], kind="audio/mpeg")
    async with working(start, lambda _: endless) as gateway:
        stuck = asyncio.Event()
        heard = [{"type": "http.request", "body": json.dumps(SAID).encode()}]

        async def receive() -> dict[str, object]:
            if heard:
                return heard.pop()
            await stuck.wait()
            return {"type": "http.disconnect"}

        async def send(_: object) -> None:
            stuck.set()
            await asyncio.Event().wait()  # nobody reads: not even the head can be written

        head = [(name.lower().encode(), value.encode()) for name, value in (BEARER, JSON)]
        scope = {"type": "http", "method": "POST", "path": SPEECH, "headers": head}
        await asyncio.wait_for(gateway.app.front(scope, receive, send), 5)  # type: ignore[arg-type]
        await asyncio.wait_for(gateway.upstream.gone.wait(), 5)
        total, _ = await gateway.rows()
        assert (total.outcome, total.status) == ("client_gone", 499)
        slots = [slot for one in gateway.app.work.values() for slot in one.router.health.slots]
        assert slots
        assert not any(slot.in_flight or slot.account.in_flight for slot in slots)


@pytest.mark.parametrize(
    ("first", "told"),
    [
        (lambda _: fault(500), "http_500"),
        (lambda _: fault(429), "rate_limited"),
        (lambda _: sound(), "empty_stream"),
        (lambda _: whole({"error": {"message": "no", "code": "server_overloaded"}}), "overloaded"),
        (lambda _: whole({"audio": "AAAA"}), "wrong_content_type"),
        (lambda _: whole(b"<html>", kind="text/html"), "wrong_content_type"),
    ],
)
async def test_another_upstream_speaks_where_the_first_fails(
    start: Start, first: object, told: str
) -> None:
    async with working(start, first, works) as gateway:  # type: ignore[arg-type]
        heard = await gateway.post(SPEECH, SAID)
        assert heard.body == SOUND
        assert heard.header("x-gateway-attempts") == f"one:{told}, two:ok"


async def test_the_openai_sdk_writes_down_a_sound(start: Start) -> None:
    async with working(start) as gateway, client(gateway.url) as sdk:
        text = await sdk.audio.transcriptions.create(
            model="t1", file=WAV, language="en", timestamp_granularities=["word", "segment"]
        )
        assert text.text == "hello"
        english = await upload(gateway, "/v1/audio/translations", {"file": WAV}, model="t1")
        assert english.json["text"] == "hello"
        first, second = gateway.upstream.asked
        assert (first.path, second.path) == (WRITTEN, "/v1/audio/translations")
        assert WAV[1] in first.body
        assert b'name="model"\r\n\r\nnative-t1\r\n' in first.body
        assert first.body.count(b'name="timestamp_granularities[]"') == 2
        total = next(row for row in await gateway.rows() if row.attempt == 0)
        # nine seconds, as the upstream said, at 0.006 USD a minute
        assert (total.cost, total.estimated, total.model) == (900_000_000, 0, "t1")


@pytest.mark.parametrize(
    ("reply", "cost", "estimated"),
    [
        (whole({"text": "a", "duration": 3.5, "segments": []}), 350_000_000, 0),
        (whole({"text": "a", "duration": "3.5"}), 350_000_000, 0),
        (whole({"text": "a"}), 250_000_000, 0),  # the head of a WAV file tells its length
        (whole(b"a\n", kind="text/plain; charset=utf-8"), 250_000_000, 0),
        (whole(SRT, kind="application/x-subrip"), 250_000_000, 0),
        (whole({"text": "a", "usage": {"type": "duration", "seconds": -1}}), 250_000_000, 0),
    ],
)
async def test_a_sound_is_paid_by_the_second(
    start: Start, reply: Script, cost: int, estimated: int
) -> None:
    async with working(start, lambda _: reply) as gateway:
        heard = await upload(gateway, WRITTEN, {"file": WAV}, model="t1")
        assert heard.body == reply.pieces[0]
        assert heard.header("content-type") == reply.kind
        total, _ = await gateway.rows()
        assert (total.cost, total.estimated) == (cost, estimated)


async def test_the_length_of_another_sound_is_guessed_or_read_from_its_subtitles(
    start: Start,
) -> None:
    replies = [whole(SRT, kind="text/plain"), whole({"text": "a"})]
    async with working(start, lambda _: replies.pop(0)) as gateway:
        mp3 = ("a.mp3", bytes(160_000), "audio/mpeg")
        await upload(gateway, WRITTEN, {"file": mp3}, model="t1", response_format="srt")
        await upload(gateway, WRITTEN, {"file": mp3}, model="t1")
        rows = [row for row in await gateway.rows() if row.attempt == 0]
        assert [row.cost for row in rows] == [6_225_000_000, 1_000_000_000]
        assert {row.estimated for row in rows} == {1}


async def test_a_sound_of_tokens_is_paid_by_them(start: Start) -> None:
    native = {"native": "gpt-4o-transcribe", "minute_price": None, "mode": None}
    more = {"models": ["t1"], "t1": native, "vendor": "openai", "key": "k"}
    reply = {"text": "a", "usage": TOKENS}
    async with working(start, lambda _: whole(reply), **more) as gateway:
        await upload(gateway, WRITTEN, {"file": WAV}, model="t1")
        total, _ = await gateway.rows()
        # 30 tokens at 2.50, of text and of sound, 5 at 10 USD per million
        assert (total.cost, total.prompt_tokens, total.completion_tokens) == (125_000_000, 30, 5)
        refused(
            await upload(gateway, "/v1/audio/translations", {"file": WAV}, model="t1"),
            400,
            "unsupported_parameter",
            "model",
        )


async def test_a_transcript_comes_as_events(start: Start) -> None:
    said = [
        {"type": "transcript.text.delta", "delta": "hel"},
        {"type": "transcript.text.done", "text": "hello", "usage": TOKENS},
    ]
    async with working(start, lambda _: events(*said)) as gateway, client(gateway.url) as sdk:
        stream = await sdk.audio.transcriptions.create(model="t1", file=WAV, stream=True)
        assert [event.type async for event in stream] == [one["type"] for one in said]
        total, _ = await gateway.rows()
        assert (total.outcome, total.stream, total.completion_tokens) == ("ok", 1, 5)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/audio/transcriptions",
        "/audio/transcriptions",
        "/api/v1/audio/transcriptions",
        "/openai/deployments/t1/audio/transcriptions",
    ],
)
async def test_every_address_of_transcription_answers(start: Start, path: str) -> None:
    async with working(start) as gateway:
        fields = {} if "t1" in path else {"model": "t1"}
        heard = await upload(gateway, path, {"file": WAV}, **fields)
        assert heard.json["text"] == "hello"
        assert b'name="model"\r\n\r\nnative-t1\r\n' in gateway.upstream.asked[0].body


async def test_limits_of_keys_and_sizes_hold(start: Start) -> None:
    async with working(start, server={"body_limit": 100_000}) as gateway:
        narrow = (("Authorization", f"Bearer {NARROW_KEY}"),)
        heard = await upload(gateway, WRITTEN, {"file": WAV}, narrow, model="t1")
        refused(heard, 403, "model_not_accessible", "model")
        large = ("a.wav", bytes(100_001), "audio/wav")
        heard = await upload(gateway, WRITTEN, {"file": large}, model="t1")
        refused(heard, 413, "payload_too_large")
        heard = await upload(gateway, WRITTEN, {"file": WAV}, model="s1")
        refused(heard, 404, "model_not_found", "model")
        assert "/v1/audio/speech" in heard.json["error"]["message"]
        assert gateway.upstream.asked == []


async def test_too_many_requests_are_told_to_the_sdk(start: Start) -> None:
    limited = fault(429, headers=("retry-after: 60",))
    async with working(start, lambda _: limited) as gateway, client(gateway.url) as sdk:
        with pytest.raises(RateLimitError) as told:
            await sdk.audio.speech.create(model="s1", input="a", voice="alloy")
        assert told.value.response.headers["retry-after"] == "60"
        assert told.value.code == "upstream_rate_limited"
