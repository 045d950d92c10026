"""Tools as Bedrock declares them, and calls as it demands them."""

import pytest
from tests.providers.asking import HELLO, answered, calling, tool
from tests.providers.bedrock_asking import (
    CLAUDE,
    ELDER,
    LLAMA,
    MISTRAL,
    NOVA,
    NOVA_2,
    body,
    lossy,
    refused,
)

NAMED = {"type": "function", "function": {"name": "weather"}}
MENTION = {"toolSpec": {"name": "weather", "inputSchema": {"json": {"type": "object"}}}}


def test_tools_are_specifications():
    plain = {"type": "function", "function": {"name": "now", "description": ""}}
    sent = body(tools=[tool(description="Of a city."), plain])["toolConfig"]
    assert sent == {
        "tools": [
            {"toolSpec": {"name": "weather", "description": "Of a city.", "inputSchema": {
                "json": {"type": "object", "properties": {"city": {"type": "string"}}}}}},
            {"toolSpec": {"name": "now", "inputSchema": {
                "json": {"type": "object", "properties": {}}}}},
        ]
    }  # fmt: skip


def test_a_strict_tool_is_strict_where_the_model_can():
    strict = tool(strict=True)
    (spec,) = body(tools=[strict])["toolConfig"]["tools"]
    assert spec["toolSpec"]["strict"] is True
    assert spec["toolSpec"]["inputSchema"]["json"]["additionalProperties"] is False
    for native in (ELDER, NOVA, LLAMA, "anthropic.claude-opus-4-7"):
        sent, dropped = lossy(native=native, tools=[strict])
        assert "strict" not in sent["toolConfig"]["tools"][0]["toolSpec"]
        assert dropped == ("tools.strict",)
    limited = tool(strict=True)
    limited["function"]["parameters"] = {"type": "object", "properties": {"n": {"maximum": 3}}}
    _, dropped = lossy(tools=[limited])
    assert dropped == ("tools.parameters",)


def test_the_vendors_own_tools_are_passed_on():
    own = {"systemTool": {"name": "nova_grounding"}}
    assert body(native=NOVA_2, tools=[own])["toolConfig"] == {"tools": [own]}
    assert refused(tools=[{"type": "web_search_20250305", "name": "web_search"}]) == "tools.type"


@pytest.mark.parametrize(
    ("native", "choice", "sent", "dropped"),
    [
        (CLAUDE, "auto", None, ()),
        (CLAUDE, "required", {"any": {}}, ()),
        (CLAUDE, NAMED, {"tool": {"name": "weather"}}, ()),
        (NOVA, NAMED, {"tool": {"name": "weather"}}, ()),
        (MISTRAL, "required", {"any": {}}, ()),
        (MISTRAL, NAMED, {"any": {}}, ()),
        (LLAMA, "required", None, ("tool_choice",)),
        (LLAMA, NAMED, None, ("tool_choice",)),
        ("anthropic.claude-opus-5-5", "required", None, ("tool_choice",)),
    ],
)
def test_a_call_is_demanded_as_the_model_can(native: str, choice, sent, dropped):
    tools = [tool(), tool("other")]
    said, lost = lossy(native=native, tools=tools, tool_choice=choice)
    assert said["toolConfig"].get("toolChoice") == sent
    assert lost == dropped
    alone = choice == NAMED and sent != {"tool": {"name": "weather"}}
    assert len(said["toolConfig"]["tools"]) == (1 if alone else 2)


def test_only_the_allowed_tools_are_declared():
    allowed = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [NAMED]}}
    said = body(tools=[tool(), tool("other")], tool_choice=allowed)["toolConfig"]
    assert [one["toolSpec"]["name"] for one in said["tools"]] == ["weather"]
    assert said["toolChoice"] == {"any": {}}


def test_where_no_tool_may_be_called_none_is_declared():
    assert "toolConfig" not in body(tools=[tool()], tool_choice="none")


def test_calls_of_earlier_turns_keep_their_declarations():
    history = (HELLO, calling(), answered(), HELLO)
    said, dropped = lossy(*history, tools=[tool()], tool_choice="none")
    assert len(said["toolConfig"]["tools"]) == 1
    assert dropped == ("tool_choice",)
    said, dropped = lossy(*history)
    assert said["toolConfig"] == {"tools": [MENTION]}
    assert dropped == ("tools",)
    _, dropped = lossy(tool_choice="required")
    assert dropped == ("tool_choice",)
