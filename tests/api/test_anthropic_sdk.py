"""Anthropic's own client over upstreams that speak other dialects."""

import json

import anthropic
import pytest
from tests.api.anthropic_asking import HELLO, assistant, result, use, user
from tests.api.anthropic_talking import (
    GEMINI,
    WEATHER,
    behind,
    both,
    client,
    created,
    gemini,
    openai,
    streamed,
)
from tests.api.caller import KEY, NARROW_KEY
from tests.api.upstream import Asked, Script, chunk, fault, stream
from tests.conftest import Gateway, Start
from tests.providers.gemini_saying import reply, saying

PATHS = ("/v1/messages", "/messages", "/api/v1/messages", "/anthropic/v1/messages")
BODY = {"model": "m1", "max_tokens": 100, "messages": [HELLO]}
X_KEY, JSON = ("X-Api-Key", KEY), ("Content-Type", "application/json")


async def test_a_question_is_answered_whole_and_streamed(gateway: Gateway) -> None:
    said = await created(gateway)
    assert said.id.startswith("msg_")
    assert (said.type, said.role, said.model) == ("message", "assistant", "m1")
    assert [block.to_dict() for block in said.content] == [{"type": "text", "text": "Hello"}]
    assert said.stop_reason == "end_turn"
    assert (said.usage.input_tokens, said.usage.output_tokens) == (11, 7)
    other, kinds = await streamed(gateway)
    assert other.content[0].to_dict() == {"type": "text", "text": "Hello"}
    assert kinds == [
        "message_start", "content_block_start", "content_block_delta", "text",
        "content_block_delta", "text", "content_block_stop", "message_delta", "message_stop",
    ]  # fmt: skip
    assert (other.usage.input_tokens, other.usage.output_tokens) == (11, 7)
    rows = await gateway.rows()
    assert [row.outcome for row in rows][-1] == "ok"


@pytest.mark.parametrize("path", [*PATHS, "/v1/messages?beta=true"])
@pytest.mark.parametrize("key", [X_KEY, ("Authorization", f"Bearer {KEY}")])
async def test_every_path_and_key_header_is_served(
    gateway: Gateway, path: str, key: tuple[str, str]
) -> None:
    heard = await gateway.post(path, BODY, (key, JSON))
    assert heard.status == 200
    assert heard.header("request-id") == heard.header("x-request-id")
    assert heard.json["id"] == f"msg_{heard.header('request-id')}"
    counted = await gateway.post(
        path.replace("messages", "messages/count_tokens"), BODY, (key, JSON)
    )
    assert counted.json["input_tokens"] > 0


async def test_a_stream_is_framed_as_anthropic_frames_it(gateway: Gateway) -> None:
    heard = await gateway.post("/v1/messages", {**BODY, "stream": True})
    assert heard.header("content-type") == "text/event-stream; charset=utf-8"
    events = [frame.decode().split("\n") for frame in heard.frames]
    for name, data in events:
        assert name == f"event: {json.loads(data[6:])['type']}"
    start = json.loads(events[0][1][6:])["message"]
    assert start["content"] == []
    assert start["stop_reason"] is None
    assert start["usage"]["output_tokens"] == 0
    assert json.loads(events[-2][1][6:])["delta"] == {
        "stop_reason": "end_turn",
        "stop_sequence": None,
    }


