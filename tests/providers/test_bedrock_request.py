"""What is said to Bedrock's Converse: turns, calls, thoughts, caches."""

import pytest
from tests.providers.asking import HELLO, answered, calling, picture, text, tool, user
from tests.providers.bedrock_asking import (
    CLAUDE,
    ELDER,
    GPT,
    LLAMA,
    MISTRAL,
    NEWER,
    NOVA,
    NOVA_2,
    UNKNOWN,
    body,
    call,
    data,
    file,
    lossy,
    refused,
    turns,
)

MARK = {"cache_control": {"type": "ephemeral"}}
HOUR = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
POINT = {"cachePoint": {"type": "default"}}
LONG = {"cachePoint": {"type": "default", "ttl": "1h"}}
SIGNED = {
    "type": "reasoning.text",
    "text": "Hm.",
    "signature": "sig",
    "format": "anthropic-claude-v1",
}
HIDDEN = {"type": "reasoning.encrypted", "data": "aGlkZGVu", "format": "amazon-bedrock-v1"}
CITY = {"toolUseId": "toolu_1", "name": "weather", "input": {"city": "Oslo"}}


@pytest.mark.parametrize(
    ("native", "path"),
    [
        (CLAUDE, "us.anthropic.claude-sonnet-4-5-20250929-v1%3A0"),
        (UNKNOWN, UNKNOWN.replace(":", "%3A").replace("/", "%2F")),
    ],
)  # fmt: skip
def test_the_model_stands_in_the_path_coded_wholly(native: str, path: str):
    host = "https://bedrock-runtime.us-east-1.amazonaws.com/model/"
    assert call(native=native).url == f"{host}{path}/converse"
    sent = call(native=native, stream=True)
    assert sent.url == f"{host}{path}/converse-stream"
    assert sent.headers == {"content-type": "application/json"}


def test_a_plain_question_is_one_turn():
    assert body() == {"messages": [{"role": "user", "content": [{"text": "Hello"}]}]}


def test_instructions_stand_apart_and_later_ones_among_the_users_words():
    said, dropped = lossy(
        {"role": "system", "content": "Be short."},
        {"role": "developer", "content": "Be kind."},
        HELLO,
        {"role": "system", "content": "Be quick."},
    )
    assert said["system"] == [{"text": "Be short."}, {"text": "Be kind."}]
    assert [one["text"] for one in said["messages"][0]["content"]] == [
        "Hello",
        "<system>Be quick.</system>",
    ]
    assert dropped == ("messages[3].role",)


def test_white_space_alone_is_not_said():
    said, dropped = lossy(user(text("  "), text("Hi"), text("")))
    assert said["messages"] == [{"role": "user", "content": [{"text": "Hi"}]}]
    assert dropped == ("messages[0].content[0]",)


def test_calls_and_results_are_turns_of_their_own():
    said = turns(
        HELLO, calling(content="Let me see."), answered(), user(text("And?")), tools=[tool()]
    )
    assert said[1] == ("assistant", [{"text": "Let me see."}, {"toolUse": CITY}])
    result = {"toolUseId": "toolu_1", "content": [{"text": "rain"}]}
    assert said[2] == ("user", [{"toolResult": result}, {"text": "And?"}])


def test_results_stand_before_what_the_user_says():
    made = calling()
    other = {**made["tool_calls"][0], "id": "b.2:c"}
    both = {**made, "tool_calls": [made["tool_calls"][0], other]}
    said = turns(
        HELLO, both, answered(), user(text("Well?")), answered("snow", "b.2:c"), tools=[tool()]
    )
    assert [next(iter(block)) for block in said[2][1]] == ["toolResult", "toolResult", "text"]
    assert [one["toolUse"]["toolUseId"] for one in said[1][1]] == ["toolu_1", "b.2:c"]


@pytest.mark.parametrize("id_", ["call é", "x" * 65, "a b"])
def test_an_id_the_vendor_does_not_take_gets_another_name_in_call_and_result(id_: str):
    said = turns(HELLO, calling(id_), answered(id_=id_), tools=[tool()])
    assert said[1][1][0]["toolUse"]["toolUseId"] == said[2][1][0]["toolResult"]["toolUseId"]


def test_an_empty_result_is_still_a_result():
    said, dropped = lossy(HELLO, calling(), answered(""), tools=[tool()])
    result = said["messages"][2]["content"][0]["toolResult"]
    assert result["content"] == [{"json": {}}]
    assert dropped == ("messages[2].content",)


@pytest.mark.parametrize(
    ("native", "part", "split"),
    [
        (CLAUDE, text("And?"), False), (CLAUDE, picture(data("image/png")), False),
        (CLAUDE, file(data("application/pdf")), True), (NOVA, file(data("application/pdf")), False),
        (LLAMA, text("And?"), True), (MISTRAL, text("And?"), True),
    ],
)  # fmt: skip
def test_what_must_not_stand_beside_results_gets_a_turn_of_its_own(
    native: str, part: dict, split: bool
):
    said, dropped = lossy(HELLO, calling(), answered(), user(part), native=native)
    roles = [one["role"] for one in said["messages"]]
    assert roles == ["user", "assistant", "user", *(["assistant", "user"] if split else [])]
    assert ("messages.role" in dropped) is split


def test_odd_arguments_are_listed():
    said, dropped = lossy(HELLO, calling(arguments="oops"), answered())
    assert said["messages"][1]["content"][0]["toolUse"]["input"] == {"arguments": "oops"}
    assert "messages[1].tool_calls[0].arguments" in dropped


