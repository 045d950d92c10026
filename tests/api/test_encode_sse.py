"""Streams: frames, usage, endings, errors in the middle."""

import asyncio
import json

import msgspec
import pytest
from tests.api.caller import BEARER, JSON, KEY, Headers, Heard, chat_body
from tests.api.upstream import DONE, USAGE, chunk, frames, stream
from tests.conftest import Gateway, Start

from infway.api.replies import ErrorDetail
from infway.ledger.rows import Row

INFUZU = (("Infuzu-API-Key", KEY), JSON)
PATH = "/v1/chat/completions"
DETAILS = {
    **USAGE,
    "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 2},
    "cost": 0.1,
}
FLAT = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
NESTED = {key: value for key, value in DETAILS.items() if key != "cost"}


async def test_every_event_is_one_data_line_and_a_blank_one(gateway: Gateway) -> None:
    heard = await gateway.chat(stream=True)
    assert heard.status == 200
    for frame in heard.frames:
        assert frame.startswith(b"data: ")
        assert b"\n" not in frame
    assert heard.frames[-1] == b"data: [DONE]"
    assert heard.body.count(b"[DONE]") == 1


async def test_frames_stay_as_they_came_but_for_the_id_and_the_model(start: Start) -> None:
    odd = [
        rb'{"content":"caf\u00e9 \ud83d\ude00 \/ 1.0"}',
        '{"content":"é \u2028 \u2029 "}'.encode(),
        rb'{"content":"data: {\"id\":\"chatcmpl-upstream\",\"model\":\"native-model-2024\"}\n\n"}',
        rb'{ "content" : "spaced" , "extra":[1.50, null] }',
        rb'{"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":""}}]}',
        rb'{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":1"}}]}',
        rb'{"refusal":"no"}',
        rb'{"audio":{"id":"a","data":"UklGRg=="}}',
    ]
    made = [chunk({}).replace(b'"delta":{}', b'"delta":' + one) for one in odd]
    made = [
        one.replace(b'"finish_reason":null', b'"logprobs":{"content":[{"logprob":-0.10}]},"finish_reason":null')
        for one in made
    ]  # fmt: skip
    gateway = await start(lambda _: stream(chunk({"role": "assistant"}), *made, *frames("x")[1:]))
    for together in (False, True):
        if together:
            joined = b"".join([chunk({"role": "assistant"}), *made, *frames("x")[1:]])
            gateway.upstream.say = lambda _: stream(joined)  # noqa: B023 - used before it changes
        heard = await gateway.chat(stream=True)
        own = heard.chunks[0]["id"]
        assert own == f"chatcmpl-{heard.header('x-request-id')}"
        for frame in made:
            seen = frame.replace(b'"id":"chatcmpl-upstream"', f'"id":"{own}"'.encode(), 1)
            assert seen.replace(b'"model":"native-model-2024"', b'"model":"m1"', 1) in heard.body


async def test_every_chunk_carries_the_same_id_and_model(gateway: Gateway) -> None:
    heard = await gateway.chat(stream=True, stream_options={"include_usage": True})
    assert len({(one["id"], one["model"], one["object"]) for one in heard.chunks}) == 1


async def test_usage_is_always_asked_for_and_given_on_the_finish_chunk(start: Start) -> None:
    gateway = await start(lambda _: stream(*frames("a", "b", usage=DETAILS)))
    heard = await gateway.chat(stream=True)
    assert gateway.upstream.asked[0].json["stream_options"] == {"include_usage": True}
    assert all(one["choices"] for one in heard.chunks)
    last = heard.chunks[-1]
    assert last["choices"][0]["finish_reason"] == "stop"
    assert last["usage"] == NESTED
    assert not any("usage" in one for one in heard.chunks[:-1])


@pytest.mark.parametrize(
    "asked", [{"stream_options": {"include_usage": True}}, {"usage": {"include": True}}]
)
async def test_usage_comes_in_a_chunk_of_its_own_where_it_was_asked_for(
    start: Start, asked: dict[str, object]
) -> None:
    gateway = await start(lambda _: stream(*frames("a", "b", usage=DETAILS)))
    heard = await gateway.chat(stream=True, **asked)
    *others, finish, last = heard.chunks
    assert last["choices"] == []
    assert last["usage"] == NESTED
    assert finish["choices"][0]["finish_reason"] == "stop"
    assert not any("usage" in one for one in [*others, finish])
    assert last["cost"] == pytest.approx(92.5e-6)
    assert ("cost_details" in last) == ("usage" in asked)