async def test_tools_are_called_in_parallel_and_answered(start: Start) -> None:
    calls = [
        {"id": f"call_{i}", "type": "function", "function": {"name": "weather", "arguments": f'{{"city":"{city}"}}'}}
        for i, city in enumerate(("Oslo", "Rome"))
    ]  # fmt: skip

    def piece(index: int, arguments: str, **first: object) -> dict:
        function = {"arguments": arguments, **({"name": "weather"} if first else {})}
        return {"tool_calls": [{"index": index, "function": function, **first}]}

    pieces = [
        {"content": "I look."},
        piece(0, "", id="call_0", type="function"),
        piece(1, "", id="call_1", type="function"),
        piece(0, '{"city":'),
        piece(1, '{"city":'),
        piece(1, '"Rome"}'),
        piece(0, '"Oslo"}'),
    ]
    say = openai({"content": "I look.", "tool_calls": calls}, "tool_calls", *pieces)
    async with behind(start, say) as gateway:
        said = await both(gateway, tools=[WEATHER])
        assert said.stop_reason == "tool_use"
        text, first, second = (block.to_dict() for block in said.content)
        assert text == {"type": "text", "text": "I look."}
        assert first == use("call_0", city="Oslo")
        assert second == use("call_1", city="Rome")
        results = user(result("sunny", "call_0"), result("rain", "call_1"))
        await created(gateway, tools=[WEATHER], messages=[HELLO, assistant(first, second), results])
        sent = gateway.upstream.asked[-1].json["messages"]
        assert isinstance(sent, list)
        assert [(one["role"], one.get("tool_call_id")) for one in sent[2:]] == [
            ("tool", "call_0"),
            ("tool", "call_1"),
        ]


async def test_what_a_model_thinks_is_a_block_of_its_own(start: Start) -> None:
    say = openai(
        {"content": "Yes.", "reasoning_content": "Hm."},
        "length",
        {"reasoning_content": "H"},
        {"reasoning_content": "m."},
        {"content": "Yes."},
    )
    async with behind(start, say) as gateway:
        said = await both(gateway)
        assert [block.type for block in said.content] == ["thinking", "text"]
        assert said.stop_reason == "max_tokens"
        hidden = await both(gateway, thinking={"type": "adaptive", "display": "omitted"})
        assert [block.type for block in hidden.content] == ["text"]


async def test_gemini_answers_with_signed_calls(start: Start) -> None:
    call = {"functionCall": {"name": "weather", "args": {"city": "Oslo"}}, "thoughtSignature": "c2ln"}  # fmt: skip
    say = gemini(
        reply(saying({"text": "Hm.", "thought": True}, finish=None), usage=None),
        reply(saying(call)),
    )
    async with behind(start, say, GEMINI, "gemini-3-pro") as gateway:
        said = await both(gateway, tools=[WEATHER])
        assert [block.type for block in said.content] == [
            "thinking",
            "redacted_thinking",
            "tool_use",
        ]
        assert said.stop_reason == "tool_use"
        blocks = [block.to_dict() for block in said.content]
        messages = [HELLO, assistant(*blocks), user(result("sunny", str(blocks[2]["id"])))]
        await created(gateway, tools=[WEATHER], messages=messages)
        assert b'"thoughtSignature":"c2ln"' in gateway.upstream.asked[-1].body


async def test_tokens_of_the_cache_are_counted_apart(start: Start) -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105, "prompt_tokens_details": {"cached_tokens": 80}}  # fmt: skip
    say = openai({"content": "Hi"}, "stop", {"content": "Hi"}, usage=usage)
    async with behind(start, say) as gateway:
        said = await both(gateway)
        assert said.usage.input_tokens == 20
        assert said.usage.cache_read_input_tokens == 80


async def test_a_refusal_says_why(start: Start) -> None:
    async with behind(
        start, openai({"content": None, "refusal": "No."}, "stop", {"refusal": "No."})
    ) as gateway:
        said = await both(gateway)
        assert said.stop_reason == "refusal"
        assert said.stop_details is not None
        assert said.stop_details.explanation == "No."


async def test_tokens_are_counted_without_any_upstream(gateway: Gateway) -> None:
    async with client(gateway) as one:
        few = await one.messages.count_tokens(model="m1", messages=[HELLO])  # type: ignore[list-item]  # it fits
        many = await one.messages.count_tokens(
            model="m1",
            system="You know the weather.",
            messages=[{"role": "user", "content": "Hello " * 500}],
            tools=[WEATHER],  # type: ignore[list-item]  # it fits
        )
    assert 0 < few.input_tokens < 20
    assert many.input_tokens > 500
    assert gateway.upstream.asked == []


