"""A conversation that began at another vendor: its extensions stay away from who refuses them."""

import json

import msgspec
import pytest
from tests.wall.asking import ask, offer, upstream

from infway.providers.openai.adapter import OpenAI
from infway.providers.openai.history import EXTENSIONS
from infway.providers.vendors import VENDORS

CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
SIGNED = {**CALL, "extra_content": {"google": {"thought_signature": "s"}}}
PART = {"type": "text", "text": "a"}
MESSAGES = [
    {"role": "user", "content": [{**PART, "cache_control": {"type": "ephemeral"}}]},
    {"role": "assistant", "content": None, "reasoning_content": "Hm.", "tool_calls": [SIGNED]},
    {"role": "tool", "tool_call_id": "c", "content": '"reasoning": no key'},
]  # fmt: skip
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {
    "annotations": {"type": "string"}}}}}  # fmt: skip


def sent(refuses: frozenset[str], **fields: object) -> tuple[dict, tuple[str, ...]]:
    raw = {name: msgspec.Raw(json.dumps(value).encode()) for name, value in fields.items()}
    call = OpenAI().request(ask(fields=raw), offer(source=upstream(refuses=refuses)))
    return json.loads(call.body), call.dropped


def test_what_is_refused_is_taken_out_and_listed():
    body, dropped = sent(EXTENSIONS, messages=MESSAGES, tools=[TOOL])
    assert body["messages"] == [
        {"role": "user", "content": [PART]},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        MESSAGES[2],
    ]
    assert body["tools"] == [TOOL]
    assert dropped == (
        "messages.content.cache_control",
        "messages.reasoning_content",
        "messages.tool_calls.extra_content",
    )


def test_a_vendor_may_take_some_of_them():
    body, dropped = sent(EXTENSIONS - {"reasoning_content"}, messages=MESSAGES)
    assert body["messages"][1]["reasoning_content"] == "Hm."
    assert "messages.reasoning_content" not in dropped


def test_a_marker_at_a_tool_is_taken_out_too():
    marked = {**TOOL, "cache_control": {"type": "ephemeral"}}
    body, dropped = sent(EXTENSIONS, messages=MESSAGES[:1], tools=[marked])
    assert body["tools"] == [TOOL]
    assert "tools.cache_control" in dropped


def test_whoever_refuses_nothing_gets_everything():
    body, dropped = sent(frozenset(), messages=MESSAGES)
    assert body["messages"] == MESSAGES
    assert dropped == ()


@pytest.mark.parametrize("name", ["openai", "azure", "mistral", "groq"])
def test_the_strict_vendors_are_known(name: str):
    assert {"reasoning_details", "cache_control", "extra_content"} <= VENDORS[name].refuses
