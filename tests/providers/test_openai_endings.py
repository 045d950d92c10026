"""The OpenAI dialect: how replies end, what is no reply, and what is sent."""

import json

import msgspec
import pytest
from tests.providers.reading import decode, finishes, flat, pieces, text
from tests.providers.saying import (
    ADAPTER,
    FINISH,
    FIRST,
    fault_of,
    in_reads,
    say,
)
from tests.wall.answer import DONE, event, frame
from tests.wall.asking import ask, offer, upstream

from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Fault

# --- how a reply ends


def test_a_finish_without_done_is_whole():
    assert fault_of(in_reads(FIRST, say("a"), FINISH)) is None


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10**6])
def test_empty_lines_that_keep_the_line_open_say_nothing(size: int):
    thought = frame({"reasoning_content": "x"})
    stream = b"\n\n\n".join([FIRST, thought, say("a"), thought + b"\n", say("b"), FINISH, DONE])
    for data in (stream, stream.replace(b"\n", b"\r\n")):
        events = decode(ADAPTER.decoder(), pieces(data, size))
        assert (text(events), fault_of(events)) == ("ab", None)


def test_no_finish_is_a_cut_with_done_and_without():
    assert fault_of(in_reads(FIRST, say("a"))) is Fault.STREAM_CUT
    assert fault_of(in_reads(FIRST, say("a"), DONE)) is Fault.STREAM_CUT


def test_a_stream_without_events_is_empty():
    assert fault_of(in_reads()) is Fault.EMPTY_STREAM
    assert fault_of(in_reads(DONE)) is Fault.EMPTY_STREAM
    assert fault_of(in_reads(b": ping\n\n", b": ping\n\n")) is Fault.EMPTY_STREAM


def test_an_event_cut_in_half_is_left_out():
    events = in_reads(FIRST, say("a"), FINISH[:-1])
    assert fault_of(events) is Fault.STREAM_CUT
    assert finishes(events) == []


@pytest.mark.parametrize("extra", [DONE, say("late"), b"garbage\n\n", b"\xff"])
def test_what_follows_done_is_not_read(extra: bytes):
    whole = [FIRST, say("a"), FINISH, DONE]
    assert flat(in_reads(b"".join(whole) + extra)) == flat(in_reads(*whole))
    decoder = ADAPTER.decoder()
    decode(decoder, whole)
    assert decoder.done
    assert decoder.feed(extra) == []


def test_done_with_spaces_around_it_is_done():
    assert fault_of(in_reads(FIRST, FINISH, b"data: [DONE] \n\n")) is None


def test_empty_data_is_a_heartbeat():
    events = in_reads(b"data:\n\n", FIRST, b"data: \n\n", say("a"), FINISH, DONE)
    assert text(events) == "a"
    assert fault_of(events) is None


@pytest.mark.parametrize("before", [[], [FIRST, say("a")]])
@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"message": "slow down", "code": 429}, Fault.RATE_LIMITED),
        ({"message": "slow down", "code": "429"}, Fault.RATE_LIMITED),
        ({"message": "x", "type": "overloaded_error"}, Fault.OVERLOADED),
        ({"message": "x", "code": "context_length_exceeded"}, Fault.CONTEXT_LENGTH),
        ({"message": "x", "code": 500}, Fault.HTTP_500),
        ({"message": "x", "code": 503}, Fault.HTTP_5XX),
        ({"message": "x", "type": "server_error"}, Fault.INBAND_ERROR),
        ({"message": "x"}, Fault.INBAND_ERROR),
        ("just words", Fault.INBAND_ERROR),
        ([1], Fault.INBAND_ERROR),
        ({}, Fault.INBAND_ERROR),
    ],
)
def test_an_error_in_the_stream_is_named_wherever_it_comes(before, said, fault):
    events = in_reads(*before, event({"error": said}), say("late"))
    assert fault_of(events) is fault
    assert text(events) == ("a" if before else "")


def test_an_event_named_error_is_an_error_without_the_key_too():
    events = in_reads(FIRST, b'event: error\ndata: {"message":"no","code":529}\n\n')
    assert fault_of(events) is Fault.OVERLOADED


def test_a_null_error_is_none():
    assert fault_of(in_reads(frame({"content": "a"}, error=None), FINISH, DONE)) is None


@pytest.mark.parametrize(
    "bad",
    [
        b'data: {"choices":[{"index":0,"delta":{"content":"x"}\n\n', b"data: <html>\n\n",
        b"data: [1,2]\n\n", b"data: NaN\n\n", say("zz").replace(b"zz", b"\xff"),
        b'data: {"choices":{}}\n\n', b"data: " + b'{"a":' * 3000 + b"\n\n",
    ],
    ids=lambda bad: repr(bad[:30]),
)  # fmt: skip
def test_an_event_that_cannot_be_read_ends_the_reply(bad: bytes):
    assert fault_of(in_reads(FIRST + bad + FINISH + DONE)) is Fault.BAD_EVENT
    assert fault_of(in_reads(bad)) is Fault.BAD_EVENT


