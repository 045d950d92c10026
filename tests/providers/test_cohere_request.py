"""What a chat request becomes in Cohere's v2 chat: messages, places, plain wishes."""

import json

import pytest
from tests.providers.asking import HELLO, PICTURE, Asking, picture, text, user

from infway.providers.cohere.adapter import Cohere
from infway.providers.dialects import DIALECTS

URL = "https://api.cohere.com/v2/chat"
COMMAND = "command-a-03-2025"  # plans its tools
THINKER = "command-a-reasoning-08-2025"
ELDER = "command-r-08-2024"  # calls tools as it likes


ASKING = Asking(Cohere, "cohere", URL, COMMAND)
call, lossy, body, said, refused = (
    ASKING.call, ASKING.lossy, ASKING.body, ASKING.said, ASKING.refused,
)  # fmt: skip


def calling(arguments: str = '{"city": "Oslo"}', **more) -> dict:
    made = {
        "id": "w_1",
        "type": "function",
        "function": {"name": "weather", "arguments": arguments},
    }
    return {"role": "assistant", "content": None, "tool_calls": [made], **more}


def answered(content: object = "rain", **more) -> dict:
    return {"role": "tool", "tool_call_id": "w_1", "content": content, **more}


def test_a_plain_request_is_a_plain_request():
    sent = call()
    assert sent.url == URL
    assert sent.headers == {"content-type": "application/json"}
    assert json.loads(sent.body) == {"model": COMMAND, "messages": [HELLO], "stream": False}
    assert body(stream=True)["stream"] is True


def test_the_row_of_the_upstream_adds_fields_and_headers():
    source = {"defaults": {"safety_mode": "STRICT", "k": 3}, "headers": {"x-client-name": "infway"}}
    sent = call(source=source, top_k=7)
    assert json.loads(sent.body)["safety_mode"] == "STRICT"
    assert json.loads(sent.body)["k"] == 7
    assert sent.headers == {"x-client-name": "infway"}


def test_every_role_keeps_its_place():
    found = said(
        {"role": "developer", "content": "Be kind."},
        HELLO,
        {"role": "system", "content": "Be brief."},
        {"role": "assistant", "content": "Hi."},
        HELLO,
    )
    assert [one["role"] for one in found] == ["system", "user", "system", "assistant", "user"]
    assert found[2]["content"] == "Be brief."


def test_where_the_system_has_the_last_word_the_user_says_it():
    late = {"role": "system", "content": "Be brief."}
    sent, dropped = lossy({"role": "system", "content": "Be kind."}, HELLO, late)
    assert dropped == ("messages[2].role",)
    assert [one["role"] for one in sent["messages"]] == ["system", "user", "user"]
    assert sent["messages"][2]["content"] == "<system>Be brief.</system>"
    sent, _ = lossy(late)
    assert sent["messages"] == [{"role": "user", "content": "<system>Be brief.</system>"}]


def test_a_conversation_that_the_assistant_ends_is_refused():
    assert refused(HELLO, {"role": "assistant", "content": "It is"}) == "messages"


def test_parts_are_said_in_their_order():
    (found,) = said(user(text("Look:"), picture(detail="low"), text("What is it?")))
    assert found["content"] == [
        {"type": "text", "text": "Look:"},
        {"type": "image_url", "image_url": {"url": PICTURE, "detail": "low"}},
        {"type": "text", "text": "What is it?"},
    ]


def test_a_picture_may_be_an_address_on_the_web():
    (found,) = said(user(picture("https://example.org/a.png")))
    assert found["content"][0]["image_url"] == {"url": "https://example.org/a.png"}
    assert refused(user(picture("gs://bucket/a.png"))) == "messages[0].content[0].image_url"
    assert (
        refused(user(picture("data:image/tiff;base64,AAAA"))) == "messages[0].content[0].image_url"
    )


def test_a_degree_of_detail_that_cohere_does_not_know_is_listed():
    sent, dropped = lossy(user(picture(detail="original")))
    assert dropped == ("messages[0].content[0].image_url.detail",)
    assert sent["messages"][0]["content"][0]["image_url"] == {"url": PICTURE}


@pytest.mark.parametrize(
    ("part", "path"),
    [
        ({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}, "input_audio"),
        ({"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA"}}, "file"),
        ({"type": "file", "file": {"file_id": "file-1"}}, "file"),
        ({"type": "video_url", "video_url": {"url": "https://example.org/a.mp4"}}, "video_url"),
    ],
)
def test_other_media_are_refused(part: dict, path: str):
    assert refused(user(part)) == f"messages[0].content[0].{path}"


def test_calls_and_results_keep_their_ids():
    assert said(HELLO, calling(), answered()) == [
        HELLO,
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": "w_1",
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"city": "Oslo"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "w_1", "content": "rain"},
    ]


