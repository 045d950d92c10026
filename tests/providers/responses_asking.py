"""Requests to OpenAI Responses as the adapter says them, held against the SDK's own types."""

import json
from collections.abc import Iterable

import msgspec
from openai.types.responses import ResponseTextConfigParam, ToolParam
from openai.types.responses.response_create_params import ToolChoice
from openai.types.responses.response_input_param import ResponseInputParam
from openai.types.shared_params import Reasoning
from pydantic import TypeAdapter
from tests.wall.asking import ask, offer, upstream

from infway.kernel.chat import Feature, HttpCall, Upstream
from infway.providers.responses.adapter import Responses

HELLO = {"role": "user", "content": "Hello"}
WEATHER = {
    "name": "weather",
    "description": "The weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
TYPES = {
    "input": TypeAdapter(ResponseInputParam),
    "tools": TypeAdapter(list[ToolParam]),
    "tool_choice": TypeAdapter(ToolChoice),
    "text": TypeAdapter(ResponseTextConfigParam),
    "reasoning": TypeAdapter(Reasoning),
}


def drawn(value: object) -> object:
    """A validated value read to its last item: the SDK's types hold iterators."""
    if isinstance(value, dict):
        return {key: drawn(one) for key, one in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [drawn(one) for one in value]
    return value


def asked(
    *messages: dict,
    native: str = "gpt-5.5",
    features: Feature = Feature(-1),  # noqa: B008 - a number
    source: Upstream | None = None,
    stream: bool = False,
    **fields: object,
) -> HttpCall:
    said = {"messages": list(messages) or [HELLO], **fields}
    raw = {name: msgspec.Raw(json.dumps(value).encode()) for name, value in said.items()}
    made = offer(native, source or upstream(dialect="responses"), features=features)
    return Responses().request(ask(stream=stream, fields=raw), made)


def body(*messages: dict, **said) -> dict:
    """The body of a call, as the SDK's own types take it."""
    sent = json.loads(asked(*messages, **said).body)
    for name, adapter in TYPES.items():
        if name in sent:
            drawn(adapter.validate_python(sent[name]))
    return sent


def items(*messages: dict, **said) -> list[dict]:
    return body(*messages, **said)["input"]


def dropped(*messages: dict, **said) -> tuple[str, ...]:
    return asked(*messages, **said).dropped


def called(name: str, arguments: str = "{}", id_: str = "call_1") -> dict:
    call = {"type": "function", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [{"id": id_, **call}]}


def answered(content: object, id_: str = "call_1") -> dict:
    return {"role": "tool", "tool_call_id": id_, "content": content}


def kept(kind: str, id_: str | None = "rs_1", form: str = "openai-responses-v1", **said) -> dict:
    return {"type": f"reasoning.{kind}", "format": form, **({"id": id_} if id_ else {}), **said}
