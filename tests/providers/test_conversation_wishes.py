"""Tools, their choice, the form of the answer and reasoning, in every spelling of clients."""

import pytest
from tests.providers.conversing import talk

from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Fault
from infway.providers.conversation.parts import Choice, Effort, Format, Function

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


def test_functions_are_read_with_all_they_say():
    plain = {"type": "function", "function": {"name": "f"}}
    full = {"type": "function", "cache_control": {"type": "ephemeral", "ttl": "1h"},
            "function": {"name": "g", "description": "d", "parameters": SCHEMA, "strict": True}}  # fmt: skip
    said = talk(tools=[plain, full], functions=[{"name": "h", "parameters": SCHEMA}])
    assert said.tools == [
        Function("h", None, SCHEMA),
        Function("f", None, None),
        Function("g", "d", SCHEMA, strict=True, cache="1h"),
    ]


def test_tools_that_are_no_functions_stay_as_sent():
    native = {"type": "web_search_20250305", "name": "web_search", "max_uses": 2}
    said = talk(tools=[native])
    assert (said.tools, said.others) == ([], [native])


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("auto", Choice("auto")),
        ("none", Choice("none")),
        ("required", Choice("required")),
        ("any", Choice("required")),
        ({"type": "any"}, Choice("required")),
        ({"type": "none"}, Choice("none")),
        ({"type": "function", "function": {"name": "f"}}, Choice("function", "f")),
        ({"type": "function", "name": "f"}, Choice("function", "f")),
        ({"type": "tool", "name": "f"}, Choice("function", "f")),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [
            {"type": "function", "function": {"name": "f"}}, {"type": "function", "name": "g"}]}},
         Choice("required", allowed=("f", "g"))),
        ({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
         Choice("auto", allowed=("f",))),
    ],
)  # fmt: skip
def test_a_choice_is_read_in_all_its_forms(sent: object, expected: Choice):
    said = talk(tool_choice=sent)
    assert (said.choice, said.dropped()) == (expected, ())


@pytest.mark.parametrize("sent", ["sometimes", {"type": "custom", "custom": {"name": "x"}}, 7])
def test_a_choice_nobody_knows_is_listed(sent: object):
    said = talk(tool_choice=sent)
    assert (said.choice, said.dropped()) == (None, ("tool_choice",))


def test_the_choice_of_legacy_functions_counts_where_no_other_is_made():
    assert talk(function_call={"name": "f"}).choice == Choice("function", "f")
    assert talk(function_call="none").choice == Choice("none")
    both = talk(tool_choice="auto", function_call="none")
    assert (both.choice, both.dropped()) == (Choice("auto"), ("function_call",))


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, Format("json_object")),
        ({"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True,
                                                 "description": "d"}},
         Format("json_schema", "n", SCHEMA, strict=True, description="d")),
        ({"type": "json_object", "schema": SCHEMA}, Format("json_schema", schema=SCHEMA)),
    ],
)  # fmt: skip
def test_a_form_is_read_in_all_its_spellings(sent: dict, expected: Format | None):
    said = talk(response_format=sent)
    assert (said.format, said.dropped()) == (expected, ())


def test_a_form_that_is_no_json_cannot_be_said():
    with pytest.raises(UpstreamFailed) as caught:
        talk(response_format={"type": "grammar", "grammar": "root ::= x"})
    assert caught.value.failure.fault is Fault.UNTRANSLATABLE


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({}, None),
        ({"reasoning_effort": "high"}, Effort("high")),
        ({"reasoning": {"effort": "low"}}, Effort("low")),
        ({"reasoning": {"max_tokens": 2000}}, Effort(None, 2000)),
        ({"reasoning": {"enabled": True}}, Effort()),
        ({"reasoning": {"enabled": False}}, Effort("none")),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, Effort(None, 1024)),
        ({"thinking": {"type": "adaptive"}}, Effort()),
        ({"thinking": {"type": "disabled"}}, Effort("none")),
        ({"thinking": {"type": "disabled"}, "reasoning_effort": "low"}, Effort("low")),
        ({"thinking": {"type": "enabled"}, "reasoning": {"enabled": False}}, Effort("none")),
        ({"reasoning": {"max_tokens": True}}, None),
    ],
)
def test_a_wish_for_reasoning_is_read_in_its_three_spellings(sent: dict, expected: Effort | None):
    said = talk(**sent)
    assert said.effort == expected
    assert said.dropped() == ()


def test_hiding_the_reasoning_is_no_wish_to_reason():
    said = talk(reasoning={"exclude": True}, thinking={"clear_thinking": False})
    assert (said.effort, said.dropped()) == (None, ("reasoning.exclude",))
    assert talk(thinking=True).dropped() == ("thinking",)


def test_limits_stops_and_parallel_calls_are_read():
    said = talk(max_tokens=5, max_completion_tokens=7, stop="end", parallel_tool_calls=False)
    assert (said.max_tokens, said.stop, said.parallel) == (7, ("end",), False)
    assert talk(max_tokens=5, stop=["a", "b"]).stop == ("a", "b")
    assert talk(max_tokens=5).max_tokens == 5
    assert talk().max_tokens is None