def test_a_result_of_several_texts_is_a_list_and_an_empty_one_is_empty():
    found = said(HELLO, calling(), answered([text("rain"), text(""), text("later")]))
    assert found[2]["content"] == [text("rain"), text("later")]
    assert said(HELLO, calling(), answered(""))[2]["content"] == ""


def test_a_picture_from_a_tool_is_refused():
    assert refused(HELLO, calling(), answered([picture()])) == "messages[2].content[0].image_url"


def test_arguments_that_are_no_object_are_kept_in_one_and_listed():
    sent, dropped = lossy(HELLO, calling("[1"), answered())
    arguments = sent["messages"][1]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(arguments) == {"arguments": "[1"}
    assert dropped == ("messages[1].tool_calls[0].arguments",)


def test_what_a_model_thought_goes_back_as_its_plan_or_as_its_thoughts():
    message = calling(reasoning_content="I ask for the weather.")
    _, planned, _ = said(HELLO, message, answered())
    assert planned["tool_plan"] == "I ask for the weather."
    _, thought, _ = said(HELLO, message, answered(), native=THINKER)
    assert thought["content"] == [{"type": "thinking", "thinking": "I ask for the weather."}]
    assert "tool_plan" not in thought


def test_thoughts_without_a_place_and_thoughts_of_others_are_listed():
    alone = {"role": "assistant", "content": "Hi.", "reasoning_content": "Greet."}
    sent, dropped = lossy(HELLO, alone, HELLO)
    assert sent["messages"][1] == {"role": "assistant", "content": "Hi."}
    assert dropped == ("messages[1].reasoning_details",)
    signed = {
        "type": "reasoning.text",
        "text": "Hm",
        "signature": "s",
        "format": "anthropic-claude-v1",
    }
    _, dropped = lossy(HELLO, {**alone, "reasoning_details": [signed]}, HELLO, native=THINKER)
    assert dropped == ("messages[1].reasoning_details",)


def test_names_and_cache_markers_are_listed():
    marked = text("Hello", cache_control={"type": "ephemeral"})
    sent, dropped = lossy({**user(marked), "name": "Ada"})
    assert sent["messages"] == [HELLO]
    assert dropped == ("messages[0].content[0].cache_control", "messages[0].name")


def test_messages_that_say_nothing_are_left_out():
    assert said({"role": "system", "content": ""}, HELLO, user(text(""))) == [HELLO]
    silent = {"role": "user", "content": ""}
    hi = {"role": "assistant", "content": "Hi."}
    assert said(silent, HELLO, hi, silent) == [HELLO, hi, silent]


def test_plain_wishes_get_coheres_names():
    sent = body(
        temperature=0.5, top_p=0.9, top_k=20, seed=11, stop="END", max_completion_tokens=9,
        presence_penalty=0.1, frequency_penalty=0.2, logprobs=True, safety_mode="NONE",
    )  # fmt: skip
    del sent["model"], sent["messages"], sent["stream"]
    assert sent == {
        "temperature": 0.5, "p": 0.9, "k": 20, "seed": 11, "stop_sequences": ["END"],
        "max_tokens": 9, "presence_penalty": 0.1, "frequency_penalty": 0.2, "logprobs": True,
        "safety_mode": "NONE",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "native", "bounded"),
    [
        ("temperature", 1.7, "temperature", 1),
        ("top_p", 1, "p", 0.99),
        ("top_k", 1000, "k", 500),
        ("presence_penalty", -2, "presence_penalty", 0),
        ("frequency_penalty", 2, "frequency_penalty", 1),
    ],
)
def test_what_is_beyond_coheres_bounds_is_said_at_the_bound_and_listed(
    name: str, value: float, native: str, bounded: float
):
    sent, dropped = lossy(**{name: value})
    assert sent[native] == bounded
    assert dropped == (name,)


def test_what_has_no_words_is_listed():
    _, dropped = lossy(n=2, user="u", top_logprobs=3, documents=["a"], parallel_tool_calls=False)
    assert dropped == ("documents", "n", "parallel_tool_calls", "top_logprobs", "user")


SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
PLAIN = {
    "temperature": 0.5, "top_p": 0.5, "top_k": 5, "stop": "x", "tools": [TOOL],
    "tool_choice": "auto", "functions": [TOOL["function"]], "function_call": "auto", "seed": 1,
    "reasoning_effort": "low", "reasoning": {"effort": "low"}, "logprobs": True,
    "thinking": {"type": "enabled", "budget_tokens": 2000}, "presence_penalty": 0.5,
    "frequency_penalty": 0.5, "safety_mode": "STRICT", "citation_options": {"mode": "OFF"},
    "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}},
    "messages": [HELLO], "max_tokens": 5, "max_completion_tokens": 5, "stream": True,
    "stream_options": {"include_usage": True},
}  # fmt: skip


def test_the_row_of_the_dialect_is_true():
    assert DIALECTS["cohere"].takes == PLAIN.keys()
    for name, value in PLAIN.items():
        sent = call(native=THINKER, **({} if name == "messages" else {name: value}))
        assert sent.dropped == (), name
