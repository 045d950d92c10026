"""How replies of Bedrock's Converse end, and what is no reply."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.providers.bedrock_saying import (
    ADAPTER,
    BEGIN,
    METADATA,
    SIGNED,
    calls,
    delta,
    end,
    of,
    start,
    stop,
    streamed,
    whole,
)
from tests.providers.eventstream_saying import event
from tests.providers.reading import broken, decode, finishes, text

from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Detail
from infway.kernel.faults import Fault

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["text", "toolUse", "input", "name", "reasoningContent", "citation", "location", "image",
             "source", "usage", "stopReason", "contentBlockIndex", "delta", "start", "content",
             "output", "message", "inputTokens", "cacheDetails", "serviceTier", "type"]
        ),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


def test_a_reply_with_calls_never_just_stops():
    events = whole({"toolUse": {"toolUseId": "t", "name": "now", "input": {}}})
    assert [(one.reason, one.native) for one in finishes(events)] == [("tool_calls", "end_turn")]


@pytest.mark.parametrize(
    ("native", "reason"),
    [
        ("end_turn", "stop"), ("stop_sequence", "stop"), ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"), ("guardrail_intervened", "content_filter"),
        ("content_filtered", "content_filter"), ("malformed_model_output", "error"),
        ("malformed_tool_use", "error"), ("something_new", "stop"),
    ],
)  # fmt: skip
def test_the_end_has_a_reason(native: str, reason: str):
    for events in (
        whole({"text": "x"}, reason=native),
        streamed(delta(0, text="x"), reason=native),
    ):
        assert [(one.reason, one.native) for one in finishes(events)] == [(reason, native)]


def test_an_answer_may_be_empty():
    assert [one.reason for one in finishes(whole())] == ["stop"]
    assert [one.reason for one in finishes(streamed())] == ["stop"]


def test_a_stream_is_whole_once_the_message_has_stopped():
    decoder = ADAPTER.decoder()
    events = decoder.feed(BEGIN + delta(0, text="Hi") + end())
    assert not decoder.done
    assert events + decoder.close() == events
    assert broken(events) is None
    assert decoder.done


def test_blocks_left_open_end_with_the_message():
    events = streamed(
        start(0, toolUse={"toolUseId": "t", "name": "now"}),
        delta(1, reasoningContent={"text": "Hm. Yes.", "signature": "ab"}),
    )
    assert calls(events) == [("t", "now", "{}")]
    assert [one.item for one in of(events, Detail)] == [SIGNED]


def test_kinds_of_events_that_are_not_known_say_nothing():
    assert text(streamed(event("somethingNew", {"x": 1}), delta(0, text="Hi"))) == "Hi"


@pytest.mark.parametrize(
    "odd", [b"", b"[]", b"null", b"{", b"\xff", b'{"delta": {"text": "\xff"}}']
)
def test_an_event_that_is_no_object_ends_the_stream(odd: bytes):
    for name in ("contentBlockDelta", "contentBlockStart", "messageStop"):
        last = broken(decode(ADAPTER.decoder(), [BEGIN + event(name, odd)]))
        assert last is not None
        assert last.failure.fault is Fault.BAD_EVENT


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"{}", Fault.EMPTY_CHOICES),
        (b'{"output": {}}', Fault.EMPTY_CHOICES),
        (b'{"output": {"message": null}}', Fault.EMPTY_CHOICES),
        (b'{"message": "Slow down", "__type": "x#ThrottlingException"}', Fault.RATE_LIMITED),
        (b'{"message": "Odd"}', Fault.INBAND_ERROR),
        (b"<html>", Fault.INVALID_JSON),
    ],
)
def test_a_body_that_is_no_reply_is_named(body: bytes, fault: Fault):
    with pytest.raises(UpstreamFailed) as caught:
        ADAPTER.whole(body)
    assert caught.value.failure.fault is fault


@given(JSON, st.sampled_from(["contentBlockDelta", "contentBlockStart", "metadata", "messageStop"]))
def test_events_of_any_shape_raise_nothing(said: object, name: str):
    payload = json.dumps(said).encode()
    decode(ADAPTER.decoder(), [BEGIN + event(name, payload) + stop(0) + end() + METADATA])
    for body in (
        {"output": {"message": said}, "usage": said},
        {"output": {"message": {"content": said}}},
        said,
    ):
        with suppress(UpstreamFailed):
            ADAPTER.whole(json.dumps(body).encode())
