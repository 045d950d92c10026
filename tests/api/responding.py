"""Clients of Responses: OpenAI's own SDK, its published schema, upstreams of several dialects."""

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import openai
import pytest
import yaml
from tests.api.caller import KEY, Heard
from tests.api.upstream import DONE, USAGE, Asked, Script, chunk, stream, whole
from tests.conftest import Gateway

PUBLISHED = Path(__file__).parents[2] / ".." / "shared" / "corpus" / "openai-openapi.yaml"
needs_schema = pytest.mark.skipif(not PUBLISHED.exists(), reason="OpenAI's schema is not here")
WEATHER = {
    "type": "function",
    "name": "weather",
    "description": "The weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}


@asynccontextmanager
async def sdk(gateway: Gateway, key: str = KEY) -> AsyncIterator[openai.AsyncOpenAI]:
    """Open OpenAI's client."""
    async with openai.AsyncOpenAI(
        base_url=f"{gateway.url}/v1", api_key=key, max_retries=0, timeout=20
    ) as client:
        yield client


@cache
def _published() -> dict[str, Any]:
    text = PUBLISHED.read_text()
    components = yaml.load(text, Loader=yaml.CSafeLoader)["components"]
    return json.loads(json.dumps({"components": components}, default=str))


@cache
def _validator(name: str) -> jsonschema_rs.Validator:
    schema = {**_published(), "$ref": f"#/components/schemas/{name}"}
    return jsonschema_rs.validator_for(schema, validate_formats=False)


def conforms(value: dict[str, Any], name: str) -> None:
    """Assert that a value is what OpenAI's description calls so.

    A usage that is not known yet is null there in fact, whatever the description says.
    """
    if value.get("usage", 0) is None:
        value = {key: one for key, one in value.items() if key != "usage"}
    errors = _validator(name).iter_errors(value)
    problems = [f"{error.instance_path}: {error.message}" for error in errors]
    assert not problems, (problems[:3], value)


@cache
def _event_names() -> dict[str, str]:
    schemas = _published()["components"]["schemas"]
    names = [one["$ref"].rpartition("/")[2] for one in schemas["ResponseStreamEvent"]["anyOf"]]
    kinds = {name: schemas[name]["properties"]["type"] for name in names}
    return {kind["enum"][0]: name for name, kind in kinds.items()}


def event_conforms(event: dict[str, Any]) -> None:
    """Assert that an event is one of those that OpenAI describes."""
    response = event.get("response")
    if response is not None:
        conforms(response, "Response")
        usage = {key: one for key, one in response.items() if key != "usage" or one}
        event = {**event, "response": usage}
    conforms(event, _event_names()[event["type"]])


def events_of(heard: Heard) -> list[dict[str, Any]]:
    """Return the events of a stream; each frame is named as its data, and they are numbered."""
    *frames, last = heard.frames
    assert last == b"data: [DONE]"
    events = []
    for frame in frames:
        if frame.startswith(b":"):
            continue
        name, _, data = frame.partition(b"\ndata: ")
        events.append(json.loads(data))
        assert name == b"event: " + events[-1]["type"].encode()
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    return events


def kinds(events: Sequence[dict[str, Any]]) -> list[str]:
    """Return the types of events without what all begin with; equal neighbours once."""
    found: list[str] = []
    for event in events:
        kind = event["type"].removeprefix("response.")
        if not found or found[-1] != kind:
            found.append(kind)
    return found


def called(*pieces: str, name: str = "weather", id_: str = "call_1") -> list[bytes]:
    """Return the frames of a chat stream that calls a function."""
    first = {"index": 0, "id": id_, "type": "function"}
    frames = [chunk({"role": "assistant", "content": None})]
    frames.append(chunk({"tool_calls": [{**first, "function": {"name": name, "arguments": ""}}]}))
    more = [{"index": 0, "function": {"arguments": piece}} for piece in pieces]
    frames += [chunk({"tool_calls": [one]}) for one in more]
    return [*frames, chunk({}, "tool_calls"), chunk(None, usage=USAGE), DONE]


def claude(*blocks: dict[str, Any], stop: str = "end_turn") -> dict[str, Any]:
    """Return a message as Anthropic writes it."""
    usage = {"input_tokens": 11, "output_tokens": 7}
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": list(blocks),
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": usage,
    }


def claude_stream(message: dict[str, Any]) -> list[bytes]:
    """Return the events of a message as Anthropic streams it."""
    return [
        f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
        for event in _claude_events(message)
    ]


_DELTAS = {
    "text": [("text_delta", "text")],
    "thinking": [("thinking_delta", "thinking"), ("signature_delta", "signature")],
}


def _claude_events(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    begun = {**message, "content": [], "stop_reason": None}
    yield {"type": "message_start", "message": begun}
    for index, block in enumerate(message["content"]):
        empty = {**block, "input": {}} if block["type"] == "tool_use" else {**block}
        for _, field in _DELTAS.get(block["type"], []):
            empty[field] = ""
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        deltas = [
            {"type": kind, field: block[field]} for kind, field in _DELTAS.get(block["type"], [])
        ]
        if block["type"] == "tool_use":
            text = json.dumps(block["input"])
            deltas = [{"type": "input_json_delta", "partial_json": text}]
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": message["stop_reason"], "stop_sequence": None},
        "usage": message["usage"],
    }
    yield {"type": "message_stop"}


def says(body: dict[str, Any], frames: Sequence[bytes]) -> "Any":
    """Answer with the body, or its stream, as asked."""

    def say(asked: Asked) -> Script:
        return stream(*frames) if b'"stream":true' in asked.body else whole(body)

    return say


def upstreams(name: str, url: str, dialect: str, **more: object) -> dict[str, object]:
    """Return the settings of one upstream of another dialect that has `m1`."""
    prices = {"input_price": "2.5", "output_price": "10"}
    models = [{"native": f"native-{one}", **prices, "id": one, **more} for one in ("m1", "m2")]
    row = {"name": name, "vendor": "custom", "base_url": url, "dialect": dialect, "models": models}
    return {"upstreams": [row]}
