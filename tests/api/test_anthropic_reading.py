"""A Messages request as a chat: everything is said there, or it is told what is not."""

import pytest
from tests.api.anthropic_asking import (
    EPHEMERAL,
    HELLO,
    PDF,
    PNG,
    WEATHER,
    asked,
    assistant,
    chat,
    native,
    result,
    text,
    thinking,
    use,
    user,
)

from infway.kernel.chat import Feature
from infway.providers.anthropic.wrapped import PREFIX, unwrap, wrap

FORMAT = "anthropic-claude-v1"


def messages(*said: dict, **more: object) -> list[dict]:
    found = chat(*said, **more)["messages"]
    assert isinstance(found, list)
    return found


def test_a_plain_question_is_a_plain_chat() -> None:
    assert chat(HELLO, system="Be brief.", temperature=0.5, top_k=3, stop_sequences=["END"]) == {
        "max_tokens": 100,
        "messages": [{"role": "system", "content": "Be brief."}, HELLO],
        "stop": ["END"],
        "temperature": 0.5,
        "top_k": 3,
    }


def test_cache_markers_stay_where_they_were() -> None:
    said = messages(
        user(text("Long.", cache_control=EPHEMERAL), text("Short.")),
        system=[text("Rules.", cache_control={**EPHEMERAL, "ttl": "1h"})],
    )
    system, question = said
    assert system["content"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert question["content"][0]["cache_control"] == EPHEMERAL
    assert "cache_control" not in question["content"][1]
    tool = chat(tools=[{**WEATHER, "cache_control": EPHEMERAL}])["tools"]
    assert isinstance(tool, list)
    assert tool[0]["cache_control"] == EPHEMERAL


@pytest.mark.parametrize(
    ("last", "where"),
    [
        (HELLO, lambda one: one["content"][0]),
        (user(text("A"), text("B")), lambda one: one["content"][1]),
        (user(result()), lambda one: one),
    ],
)
def test_automatic_caching_marks_the_last_block(last: dict, where: object) -> None:
    found = messages(user(text("x")), assistant(use()), last, cache_control=EPHEMERAL)[-1]
    assert callable(where)
    assert where(found)["cache_control"] == EPHEMERAL


def test_pictures_and_files_become_parts() -> None:
    (said,) = messages(
        user(
            {"type": "image", "source": PNG},
            {"type": "image", "source": {"type": "url", "url": "https://a.b/c.png"}},
            {"type": "document", "source": PDF, "title": "Plan"},
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "T"}},
            {"type": "document", "source": {"type": "url", "url": "https://a.b/c.pdf"}},
            {"type": "document", "source": {"type": "content", "content": [text("inner")]}},
        )
    )  # fmt: skip
    assert said["content"] == [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
        {"type": "image_url", "image_url": {"url": "https://a.b/c.png"}},
        {
            "type": "file",
            "file": {"filename": "Plan", "file_data": "data:application/pdf;base64,JVBERi0="},
        },
        text("T"),
        {"type": "file", "file": {"file_data": "https://a.b/c.pdf"}},
        text("inner"),
    ]


def test_a_picture_asks_for_a_model_that_sees() -> None:
    assert Feature.VISION in asked(user({"type": "image", "source": PNG})).features
    assert Feature.TOOLS in asked(tools=[WEATHER]).features


def test_calls_and_results_keep_ids_order_and_content() -> None:
    said = messages(
        HELLO,
        assistant(text("I look."), use("toolu_1", city="Oslo"), use("toolu_2", city="Rome")),
        user(
            result("sunny", "toolu_1"),
            result([text("rain"), {"type": "image", "source": PNG}], "toolu_2"),
            text("And?"),
        ),
    )
    _, answer, first, second, question = said
    assert answer["content"] == "I look."
    assert [call["id"] for call in answer["tool_calls"]] == ["toolu_1", "toolu_2"]
    assert answer["tool_calls"][0]["function"] == {
        "name": "weather",
        "arguments": '{"city":"Oslo"}',
    }
    assert first == {"role": "tool", "tool_call_id": "toolu_1", "content": "sunny"}
    assert second["tool_call_id"] == "toolu_2"
    assert [part["type"] for part in second["content"]] == ["text", "image_url"]
    assert question == {"role": "user", "content": "And?"}


