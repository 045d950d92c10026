"""What a chat request becomes in the Messages API: places, messages, and plain wishes."""

import json

import pytest
from tests.providers.anthropic_asking import (
    ADAPTER,
    CLAUDE,
    DIRECT,
    NEWER,
    blocks,
    body,
    call,
    lossy,
    refused,
)
from tests.providers.asking import HELLO, answered, calling, text, tool, user
from tests.wall.asking import ask, offer, upstream

from infway.kernel.errors import UpstreamFailed
from infway.providers.dialects import DIALECTS

GOOGLE = (
    "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5"
    "/publishers/anthropic/models/{model}:{action}"
)
AMAZON = "https://bedrock-runtime.us-east-1.amazonaws.com/model/{model}/{action}"
AZURE = "https://there.services.ai.azure.com/anthropic/v1/messages"
BOT = {"role": "assistant", "content": "Hi"}


def test_a_plain_request_is_a_plain_request():
    sent = call()
    assert sent.url == DIRECT
    assert sent.headers == {"content-type": "application/json", "anthropic-version": "2023-06-01"}
    assert json.loads(sent.body) == {
        "model": CLAUDE,
        "max_tokens": 64_000,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
    }


def test_the_model_stands_in_the_body_where_it_is_not_in_the_address():
    for url in (DIRECT, AZURE):
        assert body(url=url, stream=True)["model"] == CLAUDE
        assert body(url=url, stream=True)["stream"] is True
        assert "stream" not in body(url=url)


@pytest.mark.parametrize(("stream", "word"), [(False, "rawPredict"), (True, "streamRawPredict")])
def test_vertex_is_asked_by_its_own_words(stream: bool, word: str):
    version = {"anthropic_version": "vertex-2023-10-16"}
    sent = call(
        url=GOOGLE, native="claude-opus-4-1@20250805", stream=stream, source={"defaults": version}
    )
    assert sent.url.endswith(f"/publishers/anthropic/models/claude-opus-4-1@20250805:{word}")
    said = json.loads(sent.body)
    assert said["anthropic_version"] == "vertex-2023-10-16"
    assert "model" not in said
    assert said.get("stream") is (True if stream else None)
    assert sent.headers == {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("stream", "word"), [(False, "invoke"), (True, "invoke-with-response-stream")]
)
def test_bedrock_hears_of_streams_by_the_address_alone(stream: bool, word: str):
    version = {"anthropic_version": "bedrock-2023-05-31"}
    native = "anthropic.claude-3-haiku-20240307-v1:0"
    sent = call(url=AMAZON, native=native, stream=stream, source={"defaults": version})
    assert sent.url.endswith(f"/model/anthropic.claude-3-haiku-20240307-v1%3A0/{word}")
    said = json.loads(sent.body)
    assert said.keys() == {"anthropic_version", "max_tokens", "messages"}


def test_what_the_configuration_says_is_added():
    sent = call(source={"headers": {"anthropic-beta": "x"}, "defaults": {"inference_geo": "eu"}})
    assert sent.headers["anthropic-beta"] == "x"
    assert sent.headers["anthropic-version"] == "2023-06-01"
    assert json.loads(sent.body)["inference_geo"] == "eu"
    said, dropped = lossy(user="u", source={"drop": frozenset({"user"})})
    assert "metadata" not in said
    assert dropped == ("user",)


def test_the_limit_of_the_answer_is_the_callers_or_the_best_that_is_known():
    assert body(max_tokens=5)["max_tokens"] == 5
    assert body(max_completion_tokens=6)["max_tokens"] == 6
    assert body(facts={"max_output": 7})["max_tokens"] == 7
    assert body(native="my-deployment")["max_tokens"] == 8_192
    sent = call(source={"defaults": {"max_tokens": 9}}, facts={"max_output": 7})
    assert json.loads(sent.body)["max_tokens"] == 9


def test_the_first_system_messages_are_the_system_prompt():
    said = body(
        {"role": "system", "content": "a"},
        {"role": "developer", "content": [text("b", cache_control={"type": "ephemeral"})]},
        HELLO,
    )
    assert said["system"] == [
        {"type": "text", "text": "a"},
        {"type": "text", "text": "b", "cache_control": {"type": "ephemeral"}},
    ]
    assert len(said["messages"]) == 1


def test_a_later_system_message_is_said_by_the_user_and_listed():
    said, dropped = lossy(HELLO, {"role": "system", "content": "Be brief."})
    (turn,) = said["messages"]
    assert [block["text"] for block in turn["content"]] == ["Hello", "<system>Be brief.</system>"]
    assert dropped == ("messages[1].role",)


@pytest.mark.parametrize("messages", [[{"role": "system", "content": "a"}], [BOT, HELLO]])
def test_a_conversation_begins_with_the_user(messages: list[dict]):
    said, dropped = lossy(*messages)
    assert said["messages"][0]["role"] == "user"
    assert dropped == ("messages.role",)


def test_speakers_take_turns():
    found = body(HELLO, HELLO, BOT, BOT, HELLO)["messages"]
    assert [(one["role"], len(one["content"])) for one in found] == [
        ("user", 2),
        ("assistant", 2),
        ("user", 1),
    ]


def test_text_without_a_letter_is_left_out_and_white_space_is_listed():
    assert blocks(user(text(""), text("a"))) == [[text("a")]]
    said, dropped = lossy(user(text(" \n"), text("a")), BOT, user(text("b")))
    assert said["messages"][0]["content"] == [text("a")]
    assert dropped == ("messages[0].content[0]",)


def test_names_of_speakers_are_listed():
    assert lossy({**HELLO, "name": "Ada"})[1] == ("messages[0].name",)


