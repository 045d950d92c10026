"""What is wrong with a request for a response, and where."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.api.test_responses_reading import ask

from infway.api.responses.asking import read_ask, read_draft
from infway.api.responses.envelope import settings_of
from infway.kernel.errors import CallerError


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"input": None}, "missing_required_field", "input"),
        ({"input": []}, "missing_required_field", "input"),
        ({"input": 5}, "invalid_field", "input"),
        ({"input": ["Hi"]}, "invalid_field", "input[0]"),
        ({"input": [{}]}, "missing_required_field", "input[0].type"),
        ({"input": [{"role": "user"}]}, "missing_required_field", "input[0].content"),
        ({"input": [{"role": "robot", "content": "a"}]}, "invalid_field", "input[0].role"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_text"}]}]},
            "missing_required_field",
            "input[0].content[0].text",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_text", "text": 5}]}]},
            "invalid_field",
            "input[0].content[0].text",
        ),
        (
            {"input": [{"type": "function_call", "call_id": "c"}]},
            "missing_required_field",
            "input[0].name",
        ),
        ({"tools": [{}]}, "missing_required_field", "tools[0].type"),
        ({"tools": [{"type": "function"}]}, "missing_required_field", "tools[0].name"),
        (
            {"text": {"format": {"type": "json_schema"}}},
            "missing_required_field",
            "text.format.name",
        ),
        ({"temperature": 3}, "invalid_field", "temperature"),
        ({"max_output_tokens": 0}, "invalid_field", "max_output_tokens"),
        ({"prompt": {"id": "p"}}, "invalid_field", "prompt"),
        ({"conversation": "c"}, "invalid_field", "conversation"),
        ({"model": ""}, "invalid_field", "model"),
        ({"provider": {"sort": "beauty"}}, "invalid_field", "provider.sort"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(fields: dict[str, Any], code: str, param: str) -> None:
    with pytest.raises(CallerError) as refusal:
        ask(**fields)
    assert (refusal.value.status, refusal.value.code, refusal.value.param) == (400, code, param)
    assert refusal.value.message.startswith(param)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "role", "content", "text", "id", "name"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)
KINDS = st.sampled_from(
    ["message", "reasoning", "function_call", "function_call_output", "item_reference", "mcp_call"]
)
ITEMS = st.lists(
    JSON
    | st.fixed_dictionaries(
        {"type": KINDS},
        optional={
            "role": st.sampled_from(["user", "assistant"]),
            "content": JSON,
            "call_id": JSON,
            "name": JSON,
            "arguments": JSON,
            "output": JSON,
            "summary": JSON,
            "encrypted_content": st.sampled_from(
                ["infway.1.", "infway.1.e30=", "infway.1.W3t9XQ==", "x"]
            ),
        },
    ),
    max_size=4,
)


@given(
    st.fixed_dictionaries(
        {"input": ITEMS},
        optional={
            "tools": JSON,
            "tool_choice": JSON,
            "text": JSON,
            "reasoning": JSON,
            "include": JSON,
        },
    )
)
def test_nothing_but_a_refusal_comes_of_bad_input(fields: dict[str, Any]) -> None:
    body = json.dumps({"model": "m1", **fields}, allow_nan=True).encode()
    with suppress(CallerError):
        draft = read_draft(body)
        read_ask(draft, draft.items(), (), "abc-1")
        settings_of(draft.body, store=True)


@given(st.binary(max_size=40))
def test_bytes_that_are_no_body_are_refused(data: bytes) -> None:
    with pytest.raises(CallerError):
        read_draft(data)
