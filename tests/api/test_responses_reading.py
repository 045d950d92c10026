"""How a request for a response is said as a chat, and what is refused."""

import json
from typing import Any

import pytest

from infway.api.responses.asking import read_ask, read_draft
from infway.kernel.chat import ChatRequest, Feature
from infway.providers.responses.sealed import sealed

HI = {"role": "user", "content": "Hi"}


def ask(**fields: Any) -> ChatRequest:
    """Return the request of a body."""
    draft = read_draft(json.dumps({"model": "m1", "input": "Hi", **fields}).encode())
    return read_ask(draft, draft.items(), (), "abc-1")


def chat(**fields: Any) -> dict[str, Any]:
    """Return the fields of the chat that a body means."""
    said: dict[str, Any] = {}
    for name, value in ask(**fields).fields.items():
        said[name] = json.loads(bytes(value))  # type: ignore[call-overload]
    return said


def messages(*items: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the messages that items mean."""
    said: list[dict[str, Any]] = chat(input=list(items))["messages"]
    return said


def call(id_: str = "c1") -> dict[str, Any]:
    return {"type": "function_call", "call_id": id_, "name": "f", "arguments": "{}"}


def test_parts_of_a_message_are_said_as_chats_say_them() -> None:
    content = [
        {"type": "input_text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}},
        {"type": "input_image", "image_url": "http://x.example/a.png", "detail": "low"},
        {
            "type": "input_file",
            "filename": "a.pdf",
            "file_data": "data:application/pdf;base64,AA==",
        },
        {"type": "input_file", "file_url": "http://x.example/a.pdf"},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
        {"type": "input_video", "video_url": "http://x.example/a.mp4"},
    ]
    assert messages({"type": "message", "role": "user", "content": content})[0]["content"] == [
        {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}},
        {"type": "image_url", "image_url": {"url": "http://x.example/a.png", "detail": "low"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": content[2]["file_data"]}},
        {"type": "file", "file": {"file_data": "http://x.example/a.pdf"}},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
        {"type": "video_url", "video_url": {"url": "http://x.example/a.mp4"}},
    ]


def test_what_stands_together_of_an_answer_is_one_message() -> None:
    thoughts = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}]}
    text = {"type": "output_text", "text": "One", "annotations": []}
    said = {"type": "message", "role": "assistant", "content": [text]}
    result = {"type": "function_call_output", "call_id": "c2", "output": "5"}
    made = messages(HI, thoughts, said, call("c1"), call("c2"), result, {**HI, "role": "developer"})
    assert [message["role"] for message in made] == ["user", "assistant", "tool", "developer"]
    answer = made[1]
    assert (answer["reasoning_content"], answer["content"]) == ("Hm", "One")
    assert [one["id"] for one in answer["tool_calls"]] == ["c1", "c2"]
    assert made[2] == {"role": "tool", "tool_call_id": "c2", "content": "5"}


def test_answers_that_follow_one_another_stay_apart() -> None:
    one = {"role": "assistant", "content": "One"}
    thoughts = {
        "type": "reasoning",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "Hm"}],
    }
    made = messages(HI, one, one, thoughts, call())
    assert [message.get("content") for message in made] == ["Hi", "One", "One", None]
    assert made[3]["reasoning_content"] == "Hm"


def test_a_text_behind_a_call_joins_it_so_that_the_result_can_follow() -> None:
    result = {"type": "function_call_output", "call_id": "c1", "output": "5"}
    made = messages(HI, call(), {"role": "assistant", "content": "One"}, result)
    assert [message["role"] for message in made] == ["user", "assistant", "tool"]


def test_a_result_may_hold_pictures() -> None:
    output = [
        {"type": "input_text", "text": "a"},
        {"type": "input_image", "image_url": "http://x.example/a"},
    ]
    made = messages(HI, call(), {"type": "function_call_output", "call_id": "c1", "output": output})
    assert [part["type"] for part in made[2]["content"]] == ["text", "image_url"]
    asked = ask(input=[HI, {"role": "user", "content": output}])
    assert Feature.VISION in asked.features


def test_sealed_details_come_back_and_signatures_stand_at_their_calls() -> None:
    detail = {
        "type": "reasoning.text",
        "text": "Hm",
        "signature": "s",
        "format": "anthropic-claude-v1",
    }
    sign = {"type": "reasoning.encrypted", "data": "sig", "id": "c1", "format": "google-gemini-v1"}
    one = {"type": "reasoning", "summary": [], "encrypted_content": sealed([detail])}
    two = {"type": "reasoning", "summary": [], "encrypted_content": sealed([sign])}
    made = messages(HI, one, call(), two)
    assert made[1]["reasoning_details"] == [detail]
    google = {"google": {"thought_signature": "sig"}}
    assert made[1]["tool_calls"][0]["extra_content"] == google


def test_openais_own_reasoning_is_kept_as_its_own() -> None:
    summary = [{"type": "summary_text", "text": "Hm"}]
    item = {"type": "reasoning", "id": "rs_1", "summary": summary, "encrypted_content": "gAAA"}
    known = {"format": "openai-responses-v1", "id": "rs_1"}
    assert messages(HI, item, call())[1]["reasoning_details"] == [
        {"type": "reasoning.summary", "summary": "Hm", **known},
        {"type": "reasoning.encrypted", "data": "gAAA", **known},
    ]


def test_settings_are_said_in_chats_words() -> None:
    schema = {"type": "object"}
    said = chat(
        text={
            "format": {"type": "json_schema", "name": "A", "schema": schema, "strict": True},
            "verbosity": "low",
        },
        reasoning={"effort": "low", "summary": "auto"},
        include=["message.output_text.logprobs"],
        top_logprobs=2,
        parallel_tool_calls=False,
        prompt_cache_key="k",
        service_tier="flex",
        safety_identifier="s",
        tools=[
            {
                "type": "function",
                "name": "f",
                "parameters": schema,
                "cache_control": {"type": "ephemeral"},
            }
        ],
        tool_choice={
            "type": "allowed_tools",
            "mode": "required",
            "tools": [{"type": "function", "name": "f"}],
        },
    )
    assert said["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "A", "schema": schema, "strict": True},
    }
    assert (said["verbosity"], said["reasoning_effort"]) == ("low", "low")
    assert (said["logprobs"], said["top_logprobs"]) == (True, 2)
    assert (said["parallel_tool_calls"], said["service_tier"]) == (False, "flex")
    function = {"name": "f", "parameters": schema}
    assert said["tools"] == [
        {"type": "function", "function": function, "cache_control": {"type": "ephemeral"}}
    ]
    named = {"type": "function", "function": {"name": "f"}}
    allowed = {"mode": "required", "tools": [named]}
    assert said["tool_choice"] == {"type": "allowed_tools", "allowed_tools": allowed}
    tools = [{"type": "function", "name": "f"}]
    choice = {"type": "function", "name": "f"}
    assert chat(tools=tools, tool_choice=choice)["tool_choice"] == named
    assert chat(tools=tools, tool_choice="required")["tool_choice"] == "required"
    assert "tool_choice" not in chat(tool_choice="auto")
    assert chat(text={"format": {"type": "json_object"}})["response_format"] == {
        "type": "json_object"
    }


@pytest.mark.parametrize(
    ("fields", "needs"),
    [
        ({"tools": [{"type": "web_search"}]}, ("tools[0].type",)),
        ({"tools": [{"type": "custom", "name": "c"}]}, ("tools[0].type",)),
        (
            {"tools": [{"type": "web_search"}], "tool_choice": {"type": "web_search"}},
            ("tools[0].type", "tool_choice"),
        ),
        (
            {
                "tools": [{"type": "mcp", "server_label": "a"}],
                "tool_choice": {
                    "type": "allowed_tools",
                    "tools": [{"type": "mcp", "server_label": "a"}],
                },
            },
            ("tools[0].type", "tool_choice"),
        ),
        ({"context_management": [{"type": "compaction"}]}, ("context_management",)),
        ({"input": [HI, {"type": "custom_tool_call_output", "output": ""}]}, ("input[1].type",)),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]},
            ("input[0].content[0].file_id",),
        ),
    ],
)
def test_what_only_responses_can_say_is_named(
    fields: dict[str, Any], needs: tuple[str, ...]
) -> None:
    native = ask(**fields).native
    assert native is not None
    assert native.needs == needs


def test_what_is_left_out_elsewhere_is_named() -> None:
    native = ask(
        truncation="auto",
        max_tool_calls=3,
        reasoning={"mode": "pro"},
        input=[HI, {"type": "web_search_call", "id": "ws", "status": "completed"}],
        tools=[{"type": "function", "name": "f", "defer_loading": True}],
    ).native
    assert native is not None
    assert set(native.lost) == {
        "truncation",
        "max_tool_calls",
        "reasoning.mode",
        "input[1].type",
        "tools[0].defer_loading",
    }
