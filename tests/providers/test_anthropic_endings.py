"""How Claude's replies end: well, refused, cut, or in something that is no event."""

import contextlib
import json
from random import Random

import pytest
from tests.providers.anthropic_saying import (
    ADAPTER,
    begin,
    end,
    fault,
    frame,
    of,
    say,
    streamed,
    whole,
)
from tests.providers.junk import junk_object
from tests.providers.reading import finishes

from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Finish, Refusal, Text
from infway.kernel.faults import Fault
from infway.providers.anthropic.reply import MessageReader


@pytest.mark.parametrize(
    ("native", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
        ("tool_use", "tool_calls"),
        ("something_new", "stop"),
    ],
)
def test_every_ending_has_its_word(native: str, reason: str):
    assert finishes(whole(stop_reason=native)) == [Finish(0, reason, native)]
    assert finishes(streamed(begin(), say("a"), end(native))) == [Finish(0, reason, native)]


def test_a_refusal_says_why_where_the_vendor_does():
    why = {"type": "refusal", "category": "cyber", "explanation": "Not that."}
    for events in (
        whole(stop_reason="refusal", stop_details=why),
        streamed(begin(), end("refusal", stop_details=why)),
    ):
        assert of(Refusal, events) == [Refusal("Not that.")]
        assert finishes(events) == [Finish(0, "content_filter", "refusal")]


def test_a_stream_without_its_last_event_was_cut():
    whole_end = end()
    assert fault(streamed(begin(), say("a"), whole_end[: -len(frame("message_stop"))])) is (
        Fault.STREAM_CUT
    )
    assert fault(streamed(begin())) is Fault.EMPTY_STREAM
    assert fault(streamed()) is Fault.EMPTY_STREAM


def test_what_is_no_event_ends_the_reply():
    assert fault(streamed(begin(), say("a"), b"data: {nonsense\n\n", end())) is Fault.BAD_EVENT
    stray = frame("content_block_delta", index=5, delta={"type": "text_delta", "text": "x"})
    assert fault(streamed(begin(), stray, end())) is Fault.BAD_EVENT


@pytest.mark.parametrize("body", [b"{}", b'{"content":[]}', b'{"content":"a","stop_reason":"x"}'])
def test_a_body_without_a_message_is_no_reply(body: bytes):
    with pytest.raises(UpstreamFailed) as caught:
        ADAPTER.whole(body)
    assert caught.value.failure.fault is Fault.EMPTY_CHOICES


def test_an_empty_answer_that_ended_is_a_reply():
    assert whole(stop_reason="stop_sequence")[0] == Finish(0, "stop", "stop_sequence")


def test_events_can_be_read_one_by_one_without_a_framing():
    reader = MessageReader()
    start = {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}}
    assert reader.read(start) == []
    assert reader.read(
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a"}}
    ) == [Text("a")]
    assert reader.read({"type": "message_stop"}) == [Finish(0, "stop", None)]
    assert reader.done


NAMES = [
    "type", "message", "content", "content_block_start", "content_block_delta", "message_delta",
    "content_block_stop", "message_start", "message_stop", "error", "delta", "content_block",
    "text", "thinking", "tool_use", "citations", "usage", "index", "input", "stop_details",
]  # fmt: skip
EVENTS = [name for name in NAMES if "_" in name]


def test_events_of_any_shape_raise_nothing():
    for seed in range(2000):
        chance = Random(seed)
        reader = MessageReader()
        for _ in range(chance.randrange(7)):
            event = junk_object(chance, NAMES, most=8)
            reader.read({"type": chance.choice(EVENTS), **event} if chance.randrange(4) else event)
        reader.close()
        assert reader.done, seed


def test_a_body_of_any_shape_is_a_reply_or_a_named_failure():
    for seed in range(2000):
        body = junk_object(Random(seed), NAMES, most=8)
        with contextlib.suppress(UpstreamFailed):
            assert len(finishes(ADAPTER.whole(json.dumps(body).encode()))) == 1, seed
