"""Conversations come back as they were: through chats to Claude, and from other vendors' replies."""

import json
from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.api.anthropic_asking import (
    EPHEMERAL,
    HELLO,
    WEATHER,
    asked,
    assistant,
    native,
    use,
    user,
)
from tests.providers.anthropic_asking import CLAUDE, DIRECT
from tests.providers.gemini_saying import ADAPTER as GEMINI
from tests.providers.gemini_saying import reply, saying
from tests.wall.asking import offer, upstream

from infway.api.anthropic.blocks import Blocks
from infway.api.anthropic.message import Whole
from infway.kernel.chat import ChatRequest, HttpCall
from infway.kernel.events import (
    Annotation,
    Detail,
    Event,
    Image,
    Logprobs,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
)
from infway.providers.adapter import Adapter
from infway.providers.anthropic.adapter import Anthropic
from infway.providers.bedrock.adapter import Bedrock
from infway.providers.openai.adapter import OpenAI
from infway.providers.openai.opened import Opened
from infway.providers.responses.adapter import Responses

PIECES = Text | Reasoning | Detail | ToolCall | Refusal | Annotation | Image | Logprobs
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=9)
SAID = WORDS.filter(lambda word: bool(word.strip()) and word == word.strip())
MARKER = st.sampled_from([{}, {"cache_control": EPHEMERAL}])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=5,
)


def texts(marker: st.SearchStrategy = MARKER) -> st.SearchStrategy:
    return st.builds(lambda said, mark: {"type": "text", "text": said, **mark}, SAID, marker)


def pictures() -> st.SearchStrategy:
    sources = [
        {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="},
        {"type": "url", "url": "https://example.org/a.jpg"},
    ]
    return st.sampled_from(sources).map(lambda source: {"type": "image", "source": source})


def papers() -> st.SearchStrategy:
    source = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
    return SAID.map(lambda name: {"type": "document", "source": source, "title": name})


THOUGHTS = st.builds(lambda said, sign: {"type": "thinking", "thinking": said, "signature": sign}, WORDS, SAID) | SAID.map(lambda data: {"type": "redacted_thinking", "data": data})  # fmt: skip


@st.composite
def rounds(draw: st.DrawFn, number: int) -> list[dict]:
    """A question and its answer; where tools were called, their results and a second answer."""
    asks = draw(st.lists(texts() | pictures() | papers(), min_size=1, max_size=3))
    thoughts = draw(st.lists(THOUGHTS, max_size=2))
    calls = [
        {"type": "tool_use", "id": f"toolu_{number}_{i}", "name": "weather", "input": given}
        for i, given in enumerate(
            draw(st.lists(st.dictionaries(WORDS, JSON, max_size=2), max_size=3))
        )
    ]
    says = draw(st.lists(texts(st.just({})), min_size=0 if calls else 1, max_size=2))
    said = [
        {"role": "user", "content": asks},
        {"role": "assistant", "content": [*thoughts, *says, *calls]},
    ]
    if not calls:
        return said
    results = [
        {
            "type": "tool_result",
            "tool_use_id": call["id"],
            "content": draw(
                SAID | st.lists(texts(st.just({})) | pictures(), min_size=2, max_size=2)
            ),
        }
        for call in calls
    ]
    return [*said, {"role": "user", "content": results}, {"role": "assistant", "content": [draw(texts(st.just({})))]}]  # fmt: skip


@st.composite
def bodies(draw: st.DrawFn) -> dict:
    turns = [turn for number in range(draw(st.integers(0, 2))) for turn in draw(rounds(number))]
    last = {"role": "user", "content": draw(st.lists(texts(st.just({})), min_size=1, max_size=2))}
    more = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "system": st.lists(texts(st.just({})), min_size=1, max_size=2),
                "temperature": st.sampled_from([0, 0.5, 1]),
                "top_k": st.integers(1, 40),
                "stop_sequences": st.lists(SAID, min_size=1, max_size=6),
                "tool_choice": st.sampled_from(
                    [
                        {"type": "auto"},
                        {"type": "any"},
                        {"type": "none"},
                        {"type": "tool", "name": "weather"},
                    ]
                ),
                "metadata": st.just({"user_id": "one-of-many"}),
            },
        )
    )
    return {
        "max_tokens": draw(st.integers(1, 4096)),
        "messages": [*turns, last],
        "tools": [WEATHER],
        **more,
    }


@given(bodies())
def test_claude_is_asked_through_chats_what_its_caller_asked(body: dict) -> None:
    markers = sum(
        "cache_control" in block for said in body["messages"] for block in said["content"]
    )
    ask = asked(*body.pop("messages"), **body)
    sent = to_claude(ask)
    assert native(ask).lost == native(ask).needs == ()
    dropped = {path.rpartition(".")[2] for path in sent.dropped}
    assert dropped <= ({"cache_control"} if markers > 4 else set())
    found, asked_for = json.loads(sent.body), json.loads(msgspec.json.encode(native(ask).fields))
    assert {**found, "model": "m1"} == settled(asked_for, found, markers)


def settled(body: dict, found: dict, markers: int) -> dict:
    """The body as Claude's adapter spells it: the same, where markers were not too many."""
    return {**body, "messages": found["messages"]} if markers > 4 else body


def to_claude(ask: ChatRequest) -> HttpCall:
    place = replace(upstream("claude", dialect="anthropic"), chat_url=DIRECT)
    return Anthropic().request(ask, offer(CLAUDE, place))