async def test_the_cost_is_told_beside_the_usage_that_was_asked_for_and_nowhere_else(
    start: Start,
) -> None:
    gateway = await start(lambda _: stream(*frames("a", usage=DETAILS)))
    body = chat_body(stream=True, stream_options={"include_usage": True})
    heard = await gateway.post(PATH, body, INFUZU)
    assert b'"usage":{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18},' in heard.body
    assert heard.body.count(b'"cost":') == heard.frames[-2].count(b'"cost":0.0000925}') == 1
    assert b'"cost' not in (await gateway.chat(stream=True)).body


async def test_what_the_upstream_itself_is_paid_is_told_to_nobody(start: Start) -> None:
    own = {"cost": 0.5, "cost_details": {"prompt_cost": 0.5}}
    ending = [chunk({}, "stop", **own), chunk(None, usage={**USAGE, "estimated_cost": 1}, **own)]
    gateway = await start(lambda _: stream(chunk({"content": "a"}, **own), *ending, DONE))
    assert b"cost" not in (await gateway.chat(stream=True)).body


async def test_the_configuration_may_want_the_usage_chunk_always(start: Start) -> None:
    gateway = await start(server={"always_usage_chunk": True})
    last = (await gateway.chat(stream=True)).chunks[-1]
    assert (last["choices"], last["usage"]) == ([], FLAT)


async def test_usage_is_three_integers_in_the_infuzu_dialect(start: Start) -> None:
    gateway = await start(lambda _: stream(*frames("a", usage=DETAILS)))
    body = chat_body(stream=True)
    replies = [
        await gateway.post(PATH, body, INFUZU),
        await gateway.post("/api" + PATH, body),
        await gateway.post(PATH, {**body, "model": {"llms": ["m1"]}}),
        await gateway.post(PATH, {**body, "model": None}),
    ]
    for heard in replies:
        assert heard.chunks[-1]["usage"] == FLAT


async def test_an_upstream_that_counts_nothing_is_counted_for(start: Start) -> None:
    gateway = await start(lambda _: stream(*frames(*["word "] * 9, usage=None)))
    usage = (await gateway.chat(stream=True)).chunks[-1]["usage"]
    assert usage["completion_tokens"] >= 9
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


async def test_the_cost_at_the_root_is_exact_to_the_last_digit(start: Start) -> None:
    gateway = await start(lambda _: stream(*frames("a", usage=DETAILS)))
    heard = await gateway.chat(stream=True, usage={"include": True})
    # 7 plain and 4 cached input tokens, 7 output tokens at 2.5, 1.25 and 10 USD per million
    assert b'"cost":0.0000925,' in heard.frames[-2]
    assert b'"prompt_cache_read_cost":0.000005,' in heard.frames[-2]
    assert heard.header("infe-unit-cost") is None


@pytest.mark.parametrize(
    ("native", "reason"),
    [("stop", "stop"), ("length", "length"), ("tool_calls", "tool_calls"),
     ("function_call", "tool_calls"), ("content_filter", "content_filter"), ("eos", "stop"),
     ("MAX_TOKENS", "length"), ("end_turn", "stop"), ("SAFETY", "content_filter"),
     ("insufficient_system_resource", "error"), ("never-heard-of", "stop")],
)  # fmt: skip
async def test_finish_reasons_are_five_and_the_upstreams_own_stands_beside(
    start: Start, native: str, reason: str
) -> None:
    ending = [chunk({}, native), chunk(None, usage=USAGE), DONE]
    gateway = await start(lambda _: stream(chunk({"content": "a"}), *ending))
    choice = (await gateway.chat(stream=True)).chunks[-1]["choices"][0]
    assert (choice["finish_reason"], choice["native_finish_reason"]) == (reason, native)
    assert choice["model"] == {"ref": "m1", "rank": 1}
    latency = choice["latency"]
    assert 0 <= latency["start_latency"] <= latency["end_latency"]
    assert all(type(value) is int for value in latency.values())


async def test_several_choices_end_each_by_itself(start: Start) -> None:
    pieces = [
        chunk({"role": "assistant", "content": "a"}, index=0),
        chunk({"role": "assistant", "content": "b"}, index=1),
        chunk({}, "stop", index=0),
        chunk({"content": "c"}, index=1),
        chunk({}, "length", index=1),
        chunk(None, usage=USAGE),
        DONE,
    ]
    gateway = await start(lambda _: stream(*pieces))
    heard = await gateway.chat(stream=True, n=2)
    ends = {
        one["choices"][0]["index"]: one["choices"][0]["finish_reason"]
        for one in heard.chunks
        if one["choices"][0]["finish_reason"]
    }
    assert ends == {0: "stop", 1: "length"}
    assert gateway.upstream.asked[0].json["n"] == 2


