"""A tool that has to be called has to be there: refused in every dialect before anybody is asked."""

import pytest
from tests.api.anthropic_asking import HELLO, WEATHER, message
from tests.api.caller import Heard, refused
from tests.api.gemini_talking import talking
from tests.api.responding import WEATHER as FUNCTION
from tests.conftest import Gateway, Start

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
CUSTOM = {"type": "custom", "custom": {"name": "c"}}
SEARCH = {"type": "web_search"}
HOSTED = {"type": "mcp", "server_label": "here"}


def named(name: str) -> dict[str, object]:
    return {"type": "function", "function": {"name": name}}


def allowed(*tools: object, mode: str = "auto") -> dict[str, object]:
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": list(tools)}}


@pytest.mark.parametrize(
    ("choice", "param"),
    [
        ("frob", "tool_choice"),
        ("", "tool_choice"),
        (named("g"), "tool_choice.function.name"),
        ({"type": "function", "name": "g"}, "tool_choice.name"),
        ({"type": "function", "function": {"name": 5}}, "tool_choice.function.name"),
        ({"type": "custom", "custom": {"name": "g"}}, "tool_choice.custom.name"),
        ({"type": "frob"}, "tool_choice.type"),
        ({"type": ["function"]}, "tool_choice.type"),
        (allowed(named("f"), named("g")), "tool_choice.allowed_tools.tools[1].function.name"),
        (allowed(named("f"), mode="frob"), "tool_choice.allowed_tools.mode"),
    ],
    ids=str,
)
async def test_a_chats_choice_that_no_tool_meets_is_refused(
    gateway: Gateway, choice: object, param: str
) -> None:
    heard = await gateway.chat(tools=[TOOL, CUSTOM], tool_choice=choice)
    refused(heard, 400, "invalid_field", param)
    assert gateway.upstream.asked == []


@pytest.mark.parametrize("choice", [{"type": "function"}, {"type": "function", "function": {}}])
async def test_a_function_is_chosen_by_its_name(gateway: Gateway, choice: object) -> None:
    heard = await gateway.chat(tools=[TOOL], tool_choice=choice)
    refused(heard, 400, "missing_required_field", "tool_choice.function.name")


async def test_an_old_choice_names_one_of_the_functions(gateway: Gateway) -> None:
    functions = [{"name": "f"}]
    for choice, param in (({"name": "g"}, "function_call.name"), ("required", "function_call")):
        heard = await gateway.chat(functions=functions, function_call=choice)
        refused(heard, 400, "invalid_field", param)
    heard = await gateway.chat(functions=functions, function_call={"name": "f"})
    assert heard.status == 200


@pytest.mark.parametrize(
    "choice",
    [
        "required",
        "any",
        "none",
        None,
        named("f"),
        {"type": "auto"},
        {"type": "custom", "custom": {"name": "c"}},
        allowed(named("f")),
        {"type": "web_search"},
    ],
    ids=str,
)
async def test_a_chats_choice_that_can_be_met_is_passed_on(
    gateway: Gateway, choice: object
) -> None:
    heard = await gateway.chat(tools=[TOOL, CUSTOM, SEARCH], tool_choice=choice)
    assert heard.status == 200
    assert gateway.upstream.asked[-1].json.get("tool_choice") == choice


async def test_what_a_vendors_own_tool_holds_may_be_named(gateway: Gateway) -> None:
    heard = await gateway.chat(tools=[TOOL, HOSTED], tool_choice=named("held-by-the-server"))
    assert heard.status == 200


async def respond(gateway: Gateway, **fields: object) -> Heard:
    return await gateway.post("/v1/responses", {"model": "m1", "input": "Hi", **fields})


@pytest.mark.parametrize("tools", [{}, {"tools": []}, {"tools": None}], ids=str)
@pytest.mark.parametrize(
    "choice",
    ["required", {"type": "function", "name": "f"}, SEARCH, {"type": "allowed_tools"}],
    ids=str,
)
async def test_a_response_cannot_demand_a_tool_where_there_is_none(
    gateway: Gateway, choice: object, tools: dict[str, object]
) -> None:
    refused(
        await respond(gateway, tool_choice=choice, **tools), 400, "invalid_field", "tool_choice"
    )
    assert gateway.upstream.asked == []


@pytest.mark.parametrize(
    ("choice", "param"),
    [
        ("any", "tool_choice"),
        ({"type": "function", "name": "g"}, "tool_choice.name"),
        ({"type": "frob"}, "tool_choice.type"),
        ({"type": 5}, "tool_choice.type"),
        (SEARCH, "tool_choice.type"),
        ({"type": "mcp", "server_label": "there"}, "tool_choice.server_label"),
        (
            {"type": "allowed_tools", "tools": [{"type": "function", "name": "g"}]},
            "tool_choice.tools[0].name",
        ),
        ({"type": "allowed_tools", "tools": ["f"]}, "tool_choice.tools[0]"),
        (
            {"type": "allowed_tools", "mode": "none", "tools": [{"type": "function"}]},
            "tool_choice.mode",
        ),
    ],
    ids=str,
)
async def test_a_responses_choice_that_no_tool_meets_is_refused(
    gateway: Gateway, choice: object, param: str
) -> None:
    heard = await respond(gateway, tools=[FUNCTION], tool_choice=choice)
    refused(heard, 400, "invalid_field", param)


