"""What a chat request becomes in Ollama's own chat."""

import json

import pytest
from tests.providers.asking import HELLO, Asking, picture, text, user

from infway.kernel.chat import Feature
from infway.providers.dialects import DIALECTS
from infway.providers.ollama.adapter import Ollama

URL = "http://localhost:11434/api/chat"
QWEN = "qwen3:8b"  # thinks or does not
LEVELLED = "gpt-oss:20b"  # thinks at a level
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}


ASKING = Asking(Ollama, "ollama", URL, QWEN)
call, lossy, body, said, refused = (
    ASKING.call, ASKING.lossy, ASKING.body, ASKING.said, ASKING.refused,
)  # fmt: skip


def made(id_: str, name: str = "weather", arguments: str = '{"city":"Oslo"}') -> dict:
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}


def calling(*calls: dict, **more) -> dict:
    return {"role": "assistant", "content": None, "tool_calls": list(calls), **more}


def answered(id_: str, content: object = "rain") -> dict:
    return {"role": "tool", "tool_call_id": id_, "content": content}


def test_a_plain_request_is_a_plain_request():
    sent = call()
    assert sent.url == URL
    assert sent.headers == {"content-type": "application/json"}
    assert json.loads(sent.body) == {"model": QWEN, "messages": [HELLO], "stream": False}
    assert body(stream=True)["stream"] is True


def test_what_the_row_says_of_the_server_is_kept_below_what_the_caller_says():
    source = {"defaults": {"keep_alive": "1h", "options": {"num_ctx": 8192, "top_k": 3}}}
    sent = body(source=source, top_k=7, temperature=0)
    assert sent["keep_alive"] == "1h"
    assert sent["options"] == {"num_ctx": 8192, "top_k": 7, "temperature": 0}
    assert body(source=source, keep_alive=0)["keep_alive"] == 0


def test_options_of_ollamas_own_are_passed_on():
    sent = body(options={"min_p": 0.1, "seed": 1}, seed=2)
    assert sent["options"] == {"min_p": 0.1, "seed": 2}


def test_plain_wishes_are_options():
    sent = body(
        temperature=0.5, top_p=0.9, top_k=20, seed=11, stop=["END"], max_tokens=9,
        presence_penalty=-1, frequency_penalty=2, logprobs=True, top_logprobs=3,
    )  # fmt: skip
    assert sent["options"] == {
        "temperature": 0.5, "top_p": 0.9, "top_k": 20, "seed": 11, "stop": ["END"],
        "num_predict": 9, "presence_penalty": -1, "frequency_penalty": 2,
    }  # fmt: skip
    assert (sent["logprobs"], sent["top_logprobs"]) == (True, 3)


def test_what_has_no_words_is_listed():
    _, dropped = lossy(n=2, user="u", min_p=0.1, parallel_tool_calls=False, tools=[TOOL])
    assert dropped == ("min_p", "n", "parallel_tool_calls", "user")


def test_every_role_keeps_its_place():
    assistant = {"role": "assistant", "content": "It is"}
    found = said({"role": "developer", "content": "Be kind."}, HELLO, assistant)
    assert found == [{"role": "system", "content": "Be kind."}, HELLO, assistant]
    middle = {"role": "system", "content": "Be brief."}
    assert said(HELLO, middle, HELLO) == [HELLO, middle, HELLO]


def test_pictures_stand_behind_the_text_of_their_message():
    (found,) = said(user(text("Look:"), text(""), text("here"), picture()))
    assert found == {"role": "user", "content": "Look:\nhere", "images": ["AAAA"]}
    first, second = said(user(picture(), picture("data:image/jpeg;base64,BBBB"), text("Which?")))
    assert first == {"role": "user", "content": "", "images": ["AAAA", "BBBB"]}
    assert second == {"role": "user", "content": "Which?"}


@pytest.mark.parametrize(
    ("part", "path"),
    [
        (picture("https://example.org/a.png"), "image_url"),
        (picture("data:image/tiff;base64,AAAA"), "image_url"),
        ({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}, "input_audio"),
        ({"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA"}}, "file"),
    ],
)
def test_media_that_ollama_cannot_read_are_refused(part: dict, path: str):
    assert refused(user(part)) == f"messages[0].content[0].{path}"


def test_details_names_and_cache_markers_are_listed():
    marked = text("Hello", cache_control={"type": "ephemeral"})
    _, dropped = lossy({**user(marked, picture(detail="high")), "name": "Ada"})
    assert dropped == (
        "messages[0].content[0].cache_control",
        "messages[0].content[1].image_url.detail",
        "messages[0].name",
    )


def test_calls_are_objects_and_results_bear_the_name_of_their_call():
    assert said(HELLO, calling(made("1"), content="I ask."), answered("1")) == [
        HELLO,
        {
            "role": "assistant",
            "content": "I ask.",
            "tool_calls": [{"function": {"name": "weather", "arguments": {"city": "Oslo"}}}],
        },
        {"role": "tool", "content": "rain", "tool_name": "weather"},
    ]


def test_results_stand_in_the_order_of_their_calls():
    calls = calling(made("1"), made("2"), made("3", "time"))
    found = said(HELLO, calls, answered("3", "noon"), answered("2", "sun"), answered("1", "rain"))
    assert [(one["content"], one["tool_name"]) for one in found[2:]] == [
        ("rain", "weather"),
        ("sun", "weather"),
        ("noon", "time"),
    ]