@pytest.mark.parametrize(
    ("native", "kinds"),
    [
        (CLAUDE, ["reasoningText", "redactedContent"]), (NEWER, ["reasoningText", "redactedContent"]),
        (GPT, ["redactedContent"]), (ELDER, []), (NOVA, []), (LLAMA, []),
    ],
)  # fmt: skip
def test_thoughts_go_back_to_those_who_can_check_them(native: str, kinds: list[str]):
    thoughtful = {"role": "assistant", "content": "So.", "reasoning_details": [SIGNED, HIDDEN]}
    said, dropped = lossy(HELLO, thoughtful, HELLO, native=native)
    *thoughts, words = said["messages"][1]["content"]
    assert words == {"text": "So."}
    assert [next(iter(one["reasoningContent"])) for one in thoughts] == kinds
    assert dropped == (() if len(kinds) == 2 else ("messages[1].reasoning_details",))


def test_a_thought_is_said_as_it_was_signed():
    thoughtful = {"role": "assistant", "content": "So.", "reasoning_details": [SIGNED, HIDDEN]}
    said = turns(HELLO, thoughtful, HELLO)[1][1]
    text_block = {"reasoningText": {"text": "Hm.", "signature": "sig"}}
    assert said[0] == {"reasoningContent": text_block}
    assert said[1] == {"reasoningContent": {"redactedContent": "aGlkZGVu"}}


@pytest.mark.parametrize(
    "item",
    [{**SIGNED, "signature": None}, {**SIGNED, "format": "google-gemini-v1"},
     {**HIDDEN, "format": "openai-responses-v1"}, {"type": "reasoning.summary", "summary": "Hm."}],
)  # fmt: skip
def test_thoughts_of_others_are_listed(item: dict):
    said, dropped = lossy(
        HELLO, {"role": "assistant", "content": "So.", "reasoning_details": [item]}, HELLO
    )
    assert said["messages"][1]["content"] == [{"text": "So."}]
    assert dropped == ("messages[1].reasoning_details",)


def test_a_prefill_is_the_last_turn_and_ends_in_no_white_space():
    assert turns(HELLO, {"role": "assistant", "content": "{"})[-1] == ("assistant", [{"text": "{"}])
    said, dropped = lossy(HELLO, {"role": "assistant", "content": "So: "})
    assert said["messages"][-1]["content"] == [{"text": "So:"}]
    assert dropped == ("messages[1].content",)
    said, _ = lossy(HELLO, {"role": "assistant", "content": [text("So: ", **MARK)]})
    assert said["messages"][-1]["content"] == [{"text": "So:"}, POINT]
    for native in (NEWER, NOVA_2):
        assert refused(HELLO, {"role": "assistant", "content": "{"}, native=native) == "messages"


def test_a_conversation_begins_with_the_user_where_it_has_to():
    assistant = {"role": "assistant", "content": "Hi!"}
    assert turns(assistant, HELLO)[0] == ("assistant", [{"text": "Hi!"}])
    said, dropped = lossy(assistant, HELLO, native=NOVA)
    assert [one["role"] for one in said["messages"]] == ["user", "assistant", "user"]
    assert dropped == ("messages.role",)
    said, dropped = lossy({"role": "system", "content": "Begin."})
    assert [one["role"] for one in said["messages"]] == ["user"]
    assert dropped == ("messages.role",)


def test_cache_points_stand_behind_what_is_cached():
    said = body(
        {"role": "system", "content": [text("Rules", **HOUR)]},
        user(
            text("Facts", **MARK),
            picture(
                data("image/png"),
            ),
            text("Ask"),
        ),
        calling(),
        answered("rain", **MARK),
        tools=[{"type": "function", "function": {"name": "weather"}, **HOUR}],
    )
    assert said["system"] == [{"text": "Rules"}, LONG]
    assert said["messages"][0]["content"][:2] == [{"text": "Facts"}, POINT]
    assert said["messages"][2]["content"][1] == POINT
    assert said["toolConfig"]["tools"][1] == LONG


def test_cache_points_the_model_does_not_take_are_listed():
    messages = ({"role": "system", "content": [text("Rules", **HOUR)]}, HELLO)
    tools = [{"type": "function", "function": {"name": "weather"}, **MARK}]
    said, dropped = lossy(*messages, native=NOVA, tools=tools)
    assert said["system"] == [{"text": "Rules"}, POINT]
    assert len(said["toolConfig"]["tools"]) == 1
    assert dropped == ("messages.content.cache_control.ttl", "tools.cache_control")
    _, dropped = lossy(*messages, native=LLAMA)
    assert dropped == ("messages.content.cache_control",)
    _, dropped = lossy(user(text("Read"), file(data("application/pdf"), **MARK)))
    assert dropped == ("messages.content.cache_control",)


def test_of_too_many_cache_points_the_last_are_kept():
    said, dropped = lossy(user(*(text(str(number), **MARK) for number in range(6))))
    blocks = said["messages"][0]["content"]
    assert [block.get("text", "|") for block in blocks] == list("012|3|4|5|")
    assert dropped == ("messages.content.cache_control",)


def test_media_and_thoughts_in_wrong_places_are_not_lost_in_silence():
    _, dropped = lossy({**HELLO, "name": "Ann"}, parallel_tool_calls=False, seed=7)
    assert dropped == ("messages[0].name", "parallel_tool_calls", "seed")