@pytest.mark.parametrize(
    ("change", "key", "kind", "code"),
    [
        ({"max_tokens": -1}, KEY, anthropic.BadRequestError, "invalid_field"),
        ({}, "wrong", anthropic.AuthenticationError, "invalid_api_key"),
        ({}, NARROW_KEY, anthropic.PermissionDeniedError, "model_not_accessible"),
        ({"model": "none"}, KEY, anthropic.NotFoundError, "model_not_found"),
    ],
)
async def test_errors_are_of_anthropics_classes(
    gateway: Gateway, change: dict, key: str, kind: type[anthropic.APIStatusError], code: str
) -> None:
    async with client(gateway, api_key=key) as one:
        for call in (one.messages.create, one.messages.count_tokens):
            said = {**BODY, **change}
            if call != one.messages.create:
                if "max_tokens" in change:
                    continue
                del said["max_tokens"]
            with pytest.raises(kind) as caught:
                await call(**said)  # type: ignore[operator]  # what a test says fits
            body = caught.value.body
            assert isinstance(body, dict)
            assert body["type"] == "error"
            assert body["error"]["code"] == code
            assert body["request_id"] == caught.value.request_id


async def test_a_missing_limit_is_named(gateway: Gateway) -> None:
    heard = await gateway.post("/v1/messages", {"model": "m1", "messages": [HELLO]})
    assert heard.status == 400
    assert heard.json["type"] == "error"
    error = heard.json["error"]
    assert error["type"] == "invalid_request_error"
    assert (error["code"], error["param"]) == ("missing_required_field", "max_tokens")


async def test_what_no_upstream_understands_is_refused(gateway: Gateway) -> None:
    tools = [{"type": "web_search_20250305", "name": "web_search"}]
    heard = await gateway.post("/v1/messages", {**BODY, "tools": tools})
    assert (heard.status, heard.code) == (400, "unsupported_parameter")
    assert "tools[0].type" in heard.json["error"]["message"]


async def test_what_is_lost_is_listed(gateway: Gateway) -> None:
    body = {
        **BODY,
        "speed": "fast",
        "messages": [HELLO, assistant(use()), user(result(is_error=True))],
    }
    heard = await gateway.post("/v1/messages", body)
    assert heard.header("x-gateway-dropped") == "messages[2].content[0].is_error, speed"


@pytest.mark.parametrize(
    ("status", "kind", "word"),
    [
        (429, anthropic.RateLimitError, "rate_limit_error"),
        (500, anthropic.InternalServerError, "api_error"),
        (529, anthropic.InternalServerError, "overloaded_error"),
    ],
)
async def test_an_upstreams_failure_is_told_by_its_type(
    start: Start, status: int, kind: type[anthropic.APIStatusError], word: str
) -> None:
    async with behind(start, lambda _: fault(status)) as gateway:
        with pytest.raises(kind) as caught:
            await created(gateway)
        assert isinstance(caught.value.body, dict)
        assert caught.value.body["error"]["type"] == word
        assert (await gateway.rows())[-1].outcome != "ok"


async def test_a_stream_that_breaks_ends_in_an_error(start: Start) -> None:
    def say(_: Asked) -> Script:
        return stream(chunk({"content": "Hel"}), cut=True)

    async with behind(start, say) as gateway:
        with pytest.raises(anthropic.APIStatusError) as caught:
            await streamed(gateway)
        assert isinstance(caught.value.body, dict)
        assert caught.value.body["error"]["code"] == "upstream_disconnected"
        heard = await gateway.post("/v1/messages", {**BODY, "stream": True})
        assert heard.frames[-1].startswith(b"event: error\n")
        assert b"message_stop" not in heard.body