def test_a_result_may_hold_pictures():
    found = said(HELLO, calling(made("1")), answered("1", [picture(), text("see")]))
    assert found[2] == {
        "role": "tool",
        "content": "see",
        "images": ["AAAA"],
        "tool_name": "weather",
    }


def test_arguments_that_are_no_object_are_kept_in_one_and_listed():
    sent, dropped = lossy(HELLO, calling(made("1", arguments="[1")), answered("1"))
    (made_,) = sent["messages"][1]["tool_calls"]
    assert made_["function"]["arguments"] == {"arguments": "[1"}
    assert dropped == ("messages[1].tool_calls[0].arguments",)


def test_thoughts_go_back_and_those_of_other_vendors_are_listed():
    found = said(HELLO, calling(made("1"), reasoning="Ask."), answered("1"))
    assert found[1]["thinking"] == "Ask."
    details = [{"type": "reasoning.encrypted", "data": "x", "format": "openai-responses-v1"}]
    _, dropped = lossy(HELLO, calling(made("1"), reasoning_details=details), answered("1"))
    assert dropped == ("messages[1].reasoning_details",)


def test_tools_are_said_as_they_are():
    sent = body(tools=[TOOL, {"type": "function", "function": {"name": "b", "description": "B."}}])
    empty = {"type": "object", "properties": {}}
    assert [one["function"] for one in sent["tools"]] == [
        {"name": "weather", "parameters": SCHEMA},
        {"name": "b", "description": "B.", "parameters": empty},
    ]


def test_tools_that_may_not_be_called_are_left_out():
    other = {"type": "function", "function": {"name": "b"}}
    assert "tools" not in body(tools=[TOOL], tool_choice="none")
    only = {"mode": "auto", "tools": [{"type": "function", "function": {"name": "b"}}]}
    sent = body(tools=[TOOL, other], tool_choice={"type": "allowed_tools", "allowed_tools": only})
    assert [one["function"]["name"] for one in sent["tools"]] == ["b"]
    assert len(body(tools=[TOOL, other], tool_choice="auto")["tools"]) == 2


def test_a_call_cannot_be_demanded():
    named = {"type": "function", "function": {"name": "weather"}}
    assert refused(tools=[TOOL], tool_choice="required") == "tool_choice"
    assert refused(tools=[TOOL], tool_choice=named) == "tool_choice"


def test_tools_of_other_vendors_are_refused_and_their_wishes_listed():
    assert refused(tools=[{"type": "web_search_20250305"}]) == "tools.type"
    strict = {"type": "function", "function": {"name": "a", "strict": True}}
    _, dropped = lossy(tools=[{**strict, "cache_control": {"type": "ephemeral"}}])
    assert dropped == ("tools.cache_control", "tools.strict")


def test_a_form_is_json_or_a_schema():
    assert "format" not in body(response_format={"type": "text"})
    assert body(response_format={"type": "json_object"})["format"] == "json"
    form = {"name": "answer", "strict": True, "schema": SCHEMA}
    assert body(response_format={"type": "json_schema", "json_schema": form})["format"] == SCHEMA


@pytest.mark.parametrize(
    ("wish", "native", "think", "dropped"),
    [
        ({"reasoning_effort": "none"}, QWEN, False, ()),
        ({"reasoning_effort": "medium"}, QWEN, True, ()),
        ({"reasoning": {"enabled": True}}, QWEN, True, ()),
        ({"reasoning_effort": "high"}, QWEN, True, ("reasoning_effort",)),
        ({"reasoning": {"max_tokens": 9}}, QWEN, True, ("reasoning.max_tokens",)),
        ({"reasoning_effort": "minimal"}, LEVELLED, "low", ()),
        ({"reasoning_effort": "high"}, LEVELLED, "high", ()),
        ({"reasoning": {"enabled": True}}, LEVELLED, "medium", ()),
        ({"reasoning_effort": "none"}, LEVELLED, "low", ("reasoning_effort",)),
    ],
)
def test_a_model_thinks_as_far_as_it_can_be_told(
    wish: dict, native: str, think: bool | str, dropped: tuple
):
    sent, lost = lossy(native=native, **wish)
    assert sent["think"] == think
    assert lost == dropped
    assert "think" not in body(native=native)


def test_a_model_that_does_not_think_is_not_asked_to():
    plain = {"features": Feature.TOOLS}
    sent, dropped = lossy(reasoning_effort="high", facts=plain)
    assert "think" not in sent
    assert dropped == ("reasoning_effort",)
    assert body(reasoning_effort="none", facts=plain)["think"] is False


PLAIN = {
    "temperature": 0.5, "top_p": 0.5, "top_k": 5, "stop": "x", "tools": [TOOL], "seed": 1,
    "functions": [TOOL["function"]], "reasoning_effort": "low", "reasoning": {"effort": "low"},
    "thinking": {"type": "enabled"}, "presence_penalty": 0.5, "frequency_penalty": 0.5,
    "logprobs": True, "top_logprobs": 1, "options": {"num_ctx": 1}, "keep_alive": "5m",
    "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}},
    "messages": [HELLO], "max_tokens": 5, "max_completion_tokens": 5, "stream": True,
    "stream_options": {"include_usage": True},
}  # fmt: skip


def test_the_row_of_the_dialect_is_true():
    assert DIALECTS["ollama"].takes == PLAIN.keys()
    for name, value in PLAIN.items():
        sent = call(native=LEVELLED, **({} if name == "messages" else {name: value}))
        assert sent.dropped == (), name