# --- whole replies


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b'{"choices":[]}', Fault.EMPTY_CHOICES),
        (b"{}", Fault.EMPTY_CHOICES),
        (b'{"choices":[{"index":0,"finish_reason":"stop"}]}', Fault.EMPTY_CHOICES),
        (b'{"choices":[{"index":0,"message":null}]}', Fault.EMPTY_CHOICES),
        (b'{"choices":{}}', Fault.INVALID_JSON),
        (b'{"choices":[1]}', Fault.INVALID_JSON),
        (b"[]", Fault.INVALID_JSON),
        (b"", Fault.INVALID_JSON),
        (b'{"choices":NaN}', Fault.INVALID_JSON),
        (b'{"choices":[{"message":{"content":"\xff"}}]}', Fault.INVALID_JSON),
        (b'{"a":' * 5000, Fault.INVALID_JSON),
        (b'{"error":{"message":"x","code":429}}', Fault.RATE_LIMITED),
        (b'{"error":{"message":"x","code":502}}', Fault.HTTP_5XX),
        (b'{"error":"broken"}', Fault.INBAND_ERROR),
    ],
)
def test_a_body_that_is_no_reply_is_named(body: bytes, fault: Fault):
    with pytest.raises(UpstreamFailed) as caught:
        ADAPTER.whole(body)
    assert caught.value.failure.fault is fault


# --- requests


def sent(call) -> dict:
    return json.loads(call.body)


def test_the_callers_fields_go_out_as_they_came_under_the_native_name():
    fields = {
        "messages": msgspec.Raw(b'[ {"role":"user"} ]'),
        "seed": msgspec.Raw(b"1e2"),
        "model": "x",
    }
    call = ADAPTER.request(ask(stream=False, fields=fields), offer("native"))
    assert b'"messages":[ {"role":"user"} ]' in call.body
    assert b'"seed":1e2' in call.body
    assert sent(call)["model"] == "native"
    assert "stream_options" not in sent(call)
    assert call.headers == {"content-type": "application/json"}


def test_usage_is_always_asked_for_in_streams():
    fields = {
        "stream": msgspec.Raw(b"true"),
        "stream_options": msgspec.Raw(b'{"include_usage":false}'),
    }
    call = ADAPTER.request(ask(fields=fields), offer())
    assert sent(call)["stream_options"] == {"include_usage": True}


def test_the_rows_quirks_are_defaults_renames_and_drops():
    source = upstream(
        defaults={"seed": 1, "top_k": 5}, rename={"max_completion_tokens": "max_tokens"},
        drop=frozenset({"user", "stream_options"}),
    )  # fmt: skip
    fields = {
        "max_completion_tokens": msgspec.Raw(b"9"),
        "seed": msgspec.Raw(b"2"),
        "user": msgspec.Raw(b'"u"'),
    }
    body = sent(ADAPTER.request(ask(fields=fields), offer("n", source)))
    assert body == {"seed": 2, "top_k": 5, "max_tokens": 9, "model": "n"}


@pytest.mark.parametrize(
    ("old", "new"),
    [("max_completion_tokens", "max_tokens"), ("max_tokens", "max_completion_tokens")],
)
def test_the_limit_that_is_reckoned_with_is_the_one_that_is_sent(old: str, new: str):
    source = upstream(rename={old: new}, defaults={"max_tokens": 1, "max_completion_tokens": 2})
    for sent_by_caller in (
        {"max_completion_tokens": 9, "max_tokens": 5},
        {"max_completion_tokens": 9},
        {"max_tokens": 9},
    ):
        fields = {name: msgspec.Raw(b"%d" % limit) for name, limit in sent_by_caller.items()}
        body = sent(ADAPTER.request(ask(stream=False, fields=fields), offer("n", source)))
        assert body == {new: 9, "model": "n"}


def test_a_callers_own_word_of_the_vendor_goes_before_a_default():
    source = upstream(rename={"seed": "random_seed"}, defaults={"seed": 1})
    fields = {"random_seed": msgspec.Raw(b"7")}
    body = sent(ADAPTER.request(ask(stream=False, fields=fields), offer("n", source)))
    assert body == {"random_seed": 7, "model": "n"}


def test_the_native_name_may_stand_in_the_address():
    source = upstream(base_url="https://x.example/deployments/{model}")
    call = ADAPTER.request(ask(), offer("gpt", source))
    assert call.url == "https://x.example/deployments/gpt/chat/completions"
