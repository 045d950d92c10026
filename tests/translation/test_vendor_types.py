"""The judges see what a vendor would refuse: another kind, an unknown key, a missing one."""

import json
from typing import Any, Literal, NotRequired, TypedDict

import pytest
from tests.translation.annotations import faults
from tests.translation.published import broken_rules
from tests.translation.vendor_types import judge

from infway.kernel.chat import HttpCall

USER = {"role": "user", "content": "Hello"}
PLAIN: dict[str, dict[str, Any]] = {
    "anthropic": {"model": "m", "max_tokens": 5, "messages": [USER]},
    "bedrock-invoke": {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 5,
        "messages": [USER],
    },
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]},
    "bedrock": {"messages": [{"role": "user", "content": [{"text": "Hello"}]}]},
    "cohere": {"model": "m", "messages": [USER]},
    "ollama": {"model": "m", "messages": [USER]},
    "responses": {"model": "m", "input": [USER]},
}
WRONG: list[tuple[str, dict[str, Any]]] = [
    ("anthropic", {"max_tokens": "5"}),
    ("anthropic", {"seed": 5}),
    ("anthropic", {"messages": [{"role": "user", "content": [{"type": "text", "text": "x", "id": "y"}]}]}),
    ("anthropic", {"messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]}),
    ("anthropic", {"tool_choice": {"type": "required"}}),
    ("anthropic", {"thinking": {"type": "enabled"}}),
    ("bedrock-invoke", {"model": "m"}),
    ("bedrock-invoke", {"anthropic_version": "2023-06-01"}),
    ("gemini", {"model": "m"}),
    ("gemini", {"generationConfig": {"topK": "many"}}),
    ("gemini", {"contents": [{"role": "user", "parts": [{"inlineData": {"data": "!", "mimeType": "a/b"}}]}]}),
    ("gemini", {"toolConfig": {"functionCallingConfig": {"mode": "SOMETIMES"}}}),
    ("bedrock", {"messages": [{"role": "tool", "content": []}]}),
    ("bedrock", {"messages": [{"role": "user", "content": [{"text": "a", "image": {}}]}]}),
    ("bedrock", {"inferenceConfig": {"temperature": 1.5}}),
    ("bedrock", {"toolConfig": {"tools": [{"toolSpec": {"name": "a b", "inputSchema": {"json": {}}}}]}}),
    ("cohere", {"p": "0.5"}),
    ("cohere", {"messages": [{"role": "user", "content": [{"type": "file", "file": {}}]}]}),
    ("ollama", {"options": {"num_predict": 5, "depth": 1}}),
    ("ollama", {"messages": [{"role": "user", "content": "x", "images": ["!"]}]}),
    ("responses", {"input": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}),
    ("responses", {"tools": [{"type": "function", "function": {"name": "f"}}]}),
    ("responses", {"stop": ["x"]}),
]  # fmt: skip
RULES: list[tuple[str, dict[str, Any]]] = [
    ("anthropic", {"messages": [{"role": "user", "content": [{"type": "text", "text": " "}]}]}),
    ("anthropic", {"messages": [{"role": "assistant", "content": [{"type": "text", "text": "a"}]}]}),
    ("bedrock", {"messages": [PLAIN["bedrock"]["messages"][0]] * 2}),
    ("gemini", {"contents": [{"role": "user", "parts": []}]}),
    ("cohere", {"p": 1.0}),
    ("responses", {"max_output_tokens": 3}),
]  # fmt: skip


def _call(dialect: str, more: dict[str, Any]) -> HttpCall:
    return HttpCall("", "", {}, json.dumps({**PLAIN[dialect], **more}).encode())


@pytest.mark.parametrize("dialect", PLAIN)
def test_a_plain_request_is_taken(dialect: str) -> None:
    assert judge(dialect, _call(dialect, {})) == []


@pytest.mark.parametrize(("dialect", "more"), WRONG)
def test_what_a_vendor_has_no_words_for_is_refused(dialect: str, more: dict[str, Any]) -> None:
    assert judge(dialect, _call(dialect, more)) != []


@pytest.mark.parametrize(("dialect", "more"), RULES)
def test_what_only_the_documentation_forbids_is_refused(dialect: str, more: dict[str, Any]) -> None:
    call = _call(dialect, more)
    assert judge(dialect, call) == []
    assert broken_rules(dialect, json.loads(call.body), "m") != []


class Inner(TypedDict):
    type: Literal["inner"]
    size: NotRequired[int]


class Outer(TypedDict, total=False):
    parts: list[Inner | str]


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ({}, None),
        ({"parts": ["x", {"type": "inner", "size": 2}]}, None),
        ({"parts": "x"}, ".parts: 'x' is no list"),
        ({"parts": [{"type": "inner", "size": True}]}, ".parts[0].size: True is no <class 'int'>"),
        ({"parts": [{"type": "other"}]}, ".parts[0]: {'type': 'other'} is no <class 'str'>"),
        ({"parts": [{"size": 2}]}, ".parts[0].type: missing in Inner"),
        ({"more": 1}, ".more: Outer has no such key"),
    ],
)
def test_a_fault_is_told_with_its_place(value: object, fault: str | None) -> None:
    assert faults(value, Outer) == ([] if fault is None else [fault])
