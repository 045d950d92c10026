"""One conversation told in every dialect is the same to the counter."""

import json

import pytest
from tests.counting.asked import READERS
from tests.counting.measured import measure
from tests.counting.words import Json, Untold

CALL = {"city": "Oslo"}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
OPENAI: Json = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Rain?"},
        {
            "role": "assistant",
            "tool_calls": [
                {"id": "1", "function": {"name": "rain", "arguments": json.dumps(CALL)}}
            ],
        },
        {"role": "tool", "tool_call_id": "1", "content": "no"},
    ],
    "tools": [{"type": "function", "function": {"name": "rain", "parameters": SCHEMA}}],
}
ANTHROPIC: Json = {
    "system": [{"type": "text", "text": "Be brief."}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Rain?"}]},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "1", "name": "rain", "input": CALL}],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "1", "content": "no"}],
        },
    ],
    "tools": [{"name": "rain", "input_schema": SCHEMA}],
}
GEMINI: Json = {
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "contents": [
        {"role": "user", "parts": [{"text": "Rain?"}]},
        {"role": "model", "parts": [{"functionCall": {"name": "rain", "args": CALL}}]},
        {
            "role": "user",
            "parts": [{"function_response": {"name": "rain", "response": {"result": "no"}}}],
        },
    ],
    "tools": [{"function_declarations": [{"name": "rain", "parameters": SCHEMA}]}],
}
RESPONSES: Json = {
    "instructions": "Be brief.",
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "Rain?"}]},
        {
            "type": "function_call",
            "call_id": "1",
            "name": "rain",
            "arguments": json.dumps(CALL),
        },
        {"type": "function_call_output", "call_id": "1", "output": "no"},
    ],
    "tools": [{"type": "function", "name": "rain", "parameters": SCHEMA}],
}
CONVERSE: Json = {
    "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
    "messages": [
        {"role": "user", "content": [{"text": "Rain?"}]},
        {
            "role": "assistant",
            "content": [{"toolUse": {"toolUseId": "1", "name": "rain", "input": CALL}}],
        },
        {
            "role": "user",
            "content": [{"toolResult": {"toolUseId": "1", "content": [{"text": "no"}]}}],
        },
    ],
    "toolConfig": {"tools": [{"toolSpec": {"name": "rain", "inputSchema": {"json": SCHEMA}}}]},
}
TOLD = {
    "openai_chat": OPENAI,
    "anthropic_messages": ANTHROPIC,
    "gemini": GEMINI,
    "openai_responses": RESPONSES,
    "bedrock_converse": CONVERSE,
}


def said(chat: Json) -> list[tuple[str, str]]:
    """Return who says what, calls and results included."""
    found: list[tuple[str, str]] = []
    for message in chat["messages"]:
        content = message.get("content") or ""
        texts = [content] if isinstance(content, str) else [part["text"] for part in content]
        calls = [call["function"] for call in message.get("tool_calls") or ()]
        texts += [call["name"] + json.dumps(json.loads(call["arguments"])) for call in calls]
        found.append((message["role"], "".join(texts)))
    return found


@pytest.mark.parametrize("dialect", TOLD)
def test_every_dialect_tells_the_same_conversation(dialect: str) -> None:
    chat = READERS[dialect](TOLD[dialect])
    expected = said(OPENAI)
    if dialect == "gemini":
        expected[-1] = ("tool", '{"result": "no"}')
    assert said(chat) == expected
    (tool,) = chat["tools"]
    assert tool["function"]["name"] == "rain"
    assert tool["function"]["parameters"] == SCHEMA


@pytest.mark.parametrize(
    ("dialect", "more"),
    [
        ("anthropic_messages", {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}),
        ("gemini", {"tools": [{"googleSearch": {}}]}),
        ("openai_responses", {"previous_response_id": "resp_1"}),
        ("openai_chat", {"web_search_options": {}}),
    ],
)
def test_what_hides_a_prompt_is_not_compared(dialect: str, more: Json) -> None:
    with pytest.raises(Untold):
        READERS[dialect]({**TOLD[dialect], **more})


def test_a_recording_is_measured_once(tmp_path) -> None:
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello, how are you?"}]}
    reply = {
        "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "message": {"content": "Well."}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 13, "completion_tokens": 2, "total_tokens": 15},
    }
    record = {
        "request": {"body": body},
        "response": {"status": 200, "body_text": json.dumps(reply)},
    }
    (tmp_path / "a.json").write_text(json.dumps(record))
    row = {"file": "a.json", "dialect": "openai_chat", "status": 200, "wire": "json"}
    (tmp_path / "_index.jsonl").write_text(f"{json.dumps(row)}\n{json.dumps(row)}\n")
    (one,), why = measure(tmp_path)
    assert (one.family, one.kind, one.error, one.counted.exact) == ("gpt-4o", "text", 0.0, True)
    assert not why