def test_calls_and_results_find_each_other():
    two = calling("a1")
    two["tool_calls"] += calling("a2", "")["tool_calls"]
    said = body(HELLO, two, answered("1", "a1"), answered("2", "a2"), HELLO, tools=[tool()])
    assert said["messages"][1]["content"] == [
        {"type": "tool_use", "id": "a1", "name": "weather", "input": {"city": "Oslo"}},
        {"type": "tool_use", "id": "a2", "name": "weather", "input": {}},
    ]
    assert said["messages"][2]["content"] == [
        {"type": "tool_result", "tool_use_id": "a1", "content": "1"},
        {"type": "tool_result", "tool_use_id": "a2", "content": "2"},
        text("Hello"),
    ]


def test_results_stand_before_what_the_user_says():
    found = blocks(HELLO, calling(), HELLO, answered(), tools=[tool()])
    assert [block["type"] for block in found[2]] == ["tool_result", "text"]


def test_a_result_may_hold_images_and_nothing():
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    found = blocks(HELLO, calling(), answered([text("see"), image]), tools=[tool()])
    (result,) = found[2]
    assert [block["type"] for block in result["content"]] == ["text", "image"]
    (result,) = blocks(HELLO, calling(), answered(""), tools=[tool()])[2]
    assert "content" not in result


def test_ids_with_other_letters_get_the_same_other_name_on_both_sides():
    found = blocks(HELLO, calling("functions.f:0"), answered("1", "functions.f:0"), tools=[tool()])
    made, result = found[1][0]["id"], found[2][0]["tool_use_id"]
    assert made == result
    assert made.replace("_", "").isalnum()
    other = blocks(HELLO, calling("functions.f:1"), tools=[tool()])
    assert other[1][0]["id"] != made


def test_arguments_that_are_no_object_are_kept_in_one_and_listed():
    said, dropped = lossy(HELLO, calling(arguments="[1"), answered(), tools=[tool()])
    assert said["messages"][1]["content"][0]["input"] == {"arguments": "[1"}
    assert dropped == ("messages[1].tool_calls[0].arguments",)


def test_the_beginning_of_the_answer_loses_the_white_space_it_ends_in():
    start = {"role": "assistant", "content": "The best is ("}
    assert blocks(HELLO, start)[1] == [text("The best is (")]
    said, dropped = lossy(HELLO, {**start, "content": "The best is: \n"})
    assert said["messages"][1]["content"] == [text("The best is:")]
    assert dropped == ("messages[1].content",)


def test_a_newer_model_does_not_go_on_with_what_was_begun():
    assert refused(HELLO, BOT, native=NEWER) == "messages"
    assert refused(HELLO, BOT, native="claude-opus-4-6") == "messages"


def test_stop_is_said_but_for_white_space():
    assert body(stop="END")["stop_sequences"] == ["END"]
    said, dropped = lossy(stop=["a", "\n"])
    assert said["stop_sequences"] == ["a"]
    assert dropped == ("stop",)


def test_the_user_is_all_that_metadata_hold():
    assert body(user="u-1")["metadata"] == {"user_id": "u-1"}
    assert body(metadata={"user_id": "u-2"})["metadata"] == {"user_id": "u-2"}
    said, dropped = lossy(user="u-1", metadata={"run": "7"})
    assert said["metadata"] == {"user_id": "u-1"}
    assert dropped == ("metadata",)
    assert lossy(user="ada@example.org")[1] == ("user",)
    assert "metadata" not in lossy(metadata={"user_id": "+49 30 123456"})[0]


@pytest.mark.parametrize(
    ("asked", "said"), [("auto", "auto"), ("default", "standard_only"), ("priority", "auto")]
)
def test_the_service_tier_is_said_in_the_vendors_words(asked: str, said: str):
    assert body(service_tier=asked)["service_tier"] == said
    assert lossy(service_tier=asked, url=GOOGLE)[1] == ("service_tier",)


def test_what_has_no_words_is_listed():
    said, dropped = lossy(seed=1, n=2, logprobs=True, service_tier="flex", presence_penalty=1)
    assert dropped == ("logprobs", "n", "presence_penalty", "seed", "service_tier")
    assert said.keys() == {"model", "max_tokens", "messages"}


PLAIN = {
    "temperature": 0.5, "top_p": 0.5, "top_k": 5, "stop": "x", "parallel_tool_calls": False,
    "user": "u", "service_tier": "auto", "tools": [tool()], "tool_choice": "auto",
    "functions": [tool()["function"]], "function_call": "auto", "reasoning_effort": "low",
    "reasoning": {"effort": "low"}, "thinking": {"type": "enabled", "budget_tokens": 2000},
    "response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "string"}}},
    "messages": [HELLO], "max_tokens": 5, "max_completion_tokens": 5, "stream": True,
    "stream_options": {"include_usage": True},
}  # fmt: skip


def test_the_row_of_the_dialect_is_true():
    takes = DIALECTS["anthropic"].takes
    assert takes == PLAIN.keys()
    for name, value in PLAIN.items():
        assert call(**({} if name == "messages" else {name: value})).dropped == (), name


def test_a_request_that_is_nested_too_deeply_is_refused_like_any_other():
    deep: dict = {"type": "object"}
    for _ in range(600):
        deep = {"type": "object", "properties": {"a": deep}}
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": deep}}
    source = upstream("claude", dialect="anthropic")
    fields = {"messages": [HELLO], "response_format": form}
    with pytest.raises(UpstreamFailed):
        ADAPTER.request(ask(fields=fields), offer(CLAUDE, source))