def test_signed_and_hidden_thoughts_are_items_of_claudes_format() -> None:
    hidden = {"type": "redacted_thinking", "data": "blob"}
    _, said = messages(HELLO, assistant(thinking("Hm."), hidden, use()))
    assert said["reasoning_details"] == [
        {"type": "reasoning.text", "text": "Hm.", "signature": "sig==", "format": FORMAT},
        {"type": "reasoning.encrypted", "data": "blob", "format": FORMAT},
    ]


def test_thoughts_of_others_come_out_as_they_were_wrapped() -> None:
    items = [
        {"type": "reasoning.summary", "summary": "So.", "format": "openai-responses-v1", "id": "r"},
        {"type": "reasoning.encrypted", "data": "x", "format": "openai-responses-v1", "id": "r"},
    ]
    _, said = messages(HELLO, assistant(thinking("So.", wrap(items)), text("Yes.")))
    assert said["reasoning_details"] == items
    hidden = {"type": "redacted_thinking", "data": wrap(items[1:])}
    _, said = messages(HELLO, assistant(hidden, text("Yes.")))
    assert said["reasoning_details"] == items[1:]


def test_a_thought_that_nobody_signed_is_plain_reasoning() -> None:
    _, said = messages(HELLO, assistant(thinking("Hm.", ""), use()))
    assert said["reasoning_content"] == "Hm."
    assert "reasoning_details" not in said


def test_a_thought_after_a_text_begins_another_message() -> None:
    _, first, second = messages(HELLO, assistant(text("A"), thinking("B"), text("C"), use()))
    assert first == {"role": "assistant", "content": "A"}
    assert second["content"] == "C"
    assert second["tool_calls"]


def test_a_damaged_wrapping_is_told() -> None:
    ask = asked(HELLO, assistant(thinking("Hm.", PREFIX + "!"), text("Yes.")))
    assert native(ask).lost == ("messages[1].content[0].thinking",)
    assert unwrap(PREFIX + "!") == []


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"type": "auto"}, {"tool_choice": "auto"}),
        ({"type": "any"}, {"tool_choice": "required"}),
        ({"type": "none"}, {"tool_choice": "none"}),
        (
            {"type": "tool", "name": "weather", "disable_parallel_tool_use": True},
            {
                "tool_choice": {"type": "function", "function": {"name": "weather"}},
                "parallel_tool_calls": False,
            },
        ),
    ],
)
def test_the_choice_of_tools_is_kept(said: dict, meant: dict) -> None:
    found = chat(tools=[WEATHER], tool_choice=said)
    assert {name: found[name] for name in meant} == meant


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"thinking": {"type": "disabled"}}, {"thinking": {"type": "disabled"}}),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2048},
            {
                "thinking": {"type": "enabled", "budget_tokens": 1024},
                "reasoning_effort": "medium",
            },
        ),
        ({"thinking": {"type": "adaptive"}}, {"reasoning_effort": "high"}),
        ({"output_config": {"effort": "low"}}, {"reasoning_effort": "low"}),
        (
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "medium"}},
            {"reasoning_effort": "medium"},
        ),
    ],
)
def test_wishes_for_thinking_are_said_as_servers_know_them(said: dict, meant: dict) -> None:
    found = chat(**said)
    assert {name: found.get(name) for name in ("thinking", "reasoning_effort")} == {
        "thinking": None,
        "reasoning_effort": None,
        **meant,
    }


@pytest.mark.parametrize("name", ["output_config", "output_format"])
def test_a_schema_is_strict_where_it_may_be(name: str) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}  # fmt: skip
    loose = {"type": "json_schema", "schema": schema}
    tight = {"type": "json_schema", "schema": {**schema, "required": ["a"], "title": "An A"}}
    for form, strict, called in ((loose, None, "answer"), (tight, True, "AnA")):
        found = chat(**{name: {"format": form} if name == "output_config" else form})
        form_said = found["response_format"]
        assert isinstance(form_said, dict)
        assert form_said["json_schema"].get("strict") is strict
        assert form_said["json_schema"]["name"] == called


def test_more_stops_and_tools_than_chats_allow_are_not_cut() -> None:
    tools = [{**WEATHER, "name": f"t{i}"} for i in range(200)]
    found = chat(tools=tools, stop_sequences=list("abcdef"))
    assert found["stop"] == list("abcdef")
    assert isinstance(found["tools"], list)
    assert len(found["tools"]) == 200
