"""Chunks of the OpenAI dialect taken apart: what the pieces add up to is what plain JSON says."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance import truth_openai
from tests.conformance.recording import Recording, load, rows
from tests.conformance.said import Choice, Said
from tests.providers.reading import broken, cut_at, decode

from infway.kernel.events import (
    Detail,
    Event,
    Facts,
    Finish,
    Image,
    Logprobs,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Usage,
)
from infway.providers.openai.adapter import OpenAI
from infway.providers.openai.opened import Opened

ADAPTER = Opened(OpenAI())
CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus" / "dev"


def frame(delta: dict, finish: str | None = None, index: int = 0, **root: object) -> bytes:
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    said = {"id": "c", "model": "m", "object": "chat.completion.chunk", "choices": [choice], **root}
    return b"data: " + json.dumps(said, separators=(",", ":")).encode() + b"\n\n"


def call(position: int, arguments: str, **said: object) -> dict:
    return {"tool_calls": [{"index": position, "function": {"arguments": arguments}, **said}]}


STREAM = b"".join(
    [
        frame({"role": "assistant", "content": ""}, service_tier="default"),
        frame({"reasoning_content": "Hm"}),
        frame({"content": "Hel\u2028"}),
        frame({"content": "lo"}),
        frame({"content": " you"}),
        frame(call(0, "", id="a", type="function") | {"content": None}),
        frame(call(0, '{"x":')),
        frame(call(0, "1}")),
        frame(call(1, "{}", id="b", type="function")),
        frame({"refusal": "No"}),
        frame({}, "tool_calls"),
        frame({}, None, usage={"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}),
        b"data: [DONE]\n\n",
    ]
)


def added(events: list[Event]) -> Said:
    """What the pieces add up to."""
    said = Said()
    for event in events:
        if isinstance(event, (Usage, Facts)):
            continue
        choice = said.choice(event.index)
        add(choice, event)
    return said


def add(choice: Choice, event: Event) -> None:
    match event:
        case Text():
            choice.text += event.text
        case Reasoning():
            choice.reasoning += event.text
        case Refusal():
            choice.refusal += event.text
        case ToolCall():
            whole = choice.call(event.position)
            whole.id = event.id or whole.id
            whole.name += event.name or ""
            whole.arguments += event.arguments
        case Detail():
            kept = event.item.get("signature") or event.item.get("data")
            choice.kept |= {str(kept)} if kept else set()
        case Image():
            choice.images += 1
        case Logprobs():
            choice.tokens += [str(token["token"]) for token in event.tokens]
        case Finish():
            choice.finish, choice.native = event.reason, event.native


@given(st.lists(st.integers(0, len(STREAM)), max_size=30))
def test_the_pieces_are_the_same_in_every_cut(places: list[int]) -> None:
    events = decode(ADAPTER.decoder(), cut_at(STREAM, places))
    said = added(events).choices[0]
    assert (said.text, said.reasoning, said.refusal) == ("Hel\u2028lo you", "Hm", "No")
    assert [(one.id, one.arguments) for one in said.calls] == [("a", '{"x":1}'), ("b", "{}")]
    assert said.finish == "tool_calls"
    assert [event for event in events if isinstance(event, Facts)] == [
        Facts({"service_tier": "default"})
    ]
    assert [event.total for event in events if isinstance(event, Usage)] == [5]


def test_calls_that_share_a_place_are_told_apart_by_their_ids() -> None:
    body = b"".join(
        [
            frame(call(0, '{"a":1}', id="one", type="function")),
            frame(call(0, '{"b":2}', id="two", type="function")),
            frame(call(1, "{}", id="three", type="function")),
            frame({}, "tool_calls"),
            b"data: [DONE]\n\n",
        ]
    )
    said = added(decode(ADAPTER.decoder(), [body])).choices[0]
    assert [(one.id, one.arguments) for one in said.calls] == [
        ("one", '{"a":1}'),
        ("two", '{"b":2}'),
        ("three", "{}"),
    ]


def test_a_cut_stream_stays_broken() -> None:
    assert broken(decode(ADAPTER.decoder(), [STREAM[: len(STREAM) // 2]])) is not None


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the recordings are not at hand")
@pytest.mark.parametrize("part", range(4))
def test_recorded_replies_add_up_to_what_was_said(part: int) -> None:
    checked = 0
    chats = [row for row in rows(CORPUS) if row.dialect == "openai_chat"]
    for recording in map(load, chats[part::4]):
        truth = truth_openai.read(recording)
        if truth.failing is not None:
            continue
        events = heard(recording)
        check(added(events), truth, recording.row.id)
        checked += 1
    assert checked > 50


def heard(recording: Recording) -> list[Event]:
    body = recording.text.encode()
    if recording.is_streamed:
        return decode(ADAPTER.decoder(), [body])
    return ADAPTER.whole(body)


def check(found: Said, truth: Said, name: str) -> None:
    for index, true in truth.choices.items():
        one = found.choice(index)
        assert one.text == true.text, name
        assert one.reasoning == true.reasoning, name
        assert one.refusal == true.refusal, name
        assert one.tokens == true.tokens, name
        assert one.images == true.images, name
        assert one.kept >= true.kept, name
        calls = [call for call in true.calls if call.name]
        assert [(c.name, c.arguments) for c in one.calls if c.name] == [
            (c.name, c.arguments) for c in calls
        ], name
        assert one.finish == true.finish, name
