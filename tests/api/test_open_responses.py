"""The cases of Open Responses' own compliance suite, against every kind of upstream.

https://www.openresponses.org/compliance: what each case asks, and what it looks for. Its check of
shapes is that of the published schema; here it is said in `FIELDS` and `EVENTS`.
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from tests.api.caller import Heard
from tests.api.responding import called, claude, claude_stream, events_of, says, upstreams
from tests.api.test_responses_mirrored import MESSAGE, frame, response
from tests.api.upstream import Asked, Say, Script, answer, frames, listening, stream, whole
from tests.conftest import Start

TEXT = (str,)
NUMBER = (int, float)
MAYBE_TEXT = (str, type(None))
# Every field that a response has to have, and what it may be
FIELDS: Mapping[str, tuple[type, ...]] = {
    "id": TEXT,
    "object": TEXT,
    "created_at": (int,),
    "completed_at": (int, type(None)),
    "status": TEXT,
    "incomplete_details": (dict, type(None)),
    "model": TEXT,
    "previous_response_id": MAYBE_TEXT,
    "instructions": MAYBE_TEXT,
    "output": (list,),
    "error": (dict, type(None)),
    "tools": (list,),
    "tool_choice": (str, dict),
    "truncation": TEXT,
    "parallel_tool_calls": (bool,),
    "text": (dict,),
    "top_p": NUMBER,
    "presence_penalty": NUMBER,
    "frequency_penalty": NUMBER,
    "top_logprobs": (int,),
    "temperature": NUMBER,
    "reasoning": (dict, type(None)),
    "usage": (dict, type(None)),
    "max_output_tokens": (int, type(None)),
    "max_tool_calls": (int, type(None)),
    "store": (bool,),
    "background": (bool,),
    "service_tier": TEXT,
    "metadata": (dict,),
    "safety_identifier": MAYBE_TEXT,
    "prompt_cache_key": MAYBE_TEXT,
}
ITEM: Mapping[str, set[str]] = {
    "message": {"id", "status", "role", "content"},
    "function_call": {"id", "call_id", "name", "arguments", "status"},
}
_PLACE = {"item_id", "output_index"}
_PART = {*_PLACE, "content_index"}
EVENTS: Mapping[str, set[str]] = {
    "response.created": {"response"},
    "response.in_progress": {"response"},
    "response.completed": {"response"},
    "response.output_item.added": {"output_index", "item"},
    "response.output_item.done": {"output_index", "item"},
    "response.content_part.added": {*_PART, "part"},
    "response.content_part.done": {*_PART, "part"},
    "response.output_text.delta": {*_PART, "delta", "logprobs"},
    "response.output_text.done": {*_PART, "text", "logprobs"},
    "response.function_call_arguments.delta": {*_PLACE, "delta"},
    "response.function_call_arguments.done": {*_PLACE, "arguments"},
}
TOOL = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather of a place",
    "parameters": {"type": "object", "properties": {"location": {"type": "string"}}},
}
PIXEL = "data:image/png;base64,iVBORw0KGgo="


def _message(role: str, content: object) -> dict[str, object]:
    return {"type": "message", "role": role, "content": content}


CASES: Mapping[str, tuple[dict[str, Any], str]] = {
    "basic-response": ({"input": [_message("user", "Say hello in three words.")]}, "message"),
    "streaming-response": (
        {"input": [_message("user", "Count from 1 to 5.")], "stream": True},
        "message",
    ),
    "system-prompt": (
        {"input": [_message("system", "You are a pirate."), _message("user", "Hello.")]},
        "message",
    ),
    "tool-calling": (
        {"input": [_message("user", "The weather in Oslo?")], "tools": [TOOL]},
        "function_call",
    ),
    "tool-calling-streaming": (
        {"input": [_message("user", "The weather in Oslo?")], "tools": [TOOL], "stream": True},
        "function_call",
    ),
    "image-input": (
        {
            "input": [
                _message(
                    "user",
                    [
                        {"type": "input_text", "text": "What is it?"},
                        {"type": "input_image", "image_url": PIXEL},
                    ],
                )
            ]
        },
        "message",
    ),
    "multi-turn": (
        {
            "input": [
                _message("user", "My name is Alice."),
                _message("assistant", "Hello Alice!"),
                _message("user", "What is my name?"),
            ]
        },
        "message",
    ),
}


def _chat(asked: Asked) -> Script:
    if not asked.json.get("tools"):
        return stream(*frames("Hel", "lo")) if b'"stream":true' in asked.body else whole()
    if b'"stream":true' in asked.body:
        return stream(*called('{"location":', '"Oslo"}', name="get_weather"))
    function = {"name": "get_weather", "arguments": '{"location":"Oslo"}'}
    body: Any = answer()
    calls = [{"id": "call_1", "type": "function", "function": function}]
    body["choices"][0] |= {"finish_reason": "tool_calls"}
    body["choices"][0]["message"] = {"role": "assistant", "content": None, "tool_calls": calls}
    return whole(body)


def _claude(asked: Asked) -> Script:
    use = {
        "type": "tool_use",
        "id": "toolu_1",
        "name": "get_weather",
        "input": {"location": "Oslo"},
    }
    text = {"type": "text", "text": "Hello"}
    message = claude(use, stop="tool_use") if asked.json.get("tools") else claude(text)
    return says(message, claude_stream(message))(asked)


def _gemini(asked: Asked) -> Script:
    call = {"functionCall": {"name": "get_weather", "args": {"location": "Oslo"}}}
    part = call if asked.json.get("tools") else {"text": "Hello"}
    content = {"role": "model", "parts": [part]}
    usage = {"promptTokenCount": 11, "candidatesTokenCount": 7, "totalTokenCount": 18}
    body = {"candidates": [{"content": content, "finishReason": "STOP"}], "usageMetadata": usage}
    if "stream" in asked.path:
        return stream(b"data: " + json.dumps(body).encode() + b"\n\n")
    return whole(body)


UPSTREAMS: Mapping[str, Say] = {"openai": _chat, "anthropic": _claude, "gemini": _gemini}


@pytest.mark.parametrize("dialect", UPSTREAMS)
@pytest.mark.parametrize("case", CASES)
async def test_every_case_holds(start: Start, case: str, dialect: str) -> None:
    body, expected = CASES[case]
    async with listening(UPSTREAMS[dialect]) as behind:
        gateway = await start(upstream=behind, **upstreams("one", behind.url, dialect))
        heard = await gateway.post("/v1/responses", {"model": "m1", **body})
    made = _streamed(heard, expected) if body.get("stream") else heard.json
    check_response(made)
    assert made["status"] == "completed"
    assert expected in [item["type"] for item in made["output"]]


def _streamed(heard: Heard, expected: str) -> dict[str, Any]:
    """Return the response that a stream ends with, once its events were looked at."""
    events = events_of(heard)
    for event in events:
        missing = EVENTS[event["type"]] - event.keys()
        assert not missing, (event, missing)
        if "response" in event:
            check_response(event["response"])
    if expected == "function_call":
        told = [(event["type"], event.get("item", {}).get("type")) for event in events]
        assert ("response.output_item.added", "function_call") in told
        assert ("response.function_call_arguments.delta", None) in told
        assert ("response.function_call_arguments.done", None) in told
        assert ("response.output_item.done", "function_call") in told
    made: dict[str, Any] = events[-1]["response"]
    return made


def check_response(made: dict[str, Any]) -> None:
    """Assert that a response has every field, each of its kind."""
    for name, kinds in FIELDS.items():
        assert isinstance(made[name], kinds), name
    for item in made["output"]:
        assert ITEM[item["type"]] <= item.keys()
    for tool in made["tools"]:
        assert {"type", "name", "description", "parameters", "strict"} <= tool.keys()
    if made["usage"] is not None:
        counts = {"input_tokens", "output_tokens", "total_tokens"}
        assert counts | {"input_tokens_details", "output_tokens_details"} <= made["usage"].keys()


async def test_a_mirrored_stream_ends_with_the_sentinel_as_well(start: Start) -> None:
    made = response(output=[MESSAGE])
    end = [
        frame("response.created", 0, response=made),
        frame("response.completed", 1, response=made),
    ]
    async with listening(lambda _: stream(*end)) as behind:
        gateway = await start(upstream=behind, **upstreams("one", behind.url, "responses"))
        heard = await gateway.post("/v1/responses", {"model": "m1", "input": "Hi", "stream": True})
    assert heard.frames[-1] == b"data: [DONE]"