async def _broken(
    start: Start, *pieces: bytes, headers: Headers = (BEARER, JSON), **body: object
) -> tuple[Heard, Row]:
    go = asyncio.Event()
    said = (chunk({"content": "a"}), chunk({"content": "b"}), go, *pieces)
    gateway = await start(lambda _: stream(*said, cut=True), attempts={"max": 1})
    async with gateway.line() as line:
        line.send("POST", PATH, headers, json.dumps(chat_body(stream=True, **body)).encode())
        status, told = await line.head()
        seen = await line.piece()
        go.set()
        while piece := await asyncio.wait_for(line.piece(), 5):
            seen += piece
    return Heard(status, told, seen), (await gateway.rows())[0]


CUTS = {
    "the connection is cut": (),
    "in the middle of a frame": (b'data: {"id":"x","choices":[{"index":0,"del',),
    "done without a finish": (DONE,),
    "an error object": (b'data: {"error":{"message":"overheated","code":500}}\n\n',),
    "no JSON": (b"data: {oops\n\n",),
    "a frame that is no object": (b"data: [1]\n\n",),
}


@pytest.mark.parametrize("pieces", CUTS.values(), ids=CUTS)
async def test_a_stream_that_breaks_says_so_and_still_ends_with_the_sentinel(
    start: Start, pieces: tuple[bytes, ...]
) -> None:
    heard, row = await _broken(start, *pieces)
    assert heard.status == 200
    assert heard.frames[-1] == b"data: [DONE]"
    last = heard.chunks[-1]
    error = msgspec.convert(last["error"], ErrorDetail)
    assert error.status >= 500
    assert last.keys() == {"id", "object", "created", "model", "choices", "error"}
    (choice,) = last["choices"]
    assert (choice["delta"], choice["finish_reason"]) == ({"content": ""}, "error")
    assert choice["error"]["code"] == error.status
    assert b"overheated" not in heard.body
    assert (row.attempt, row.status) == (0, 200)
    assert row.outcome not in ("ok", "client_gone")


async def test_the_code_of_a_broken_choice_is_text_in_the_infuzu_dialect(start: Start) -> None:
    heard, _ = await _broken(start, headers=INFUZU)
    choice = heard.chunks[-1]["choices"][0]
    assert choice["error"]["code"] == heard.chunks[-1]["error"]["code"] == "upstream_disconnected"


async def test_a_broken_text_stream_stays_a_text_stream(start: Start) -> None:
    heard, _ = await _broken(start, messages=None, prompt="Say it")
    choice = heard.chunks[-1]["choices"][0]
    assert choice["text"] == ""
    assert "delta" not in choice
    assert choice["finish_reason"] == "error"


async def test_the_openai_sdk_raises_on_a_stream_that_breaks(start: Start) -> None:
    from openai import APIError, AsyncOpenAI

    gateway = await start(lambda _: stream(chunk({"content": "a"}), cut=True))
    async with AsyncOpenAI(api_key=KEY, base_url=f"{gateway.url}/v1", max_retries=0) as client:
        heard = []
        with pytest.raises(APIError):  # noqa: PT012 - the stream raises while it is read
            async for one in await client.chat.completions.create(
                model="m1", messages=[{"role": "user", "content": "Hi"}], stream=True
            ):
                heard.append(one.choices[0].delta.content)  # noqa: PERF401 - what came before it raises
        assert heard == ["a"]


async def test_a_stream_by_a_prompt_gives_texts(start: Start) -> None:
    gateway = await start(lambda _: stream(*frames("Hel", "lo")))
    body = {"model": "m1", "prompt": "Hi", "stream": True}
    for joined in (False, True):
        if joined:
            gateway.upstream.say = lambda _: stream(b"".join(frames("Hel", "lo")))
        heard = await gateway.post(PATH, body)
        choices = [one["choices"][0] for one in heard.chunks]
        assert "".join(choice["text"] for choice in choices) == "Hello"
        assert not any({"message", "delta"} & choice.keys() for choice in choices)
        assert [choice["finish_reason"] for choice in choices][-1] == "stop"
        assert heard.chunks[-1]["usage"] == FLAT


async def test_reasoning_is_given_by_both_of_its_names(start: Start) -> None:
    for name in ("reasoning", "reasoning_content"):
        gateway = await start(
            lambda _, name=name: stream(chunk({name: "hm"}), *frames("a")[1:])  # type: ignore[misc]
        )
        delta = (await gateway.chat(stream=True)).chunks[0]["choices"][0]["delta"]
        assert (delta["reasoning"], delta["reasoning_content"]) == ("hm", "hm")
