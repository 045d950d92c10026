"""The readers of vendors' bodies see everything: whatever changes in a body is told."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.translation.generated import asked, failures
from tests.translation.messages import DATA, PDF
from tests.translation.offers import offers, translating
from tests.translation.published import broken_rules
from tests.translation.telling import lost
from tests.translation.vendor_types import judge

from infway.kernel.chat import HttpCall
from infway.providers.registry import ADAPTERS

Json = dict[str, Any]
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city"],
    "additionalProperties": False,
}
_CACHED = {"cache_control": {"type": "ephemeral"}}


def _call(id_: str, name: str, arguments: str) -> Json:
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}


REQUEST: Json = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [
            {"type": "text", "text": "Look:", **_CACHED},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{DATA}"}},
            {"type": "text", "text": "What is it?"},
        ]},
        {"role": "assistant", "content": "Let me see.", "tool_calls": [
            _call("call_1", "look", '{"city": "Ulm", "days": 2}'), _call("call_2", "add", '{"n": [1]}'),
        ]},
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
        {"role": "tool", "tool_call_id": "call_2", "content": "sun"},
        {"role": "user", "content": "And now?"},
    ],
    "temperature": 0.3, "max_tokens": 3000, "stop": ["END", "."], "seed": 7,
    "tools": [{"type": "function", "function": {
        "name": name, "description": f"to {name}", "parameters": SCHEMA}} for name in ("look", "add")],
}  # fmt: skip
WITH_FILE: Json = {"messages": [{"role": "user", "content": [
    {"type": "text", "text": "Read."},
    {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{PDF}", "filename": "a.pdf"}},
]}]}  # fmt: skip
FORMED: Json = {
    "messages": [{"role": "user", "content": "Hello"}],
    "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}},
}
CASES = {"tools": REQUEST, "file": WITH_FILE, "form": FORMED}
# What may change and mean the same: who is asked, how the reply travels, what a schema is called
_FREE = {"model", "stream", "title", "detail", "store", "include", "anthropic_version"}
# The name of a form, an output limit where none is wished, types with only one word
_MAY_CHANGE = re.compile(
    r".*(jsonSchema|format)\.name|\.max_tokens|without .*(tools|calls).*\.type"
)
# Results may stand in another order
_RESULT = re.compile(r'"(tool_result|toolResult|functionResponse|function_call_output|tool)"')


def _told(dialect: str, request: Json) -> HttpCall | None:
    ask, offer = asked(request), offers(dialect)[0]
    if dialect in ("ollama", "cohere") and request is WITH_FILE:
        return None
    assert failures(dialect, request, ask, offer) == []
    return ADAPTERS[dialect].request(ask, offer)


def _changes(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the value with one thing in it changed, taken away or put in another place."""
    match value:
        case dict():
            for key, inner in value.items():
                if key not in _FREE:
                    yield f"without {path}.{key}", {k: v for k, v in value.items() if k != key}
                    for name, changed in _changes(inner, f"{path}.{key}"):
                        yield name, {**value, key: changed}
        case list():
            for place, inner in enumerate(value):
                yield f"without {path}[{place}]", value[:place] + value[place + 1 :]
                if place and value[place - 1] != inner and not _RESULT.search(json.dumps(inner)):
                    moved = [*value[: place - 1], inner, value[place - 1], *value[place + 1 :]]
                    yield f"{path}[{place}] before its neighbour", moved
                for name, changed in _changes(inner, f"{path}[{place}]"):
                    yield name, [*value[:place], changed, *value[place + 1 :]]
        case bool():
            yield path, not value
        case int() | float():
            yield path, value + 1
        case str():
            yield path, value + "x"


def _is_seen(dialect: str, request: Json, call: HttpCall) -> bool:
    try:
        if lost(dialect, request, call):
            return True
        native = offers(dialect)[0].native
        return bool(judge(dialect, call) or broken_rules(dialect, json.loads(call.body), native))
    except (KeyError, ValueError, TypeError, IndexError, AssertionError, AttributeError):
        return True  # the reader cannot make sense of it


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("dialect", translating())
def test_no_part_of_a_body_can_change_unseen(dialect: str, case: str) -> None:
    call = _told(dialect, CASES[case])
    if call is None:
        pytest.skip("the dialect has no words for it")
    body = json.loads(call.body)
    unseen = [
        name
        for name, changed in _changes(body)
        if not _MAY_CHANGE.fullmatch(name)
        and not (name == ".max_tokens" and "max_tokens" not in CASES[case])
        and not _is_seen(
            dialect,
            CASES[case],
            HttpCall("", "", {}, json.dumps(changed).encode(), call.dropped),
        )
    ]
    assert unseen == []


@pytest.mark.parametrize("dialect", translating())
def test_what_is_put_in_is_seen(dialect: str) -> None:
    call = _told(dialect, REQUEST)
    assert call is not None
    body = json.loads(call.body)
    key = "contents" if dialect == "gemini" else "input" if dialect == "responses" else "messages"
    for place, message in enumerate(body[key]):
        more = {**body, key: [*body[key][:place], message, *body[key][place:]]}
        twice = HttpCall("", "", {}, json.dumps(more).encode(), call.dropped)
        assert _is_seen(dialect, REQUEST, twice), place


@pytest.mark.parametrize("dialect", translating())
def test_a_field_that_is_neither_told_nor_listed_is_seen(dialect: str) -> None:
    call = _told(dialect, REQUEST)
    assert call is not None
    for name in ("min_p", "logit_bias", "prediction"):
        assert lost(dialect, {**REQUEST, name: {"a": 1}}, call)


@pytest.mark.parametrize("dialect", translating())
def test_what_is_listed_is_excused(dialect: str) -> None:
    call = _told(dialect, REQUEST)
    assert call is not None
    listed = HttpCall("", "", {}, call.body, (*call.dropped, "min_p", "messages.name"))
    named = [{**message, "name": "Ada"} for message in REQUEST["messages"]]
    assert lost(dialect, {**REQUEST, "min_p": 0.1, "messages": named}, listed) == []
