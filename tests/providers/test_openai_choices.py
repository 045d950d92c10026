"""Departures of vendors from the OpenAI dialect in replies, and what clients read instead."""

import json

import pytest
from tests.providers.reading import decode, finishes, objects, usage

from infway.kernel.events import Broken, Event
from infway.kernel.faults import Fault
from infway.providers.openai.adapter import OpenAI

ADAPTER = OpenAI()
THINKING = {
    "type": "thinking",
    "thinking": [{"type": "text", "text": "Hm"}, {"type": "text", "text": "."}],
}
COUNTS = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}


def whole(message: dict, **more: object) -> list[Event]:
    choice = {
        "index": 0,
        "message": {"role": "assistant", **message},
        "finish_reason": "stop",
        **more,
    }
    body = {"id": "x", "created": 17, "model": "m", "choices": [choice], "usage": COUNTS}
    return ADAPTER.whole(json.dumps(body).encode())


def message_of(events: list[Event]) -> dict:
    return objects(events[0])[0]["choices"][0]["message"]


def frame(delta: dict, finish: str | None = None, **root: object) -> bytes:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    body = {"id": "x", "created": 17, "model": "m", "choices": choices, **root}
    return b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"


def streamed(*frames: bytes) -> list[Event]:
    return decode(ADAPTER.decoder(), [b"".join(frames)])


def deltas(events: list[Event]) -> list[dict]:
    return [
        choice["delta"] for event in events for one in objects(event) for choice in one["choices"]
    ]


def test_mistrals_parts_become_text_and_reasoning():
    message = message_of(whole({"content": [THINKING, {"type": "text", "text": "4"}]}))
    assert message["content"] == "4"
    assert message["reasoning"] == message["reasoning_content"] == "Hm."
    assert "content_parts" not in message


def test_a_part_that_is_neither_stays_with_the_message():
    reference = {"type": "reference", "reference_ids": [1]}
    message = message_of(whole({"content": [{"type": "text", "text": "a"}, reference]}))
    assert (message["content"], message["content_parts"]) == ("a", [reference])


def test_a_structured_answer_given_as_an_object_becomes_text():
    message = message_of(whole({"content": {"name": "Emily", "age": 32.0}}))
    assert json.loads(message["content"]) == {"name": "Emily", "age": 32.0}


def test_parts_are_told_apart_in_the_middle_of_a_stream_too():
    first, text = frame({"role": "assistant", "content": ""}), frame({"content": "4"})
    events = streamed(first, text, frame({"content": [THINKING]}), text, frame({}, "stop"))
    said = deltas(events)
    assert "".join(one.get("content") or "" for one in said) == "44"
    assert "".join(one.get("reasoning_content") or "" for one in said) == "Hm."


def test_a_call_with_an_empty_id_gets_one_of_its_own():
    call = {"id": "", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    other = {**call, "id": "mine"}
    ids = [
        one["id"] for one in message_of(whole({"tool_calls": [call, other, call]}))["tool_calls"]
    ]
    assert ids == ["call_17_0", "mine", "call_17_2"]
    events = streamed(frame({"content": "a"}), frame({"tool_calls": [call]}), frame({}, "stop"))
    assert [one["tool_calls"][0]["id"] for one in deltas(events) if "tool_calls" in one] == [
        "call_17_0"
    ]


def test_the_models_own_word_for_the_end_is_kept_beside():
    (end,) = finishes(whole({"content": "a"}, native_finish_reason="end_turn"))
    assert (end.reason, end.native) == ("stop", "end_turn")
    (end,) = finishes(whole({"content": "a"}, finish_reason="length", native_finish_reason=None))
    assert (end.reason, end.native) == ("length", "length")


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_whole_reply_has_ended_whatever_it_says(nothing: str | None):
    (end,) = finishes(whole({"content": "a"}, finish_reason=nothing))
    assert (end.index, end.reason, end.native) == (0, "stop", None)
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    (end,) = finishes(whole({"content": "", "tool_calls": [call]}, finish_reason=nothing))
    assert end.reason == "tool_calls"


DONE = b"data: [DONE]\n\n"
LAST = b'data: {"id":"x","created":17,"model":"m","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}\n\n'


def test_a_stream_that_counts_and_ends_is_whole_without_a_reason():
    (end,) = finishes(streamed(frame({"content": "a"}), LAST, DONE))
    assert (end.index, end.reason, end.native) == (0, "stop", None)
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    (end,) = finishes(streamed(frame({"tool_calls": [call]}), LAST, DONE))
    assert end.reason == "tool_calls"


@pytest.mark.parametrize("rest", [(LAST,), (DONE,), ()])
def test_without_both_it_was_cut(rest: tuple[bytes, ...]):
    end = streamed(frame({"content": "a"}), *rest)[-1]
    assert isinstance(end, Broken)
    assert end.failure.fault is Fault.STREAM_CUT


@pytest.mark.parametrize("name", ["num_cached_tokens", "prompt_cache_hit_tokens"])
def test_cached_tokens_are_found_under_other_names_and_told_under_the_usual(name: str):
    body = {"id": "x", "choices": [{"index": 0, "message": {"content": "a"}, "finish_reason": "stop"}],
            "usage": {**COUNTS, name: 4}}  # fmt: skip
    counted = usage(ADAPTER.whole(json.dumps(body).encode()))
    assert counted is not None
    assert counted.cached == 4
    assert counted.details is not None
    assert counted.details["prompt_tokens_details"] == {"cached_tokens": 4}
