"""Tools, forms and thinking in Cohere's v2 chat."""

import pytest
from tests.providers.test_cohere_request import (
    COMMAND,
    ELDER,
    HELLO,
    SCHEMA,
    THINKER,
    body,
    lossy,
    refused,
)

R7B = "command-r7b-12-2024"
DEMAND = {"type": "function", "function": {"name": "b"}}


def tool(name: str = "a", **said) -> dict:
    return {"type": "function", "function": {"name": name, "parameters": SCHEMA, **said}}


def allowed(mode: str, *names: str) -> dict:
    tools = [{"type": "function", "function": {"name": name}} for name in names]
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}


def names(sent: dict) -> list[str]:
    return [one["function"]["name"] for one in sent["tools"]]


def test_tools_are_said_as_they_are():
    sent = body(tools=[tool("a", description="Say a.")])
    assert sent["tools"] == [
        {
            "type": "function",
            "function": {"name": "a", "description": "Say a.", "parameters": SCHEMA},
        }
    ]
    assert "tool_choice" not in sent


def test_a_tool_without_parameters_gets_empty_ones():
    sent = body(functions=[{"name": "a"}])
    assert sent["tools"][0]["function"]["parameters"] == {"type": "object", "properties": {}}


def test_a_free_choice_is_no_choice_and_none_and_required_have_words():
    both = [tool("a"), tool("b")]
    assert "tool_choice" not in body(tools=both, tool_choice="auto")
    assert body(tools=both, tool_choice="none")["tool_choice"] == "NONE"
    assert body(tools=both, tool_choice="required")["tool_choice"] == "REQUIRED"


def test_one_tool_is_demanded_by_offering_no_other():
    sent = body(tools=[tool("a"), tool("b")], tool_choice=DEMAND)
    assert names(sent) == ["b"]
    assert sent["tool_choice"] == "REQUIRED"
    assert refused(tools=[tool("a")], tool_choice=DEMAND) == "tool_choice"


def test_a_choice_among_some_is_said_by_offering_these():
    every = [tool("a"), tool("b"), tool("c")]
    free = body(tools=every, tool_choice=allowed("auto", "a", "c"))
    assert names(free) == ["a", "c"]
    assert "tool_choice" not in free
    forced = body(tools=every, tool_choice=allowed("required", "b"))
    assert (names(forced), forced["tool_choice"]) == (["b"], "REQUIRED")


def test_an_elder_model_is_offered_tools_or_none_and_told_nothing_more():
    assert names(body(tools=[tool()], native=ELDER)) == ["a"]
    assert "tools" not in body(tools=[tool()], tool_choice="none", native=ELDER)
    assert refused(tools=[tool()], tool_choice="required", native=ELDER) == "tool_choice"


def test_tools_of_other_vendors_are_refused():
    assert refused(tools=[{"type": "web_search_20250305", "name": "web_search"}]) == "tools.type"


def test_strict_tools_are_all_strict_or_listed():
    strict = tool("a", strict=True)
    assert body(tools=[strict], native=R7B)["strict_tools"] is True
    assert "strict_tools" not in body(tools=[tool("a", strict=False)], native=R7B)
    for tools, native in (
        ([strict, tool("b")], R7B),
        ([strict], COMMAND),
        ([tool("a", strict=True, parameters={"properties": {"x": {}}})], R7B),
    ):
        sent, dropped = lossy(tools=tools, native=native)
        assert "strict_tools" not in sent
        assert dropped == ("tools.strict",)


def test_cache_markers_of_tools_are_listed():
    _, dropped = lossy(tools=[{**tool(), "cache_control": {"type": "ephemeral"}}])
    assert dropped == ("tools.cache_control",)


def test_a_form_is_json_with_a_schema_or_without():
    assert body(response_format={"type": "text"}).keys() == {"model", "messages", "stream"}
    sent = body(response_format={"type": "json_object"})
    assert sent["response_format"] == {"type": "json_object"}
    form = {"name": "answer", "strict": True, "schema": SCHEMA}
    sent = body(response_format={"type": "json_schema", "json_schema": form})
    assert sent["response_format"] == {"type": "json_object", "json_schema": SCHEMA}
    _, dropped = lossy(
        response_format={"type": "json_schema", "json_schema": {**form, "description": "d"}}
    )
    assert dropped == ("response_format.json_schema.description",)


def test_a_form_and_tools_cannot_be_had_together():
    form = {"type": "json_object"}
    assert refused(tools=[tool()], response_format=form) == "response_format"
    sent = body(tools=[tool()], tool_choice="none", response_format=form)
    assert "tools" not in sent
    assert "tool_choice" not in sent


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"reasoning_effort": "none"}, {"type": "disabled"}),
        ({"reasoning": {"enabled": False}}, {"type": "disabled"}),
        ({"reasoning": {"enabled": True}}, {"type": "enabled"}),
        ({"reasoning": {"max_tokens": 700}}, {"type": "enabled", "token_budget": 700}),
        ({"reasoning_effort": "low", "max_tokens": 1000}, {"type": "enabled", "token_budget": 200}),
        ({"reasoning_effort": "high"}, {"type": "enabled", "token_budget": 25_600}),
        ({"reasoning_effort": "low", "max_tokens": 2}, {"type": "enabled", "token_budget": 1}),
    ],
)
def test_a_model_thinks_as_much_as_is_wished(wish: dict, said: dict):
    assert body(native=THINKER, **wish)["thinking"] == said


def test_the_limit_of_the_offer_is_what_a_level_shares():
    sent = body(native=THINKER, reasoning_effort="medium", facts={"max_output": 4000})
    assert sent["thinking"]["token_budget"] == 2000


def test_a_model_that_does_not_think_is_not_asked_to():
    sent, dropped = lossy(reasoning_effort="high")
    assert "thinking" not in sent
    assert dropped == ("reasoning_effort",)
    assert "thinking" not in body(reasoning_effort="none")


def test_a_model_that_is_newer_than_the_table_can_do_all():
    sent = body(HELLO, tools=[tool(strict=True)], tool_choice="required", native="command-z-2030")
    assert (sent["strict_tools"], sent["tool_choice"]) == (True, "REQUIRED")
    assert body(native="command-z-2030", reasoning_effort="none")["thinking"] == {
        "type": "disabled"
    }