@pytest.mark.parametrize(
    ("choice", "param"),
    [
        ({}, "tool_choice.type"),
        ({"type": "function"}, "tool_choice.name"),
        ({"type": "allowed_tools"}, "tool_choice.tools"),
    ],
    ids=str,
)
async def test_a_responses_choice_is_whole(gateway: Gateway, choice: object, param: str) -> None:
    heard = await respond(gateway, tools=[FUNCTION], tool_choice=choice)
    refused(heard, 400, "missing_required_field", param)


async def test_tools_of_the_turns_before_are_sent_again(gateway: Gateway) -> None:
    first = await respond(gateway, tools=[FUNCTION])
    choice = {"previous_response_id": first.json["id"], "tool_choice": "required"}
    refused(await respond(gateway, **choice), 400, "invalid_field", "tool_choice")
    assert (await respond(gateway, **choice, tools=[FUNCTION])).status == 200
    assert gateway.upstream.asked[-1].json["tool_choice"] == "required"


async def test_a_choice_that_leaves_it_open_is_not_told_where_there_are_no_functions(
    gateway: Gateway,
) -> None:
    for choice in ("auto", "none", None):
        assert (await respond(gateway, tool_choice=choice)).status == 200
        assert "tool_choice" not in gateway.upstream.asked[-1].json


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"tool_choice": {"type": "any"}}, "tool_choice"),
        ({"tool_choice": {"type": "tool", "name": "weather"}}, "tool_choice"),
        ({"tool_choice": {"type": "tool", "name": "g"}, "tools": [WEATHER]}, "tool_choice.name"),
    ],
    ids=str,
)
async def test_a_message_cannot_demand_a_tool_that_is_not_there(
    gateway: Gateway, more: dict[str, object], param: str
) -> None:
    for path in ("/v1/messages", "/v1/messages/count_tokens"):
        heard = await gateway.post(path, message(HELLO, **more))
        assert (heard.status, heard.code) == (400, "invalid_field")
        assert heard.json["error"]["param"] == param
    assert gateway.upstream.asked == []


async def test_a_message_demands_a_tool_by_its_name(gateway: Gateway) -> None:
    body = message(HELLO, tools=[WEATHER], tool_choice={"type": "tool"})
    heard = await gateway.post("/v1/messages", body)
    assert (heard.code, heard.json["error"]["param"]) == (
        "missing_required_field",
        "tool_choice.name",
    )
    body["tool_choice"] = {"type": "tool", "name": "weather"}
    assert (await gateway.post("/v1/messages", body)).status == 200


CONFIG = "toolConfig.functionCallingConfig"
PATH = "/v1beta/models/m1:generateContent"


def calling(tools: object = None, **config: object) -> dict[str, object]:
    contents = [{"role": "user", "parts": [{"text": "Hi"}]}]
    return {"contents": contents, "tools": tools, "toolConfig": {"functionCallingConfig": config}}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (calling(mode="ANY"), f"{CONFIG}.mode"),
        (calling([{"functionDeclarations": []}], mode="ANY"), f"{CONFIG}.mode"),
        (calling(mode="SOME"), f"{CONFIG}.mode"),
        (
            calling(
                [{"functionDeclarations": [{"name": "f"}]}],
                mode="ANY",
                allowedFunctionNames=["f", "g"],
            ),
            f"{CONFIG}.allowedFunctionNames[1]",
        ),
    ],
    ids=str,
)
async def test_gemini_cannot_demand_a_function_that_is_not_there(
    gateway: Gateway, body: dict[str, object], param: str
) -> None:
    heard = await gateway.post(PATH, body)
    (detail,) = heard.json["error"]["details"]
    assert (heard.status, detail["reason"]) == (400, "invalid_field")
    assert detail["metadata"] == {"param": param}
    assert gateway.upstream.asked == []


async def test_gemini_may_leave_it_open_without_functions(gateway: Gateway) -> None:
    for mode in ("AUTO", "NONE", None):
        assert (await gateway.post(PATH, calling(mode=mode))).status == 200


async def test_googles_own_tools_and_caches_count_as_tools_at_google(start: Start) -> None:
    async with talking(start, "gemini") as gateway:
        body = calling([{"googleSearch": {}}], mode="ANY", allowedFunctionNames=["held"])
        assert (await gateway.post(PATH, body)).status == 200
        cached = {**calling(mode="ANY"), "cachedContent": "cachedContents/1"}
        assert (await gateway.post(PATH, cached)).status == 200
