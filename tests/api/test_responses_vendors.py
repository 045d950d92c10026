"""Responses over Gemini and over upstreams that cannot say everything: nothing is lost in silence."""

import json
from typing import Any

from tests.api.responding import WEATHER, claude, claude_stream, events_of, says, sdk, upstreams
from tests.api.upstream import DONE, USAGE, Asked, Script, chunk, listening, stream, whole
from tests.conftest import Start

SIGNED = {
    "functionCall": {"name": "weather", "args": {"city": "Oslo"}},
    "thoughtSignature": "c2lnbmF0dXJl",
}
THOUGHT = {"text": "Look it up.", "thought": True}


def gemini(asked: Asked) -> Script:
    """Think, and call a function that has a signature."""
    content = {"role": "model", "parts": [THOUGHT, SIGNED]}
    usage = {"promptTokenCount": 11, "candidatesTokenCount": 7, "totalTokenCount": 18}
    body = {"candidates": [{"content": content, "finishReason": "STOP"}], "usageMetadata": usage}
    if "stream" in asked.path:
        return stream(b"data: " + json.dumps(body).encode() + b"\n\n")
    return whole(body)


async def test_geminis_signature_comes_back_with_its_call(start: Start) -> None:
    async with listening(gemini) as behind:
        gateway = await start(upstream=behind, **upstreams("g", behind.url, "gemini"))
        async with sdk(gateway) as client:
            for is_kept in (True, False):
                given: Any = [{"role": "user", "content": "Weather?"}]
                async with client.responses.stream(
                    model="m1",
                    input=given,
                    tools=[WEATHER],  # type: ignore[list-item]
                    store=is_kept,
                    reasoning={"summary": "auto"},
                ) as events:
                    async for _ in events:
                        pass
                    made = await events.get_final_response()
                types = [item.type for item in made.output]
                assert types == ["reasoning", "function_call", "reasoning"]
                call: Any = made.output[1]
                result = {"type": "function_call_output", "call_id": call.call_id, "output": "Rain"}
                if is_kept:
                    await client.responses.create(
                        model="m1",
                        input=[result],  # type: ignore[list-item]
                        previous_response_id=made.id,
                        tools=[WEATHER],  # type: ignore[list-item]
                    )
                else:
                    given += [item.model_dump(exclude_unset=True) for item in made.output]
                    given.append(result)
                    await client.responses.create(
                        model="m1",
                        input=given,
                        store=False,
                        tools=[WEATHER],  # type: ignore[list-item]
                    )
                sent: Any = behind.asked[-1].json
                model = next(turn for turn in sent["contents"] if turn["role"] == "model")
                signatures = [part.get("thoughtSignature") for part in model["parts"]]
                assert signatures[-1] == SIGNED["thoughtSignature"]


async def test_hidden_thoughts_are_an_item_that_says_nothing(start: Start) -> None:
    hidden = {"type": "redacted_thinking", "data": "aGlkZGVu"}
    message = claude(hidden, {"type": "text", "text": "Hello"})
    async with listening(says(message, claude_stream(message))) as behind:
        gateway = await start(upstream=behind, **upstreams("c", behind.url[:-3], "anthropic"))
        body: dict[str, Any] = {"model": "m1", "input": "Hi", "stream": True}
        events = events_of(await gateway.post("/v1/responses", body))
        response = events[-1]["response"]
        assert [item["type"] for item in response["output"]] == ["reasoning", "message"]
        follow = {"model": "m1", "input": "?", "previous_response_id": response["id"]}
        await gateway.post("/v1/responses", follow)
    sent: Any = behind.asked[-1].json
    assert sent["messages"][1]["content"][0] == hidden


async def test_cache_markers_reach_claude(start: Start) -> None:
    message = claude({"type": "text", "text": "Hello"})
    async with listening(says(message, claude_stream(message))) as behind:
        gateway = await start(upstream=behind, **upstreams("c", behind.url[:-3], "anthropic"))
        mark = {"cache_control": {"type": "ephemeral"}}
        part = {"type": "input_text", "text": "Long", **mark}
        items = [{"role": "user", "content": [part]}]
        body = {"model": "m1", "input": items, "tools": [{**WEATHER, **mark}]}
        heard = await gateway.post("/v1/responses", body)
    assert heard.header("x-gateway-dropped") is None
    sent: Any = behind.asked[-1].json
    assert sent["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral"}
    assert sent["tools"][0]["cache_control"] == {"type": "ephemeral"}


async def test_what_an_upstream_was_not_told_is_listed(start: Start) -> None:
    gateway = await start()
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    items = [{"role": "user", "content": "Hi"}, search]
    body = {"model": "m1", "input": items, "truncation": "auto", "max_tool_calls": 2}
    heard = await gateway.post("/v1/responses", body)
    assert heard.header("x-gateway-dropped") == "input[1].type, truncation, max_tool_calls"
    assert heard.json["truncation"] == "auto"


async def test_calls_that_come_interleaved_keep_their_pieces(start: Start) -> None:
    def piece(index: int, **said: object) -> bytes:
        return chunk({"tool_calls": [{"index": index, **said}]})

    said = stream(
        piece(0, id="a", type="function", function={"name": "f", "arguments": '{"n":'}),
        piece(1, id="b", type="function", function={"name": "g", "arguments": '{"n":'}),
        piece(0, function={"arguments": "1}"}),
        piece(1, function={"arguments": "2}"}),
        chunk({}, "tool_calls"),
        chunk(None, usage=USAGE),
        DONE,
    )
    gateway = await start(lambda _: said)
    body = {"model": "m1", "input": "Hi", "stream": True}
    events = events_of(await gateway.post("/v1/responses", body))
    calls = events[-1]["response"]["output"]
    assert [(call["name"], call["call_id"], call["arguments"]) for call in calls] == [
        ("f", "a", '{"n":1}'),
        ("g", "b", '{"n":2}'),
    ]
