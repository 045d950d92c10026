"""Odd values of a chat request are refused with the field's path, or listed as not told."""

import pytest
from tests.api.caller import refused
from tests.conftest import Gateway

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
NAMED = {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize(
    "choice",
    ["required", "any", "f", NAMED, {"type": "any"}, {"type": "allowed_tools", "tools": [NAMED]}],
    ids=str,
)
@pytest.mark.parametrize("tools", [{}, {"tools": []}, {"tools": None}], ids=str)
async def test_no_tool_can_be_demanded_where_there_is_none(
    gateway: Gateway, choice: object, tools: dict[str, object]
) -> None:
    heard = await gateway.chat(tool_choice=choice, **tools)
    refused(heard, 400, "invalid_field", "tool_choice")
    assert gateway.upstream.asked == []


@pytest.mark.parametrize("choice", ["auto", "none", {"type": "auto"}, {"type": "none"}, None])
async def test_a_choice_that_leaves_it_open_needs_no_tools(
    gateway: Gateway, choice: object
) -> None:
    assert (await gateway.chat(tool_choice=choice)).status == 200


async def test_a_demand_is_passed_on_where_there_are_tools(gateway: Gateway) -> None:
    assert (await gateway.chat(tools=[TOOL], tool_choice=NAMED)).status == 200
    assert gateway.upstream.asked[-1].json["tool_choice"] == NAMED
    named = {"name": "f"}
    assert (await gateway.chat(functions=[named], function_call=named)).status == 200
    refused(await gateway.chat(function_call=named), 400, "invalid_field", "function_call")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"functions": [{"name": 7}]}, "functions[0].name"),
        ({"functions": [{"name": "f"}, "g"]}, "functions[1]"),
        ({"functions": "f"}, "functions"),
        ({"top_k": "many"}, "top_k"),
        ({"top_k": [40]}, "top_k"),
    ],
    ids=str,
)
async def test_a_value_of_a_wrong_kind_is_named(
    gateway: Gateway, fields: dict[str, object], param: str
) -> None:
    refused(await gateway.chat(**fields), 400, "invalid_field", param)


async def test_a_function_without_a_name_is_named(gateway: Gateway) -> None:
    heard = await gateway.chat(functions=[{}])
    refused(heard, 400, "missing_required_field", "functions[0].name")


@pytest.mark.parametrize("number", [40, 40.0, -1, None])
async def test_a_number_may_be_written_in_every_way(gateway: Gateway, number: object) -> None:
    assert (await gateway.chat(top_k=number)).status == 200


HELLO = b'{"messages":[{"role":"user","content":"%b"}]}'


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "it is empty."),
        (b" \n", "it is empty."),
        (HELLO % b"\\ud83d", "a text has half of a surrogate pair, such as \\ud800 alone."),
        (HELLO % b"\\ud83d and more", "a text has half of a surrogate pair"),
        (HELLO % b"\\ude00 first", "a text has half of a surrogate pair"),
        (HELLO % b"\\\\\\ud83d", "a text has half of a surrogate pair"),
        (HELLO[:-3] % b"\\\\ud83d", "it ends too early."),
        (HELLO[:-3] % b"\\ud83d\\ude00", "it ends too early."),
        (b"{", "it ends too early."),
        (b"\xef\xbb\xbf{}", "it begins with a byte order mark."),
        (HELLO % b"\xff", "it is not UTF-8."),
        (b'{"x":' * 5000, "it is nested too deeply."),
        (b"{]", "JSON is malformed: object keys must be strings (byte 1)."),
    ],
)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/embeddings"])
async def test_a_body_that_is_no_json_is_told_why(
    gateway: Gateway, body: bytes, words: str, path: str
) -> None:
    heard = await gateway.post(path, body)
    refused(heard, 400, "invalid_request_body")
    assert heard.json["error"]["message"].startswith(f"The body is not JSON: {words}")


async def test_whole_surrogate_pairs_are_characters(gateway: Gateway) -> None:
    body = b'{"model":"m1","messages":[{"role":"user","content":"\\ud83d\\ude00 \\\\ud83d"}]}'
    assert (await gateway.post("/v1/chat/completions", body)).status == 200
