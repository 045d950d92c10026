"""Tools, their choice, the form of the answer, and the markers of the prompt cache."""

import pytest
from tests.providers.anthropic_asking import ELDER, LOCKED, blocks, body, lossy, refused
from tests.providers.asking import HELLO, answered, calling, text, tool, user

MARK = {"type": "ephemeral"}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
CLOSED = {**SCHEMA, "required": ["city"], "additionalProperties": False}


def names(said: dict) -> list[str]:
    return [one["name"] for one in said["tools"]]


def test_a_function_is_a_tool():
    assert body(tools=[tool(description="d")])["tools"] == [
        {"name": "weather", "description": "d", "input_schema": SCHEMA}
    ]
    bare = {"type": "function", "function": {"name": "now"}}
    (said,) = body(tools=[bare])["tools"]
    assert said == {"name": "now", "input_schema": {"type": "object", "properties": {}}}


def test_a_strict_tool_is_strict_where_the_model_can_be():
    (said,) = body(tools=[tool(strict=True)])["tools"]
    assert said["strict"] is True
    assert said["input_schema"] == {**SCHEMA, "additionalProperties": False}
    (said,) = body(tools=[tool(strict=False)])["tools"]
    assert said["input_schema"] == SCHEMA
    said, dropped = lossy(tools=[tool(strict=True)], native=ELDER)
    assert said["tools"] == [{"name": "weather", "input_schema": SCHEMA}]
    assert dropped == ("tools.strict",)


def test_what_strictness_cannot_keep_is_listed():
    many = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}}
    said, dropped = lossy(tools=[tool(strict=True, parameters=many)])
    assert said["tools"][0]["input_schema"]["properties"]["n"] == {
        "type": "integer",
        "description": '{"minimum":1}',
    }
    assert dropped == ("tools.parameters",)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("auto", {"type": "auto"}),
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        (
            {"type": "function", "function": {"name": "weather"}},
            {"type": "tool", "name": "weather"},
        ),
    ],
)
def test_every_choice_of_tools_has_its_word(asked: object, said: dict):
    assert body(tools=[tool()], tool_choice=asked)["tool_choice"] == said


def test_nothing_is_said_where_nothing_was_chosen():
    assert "tool_choice" not in body(tools=[tool()], parallel_tool_calls=True)


def test_allowed_tools_are_the_only_ones_that_are_offered():
    function = {"type": "function", "function": {"name": "b"}}
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [function]}}
    said = body(tools=[tool("a"), tool("b")], tool_choice=choice)
    assert names(said) == ["b"]
    assert said["tool_choice"] == {"type": "any"}


def test_one_call_at_a_time_is_part_of_the_choice():
    alone = {"disable_parallel_tool_use": True}
    said = body(tools=[tool()], parallel_tool_calls=False)
    assert said["tool_choice"] == {"type": "auto", **alone}
    said = body(tools=[tool()], parallel_tool_calls=False, tool_choice="required")
    assert said["tool_choice"] == {"type": "any", **alone}
    said = body(tools=[tool()], parallel_tool_calls=False, tool_choice="none")
    assert said["tool_choice"] == {"type": "none"}


def test_a_model_that_calls_nothing_on_demand_is_offered_what_was_demanded():
    named = {"type": "function", "function": {"name": "b"}}
    said, dropped = lossy(tools=[tool("a"), tool("b")], tool_choice=named, native=LOCKED)
    assert names(said) == ["b"]
    assert said["tool_choice"] == {"type": "auto"}
    assert dropped == ("tool_choice",)
    said, dropped = lossy(tools=[tool("a"), tool("b")], tool_choice="required", native=LOCKED)
    assert names(said) == ["a", "b"]
    assert dropped == ("tool_choice",)


def test_a_choice_without_tools_is_listed_if_it_meant_something():
    assert "tool_choice" not in body(tool_choice="auto", parallel_tool_calls=False)
    assert lossy(tool_choice="required")[1] == ("tool_choice",)


def test_earlier_calls_are_declared_where_no_tool_is_offered_any_more():
    said = body(HELLO, calling(), answered())
    assert said["tools"] == [{"name": "weather", "input_schema": {"type": "object"}}]
    assert said["tool_choice"] == {"type": "none"}


def test_anthropics_own_tools_are_passed_on_as_sent():
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 2}
    native = {"name": "n", "input_schema": SCHEMA}
    assert body(tools=[tool(), search, native])["tools"][1:] == [search, native]


@pytest.mark.parametrize("kind", ["web_search_preview", "code_interpreter", "custom"])
def test_tools_of_other_vendors_are_refused(kind: str):
    assert refused(tools=[{"type": kind}]) == "tools.type"


def form(schema: dict | None, **said) -> dict:
    return {"type": "json_schema", "json_schema": {"name": "Place", "schema": schema, **said}}


def test_a_schema_is_the_form_of_the_answer():
    said = body(response_format=form(CLOSED, strict=True, description="where"))
    assert said["output_config"] == {
        "format": {
            "type": "json_schema",
            "schema": {"title": "Place", "description": "where", **CLOSED},
        }
    }


def test_what_a_schema_demands_in_vain_is_listed():
    loose = {**CLOSED, "properties": {"city": {"type": "string", "maxLength": 9}}}
    said, dropped = lossy(response_format=form(loose))
    city = said["output_config"]["format"]["schema"]["properties"]["city"]
    assert city == {"type": "string", "description": '{"maxLength":9}'}
    assert dropped == ("response_format.json_schema.schema",)


def test_an_elder_model_refuses_a_schema():
    assert refused(response_format=form(CLOSED), native=ELDER) == "response_format"
    assert refused(response_format=form(CLOSED), native="claude-sonnet-4-0") == "response_format"


def test_just_any_object_is_not_promised():
    said, dropped = lossy(response_format={"type": "json_object"})
    assert "output_config" not in said
    assert dropped == ("response_format",)


def test_markers_of_the_cache_stand_where_they_were_put():
    hour = {"type": "ephemeral", "ttl": "1h"}
    said = body(
        {"role": "system", "content": [text("s", cache_control=hour)]},
        user(text("u", cache_control=MARK)),
        calling(),
        answered([text("r", cache_control=MARK)]),
        tools=[{**tool(), "cache_control": MARK}],
    )
    assert said["tools"][0]["cache_control"] == MARK
    assert said["system"][0]["cache_control"] == hour
    assert said["messages"][0]["content"][0]["cache_control"] == MARK
    assert said["messages"][2]["content"] == [
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "r", "cache_control": MARK}
    ]


def test_a_marker_on_a_result_is_kept():
    found = blocks(HELLO, calling(), answered(cache_control=MARK), tools=[tool()])
    assert found[2][0]["cache_control"] == MARK


def test_the_last_four_markers_are_kept_and_the_others_listed():
    parts = [text(str(n), cache_control=MARK) for n in range(4)]
    said, dropped = lossy(
        {"role": "system", "content": [text("s", cache_control=MARK)]},
        user(*parts),
        tools=[{**tool(), "cache_control": MARK}],
    )
    assert "cache_control" not in said["tools"][0]
    assert "cache_control" not in said["system"][0]
    assert all(block["cache_control"] == MARK for block in said["messages"][0]["content"])
    assert dropped == ("messages.content.cache_control", "tools.cache_control")


def test_a_marker_on_no_text_is_listed():
    said, dropped = lossy(user(text("a"), text("", cache_control=MARK)))
    assert said["messages"][0]["content"] == [text("a")]
    assert dropped == ("messages[0].content[1].cache_control",)
