"""Requests to Claude as clients write them, and the bodies that leave."""

import json
from dataclasses import replace

import msgspec
import pytest
from tests.wall.asking import ask, offer, upstream

from infway.kernel.chat import HttpCall
from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Fault
from infway.providers.anthropic.adapter import Anthropic

ADAPTER = Anthropic()
HELLO = {"role": "user", "content": "Hello"}
DIRECT = "https://api.anthropic.com/v1/messages"
CLAUDE = "claude-sonnet-4-5"  # thinks with a budget, keeps to schemas, takes a prefill
NEWER = "claude-sonnet-5"  # thinks as it sees fit, samples as it likes
LOCKED = "claude-opus-5-5"  # thinks always, calls no tool on demand
ELDER = "claude-3-5-haiku-20241022"  # thinks never, keeps to no schema


def call(
    *messages: dict, native: str = CLAUDE, url: str = DIRECT, stream: bool = False, **said
) -> HttpCall:
    """What is sent for these messages; `source` and `limits` are facts of upstream and offer."""
    source, limits = said.pop("source", {}), said.pop("limits", {})
    fields = {"messages": list(messages) or [HELLO], **said}
    raw = {name: msgspec.Raw(json.dumps(value).encode()) for name, value in fields.items()}
    place = replace(upstream("claude", dialect="anthropic", **source), chat_url=url)
    return ADAPTER.request(ask(stream=stream, fields=raw), offer(native, place, **limits))


def body(*messages: dict, **said) -> dict:
    """What is sent, where nothing of the request is lost."""
    sent = call(*messages, **said)
    assert sent.dropped == ()
    return json.loads(sent.body)


def lossy(*messages: dict, **said) -> tuple[dict, tuple[str, ...]]:
    """What is sent, and what is not."""
    sent = call(*messages, **said)
    return json.loads(sent.body), sent.dropped


def blocks(*messages: dict, **said) -> list[list[dict]]:
    return [message["content"] for message in body(*messages, **said)["messages"]]


def refused(*messages: dict, **said) -> str | None:
    """The path of what Claude has no words for."""
    with pytest.raises(UpstreamFailed) as caught:
        call(*messages, **said)
    assert caught.value.failure.fault is Fault.UNTRANSLATABLE
    return caught.value.failure.param


def user(*parts: dict) -> dict:
    return {"role": "user", "content": list(parts)}


def text(said: str, **more) -> dict:
    return {"type": "text", "text": said, **more}


def calling(id_: str = "toolu_1", arguments: str = '{"city":"Oslo"}', **said) -> dict:
    function = {"name": "weather", "arguments": arguments}
    made = {"id": id_, "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [made], **said}


def answered(content: object = "rain", id_: str = "toolu_1", **said) -> dict:
    return {"role": "tool", "tool_call_id": id_, "content": content, **said}


def tool(name: str = "weather", **said) -> dict:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    return {"type": "function", "function": {"name": name, "parameters": schema, **said}}