def content_of(events: list[Event]) -> list[dict]:
    """The blocks that a caller of the Messages API gets."""
    sink = Whole()
    blocks = Blocks(sink, "toolu_r", shows_thoughts=True)
    for event in events:
        if isinstance(event, PIECES):
            blocks.add(event)
    blocks.end()
    return sink.content


def again(
    content: list[dict], adapter: Adapter, native_name: str, unsigned: int = 0, **place: object
) -> dict:
    """What a vendor is sent when its answer is given back to it; `unsigned`: thoughts nobody signed."""
    said = [HELLO, assistant(*content)]
    used = [block["id"] for block in content if block["type"] == "tool_use"]
    results = [{"type": "tool_result", "tool_use_id": one, "content": "sunny"} for one in used]
    ask = asked(*said, user(*results, {"type": "text", "text": "Go on."}), tools=[WEATHER])
    assert native(ask).lost == ()
    call = adapter.request(ask, offer(native_name, upstream("up", **place)))
    assert [path.rpartition(".")[2] for path in call.dropped] in (
        [],
        ["reasoning_details"][:unsigned],
    )
    read: dict = json.loads(call.body)
    return read


def test_encrypted_reasoning_of_openai_survives() -> None:
    output = [
        {
            "type": "reasoning", "id": "rs_1", "encrypted_content": "gAAAA",
            "summary": [{"type": "summary_text", "text": "First."}, {"type": "summary_text", "text": "Then."}],
        },
        {"type": "message", "role": "assistant", "id": "m_1", "content": [{"type": "output_text", "text": "Hi", "annotations": []}]},
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "weather", "arguments": '{"city":"Oslo"}'},
    ]  # fmt: skip
    whole = {"id": "r", "status": "completed", "output": output, "usage": {}}
    content = content_of(Responses().whole(json.dumps(whole).encode()))
    assert [block["type"] for block in content] == ["thinking", "text", "tool_use"]
    assert "First." in content[0]["thinking"]
    sent = again(content, Responses(), "gpt-5", dialect="responses")["input"]
    (thought,) = [item for item in sent if item.get("type") == "reasoning"]
    assert thought["encrypted_content"] == "gAAAA"
    assert [part["text"] for part in thought["summary"]] == ["First.", "Then."]
    assert [item["call_id"] for item in sent if item.get("type") == "function_call"] == ["call_1"]


def test_signatures_of_gemini_survive() -> None:
    said = reply(
        saying(
            {"text": "Hm.", "thought": True},
            {"functionCall": {"name": "weather", "args": {"city": "Oslo"}}, "thoughtSignature": "c2ln"},
            {"functionCall": {"name": "weather", "args": {"city": "Rome"}}},
        )
    )  # fmt: skip
    content = content_of(GEMINI.whole(json.dumps(said).encode()))
    kinds = ["thinking", "redacted_thinking", "tool_use", "tool_use"]
    assert [block["type"] for block in content] == kinds
    sent = again(content, GEMINI, "gemini-3-pro", 1, dialect="gemini")["contents"]
    parts = [part for turn in sent if turn["role"] == "model" for part in turn["parts"]]
    calls = [part for part in parts if "functionCall" in part]
    assert calls[0]["thoughtSignature"] == "c2ln"
    assert "thoughtSignature" not in calls[1]


def test_hidden_thoughts_of_bedrock_survive() -> None:
    blob = {"reasoningContent": {"redactedContent": "YmxvYg=="}}
    message = {"role": "assistant", "content": [blob, {"text": "Hi"}]}
    whole = {"output": {"message": message}, "stopReason": "end_turn", "usage": {"inputTokens": 1, "outputTokens": 1}}  # fmt: skip
    content = content_of(Bedrock().whole(json.dumps(whole).encode()))
    assert [block["type"] for block in content] == ["redacted_thinking", "text"]
    name = "anthropic.claude-3-7-sonnet-20250219-v1:0"
    sent = again(content, Bedrock(), name, dialect="bedrock")
    assert blob in [one for said in sent["messages"] for one in said["content"]]


def test_reasoning_of_open_models_goes_back_as_they_said_it() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "reasoning_content": "Hm.", "tool_calls": [call]}  # fmt: skip
    whole = {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
    content = content_of(Opened(OpenAI()).whole(json.dumps(whole).encode()))
    assert content == [
        {"type": "thinking", "thinking": "Hm.", "signature": ""},
        use("c1"),
    ]
    sent = again(content, OpenAI(), "deepseek-x")["messages"][1]
    assert sent["reasoning_content"] == "Hm."
    assert sent["tool_calls"] == [call]


def test_signed_thoughts_of_claude_survive_by_way_of_openrouter_pieces() -> None:
    form = {"format": "anthropic-claude-v1", "index": 0, "type": "reasoning.text"}
    events = [
        Reasoning("H"), Detail({**form, "text": "H"}), Reasoning("m"), Detail({**form, "text": "m"}),
        Detail({**form, "signature": "sig=="}), Text("Hi"),
    ]  # fmt: skip
    assert content_of(list(events)) == [
        {"type": "thinking", "thinking": "Hm", "signature": "sig=="},
        {"type": "text", "text": "Hi"},
    ]


@pytest.mark.parametrize("order", [lambda made: made, reversed])
def test_parallel_calls_that_come_mixed_are_blocks_one_after_the_other(order: Callable) -> None:
    events = [
        ToolCall(0, "", "a", "weather"), ToolCall(1, "", "b", "weather"),
        *order([ToolCall(0, '{"city":'), ToolCall(1, '{"city":')]), ToolCall(1, '"Rome"}'), ToolCall(0, '"Oslo"}'),
    ]  # fmt: skip
    assert content_of(list(events)) == [use("a", city="Oslo"), use("b", city="Rome")]
