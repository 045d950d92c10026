"""The OpenAI dialect: what passes as it came, what is read, and how a reply can end."""

import json

import pytest
from tests.providers.reading import finishes, flat, objects, text, usage
from tests.providers.saying import (
    ADAPTER,
    COUNTS,
    FINISH,
    FIRST,
    events_of,
    fault_of,
    in_reads,
    say,
)
from tests.wall.answer import DONE, event, frame

from infway.kernel.events import Chunk, Usage, Verbatim
from infway.kernel.faults import Fault
from infway.providers.openai.finishes import FINISHES

# --- what passes as it came


def test_plain_frames_pass_byte_for_byte():
    events = in_reads(FIRST, say("a") + say("b"), say("c"), FINISH, DONE)
    assert [type(event) for event in events] == [Chunk, Verbatim, Verbatim, Chunk]
    assert [event.block for event in events[1:3]] == [say("a") + say("b"), say("c")]
    assert [event.frames for event in events[1:3]] == [2, 1]
    prefix = say("a").partition(b'"choices"')[0]
    assert all(event.prefix == prefix for event in events[1:3])


def test_a_block_that_came_in_one_read_is_the_same_object():
    block = say("a") + say("b")
    events = in_reads(FIRST, block, FINISH, DONE)
    assert events[1].block is block


def test_plain_frames_around_one_that_matters_stay_as_they_came():
    read = say("a") + say("b") + FINISH + DONE
    events = in_reads(FIRST, read)
    assert text(events) == "ab"
    assert len(flat(events)) == 4


@pytest.mark.parametrize(
    "stranger",
    [b": ping\n\n", b"\n\n", b": ping\n", b"event: message\n", b"id: 4\n", say("x")[:-1] + b"\r\n\r\n"],
    ids=repr,
)  # fmt: skip
def test_strangers_between_plain_frames_change_no_word(stranger: bytes):
    stream = FIRST + say("a") + stranger + say("b") + stranger + say("c") + FINISH + DONE
    expected = "axbxc" if b"x" in stranger else "abc"
    for size in (1, 3, 50, 10**6):
        assert text(events_of(stream, size=size)) == expected


def test_many_strangers_in_one_read_cost_linear_time():
    import time

    read = (say("a") + b": ping\n\n") * 5000
    began = time.process_time()
    assert text(in_reads(FIRST, read, FINISH, DONE)) == "a" * 5000
    assert time.process_time() - began < 2


def test_text_that_looks_like_a_mark_passes_untouched():
    word = '","finish_reason":"stop" "usage":{ "error": data: [DONE]\n\n'
    events = in_reads(FIRST, say(word), FINISH, DONE)
    assert text(events) == word


def test_a_root_with_choices_before_id_has_no_prefix_and_is_read():
    def backwards(delta, finish=None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return event({"choices": [choice], "id": "x", "model": "m", "created": 1})

    events = in_reads(
        backwards({"content": ""}), backwards({"content": "a"}), backwards({}, "stop"), DONE
    )
    assert [type(event) for event in events] == [Chunk] * 3
    assert text(events) == "a"


def test_choices_inside_another_field_are_not_taken_for_the_roots():
    def odd(word: str, finish=None) -> bytes:
        choice = {"index": 0, "delta": {"content": word}, "finish_reason": finish}
        return event({"id": "x", "model": "m", "meta": {"choices": []}, "choices": [choice]})

    events = in_reads(odd(""), odd("a"), odd("b"), odd("", "stop"), DONE)
    assert text(events) == "ab"
    assert not any(isinstance(event, Verbatim) for event in events)


def test_usage_beside_nested_choices_only_is_read():
    odd = event({"id": "x", "model": "m", "usage": COUNTS, "meta": {"choices": []}})
    events = in_reads(FIRST, say("a"), FINISH, odd, DONE)
    assert usage(events).total == 5


def test_spaced_json_is_passed_and_read_alike():
    def spaced(delta, finish=None, **more) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        root = {"id": "x", "model": "m", "choices": [choice], **more}
        return b"data: " + json.dumps(root).encode() + b"\n\n"

    stream = [spaced({"content": ""}), spaced({"content": "a"}), spaced({"content": "b"})]
    events = in_reads(*stream, spaced({}, "stop", usage=COUNTS), DONE)
    assert [type(event) for event in events] == [Chunk, Verbatim, Verbatim, Chunk]
    assert text(events) == "ab"
    assert usage(events).completion == 2


def test_a_vendor_without_a_space_after_data_is_understood():
    stream = b"".join([FIRST, say("a"), say("b"), FINISH, DONE]).replace(b"data: ", b"data:")
    for size in (1, 7, 10**6):
        events = events_of(stream, size=size)
        assert text(events) == "ab"
        assert fault_of(events) is None


@pytest.mark.parametrize("end", [b"\r\n", b"\r"])
def test_line_ends_of_all_kinds_give_the_same_events(end: bytes):
    stream = b"".join([FIRST, say("a"), say("b"), FINISH, DONE])
    for size in (1, 5, 10**6):
        other = events_of(stream.replace(b"\n", end), size=size)
        assert flat(other) == flat(events_of(stream))


# --- what is read


def test_every_finish_word_becomes_one_of_the_five():
    for native, reason in FINISHES.items():
        events = in_reads(FIRST, frame({}, native), DONE)
        assert [(one.reason, one.native) for one in finishes(events)] == [(reason, native)]


def test_a_finish_that_nobody_knows_is_a_stop_with_its_own_word():
    events = in_reads(FIRST, frame({}, "COMPLETE"), DONE)
    assert [(one.reason, one.native) for one in finishes(events)] == [("stop", "COMPLETE")]


def test_text_beside_the_finish_comes_with_it():
    events = in_reads(FIRST, say("a"), frame({"content": "b"}, "length"), DONE)
    assert text(events) == "ab"
    assert finishes(events)[0].reason == "length"


def test_usage_comes_in_its_own_chunk_without_content():
    only = event({"id": "x", "model": "m", "choices": [], "usage": COUNTS})
    *_, last = in_reads(FIRST, say("a"), FINISH, only, DONE)
    assert last.usage == Usage(3, 2, 5)
    assert not last.content


def test_the_last_usage_is_the_valid_one():
    later = {**COUNTS, "completion_tokens": 9, "total_tokens": 12}
    events = in_reads(frame({"content": "a"}, usage=COUNTS), frame({}, "stop", usage=later), DONE)
    assert usage(events).completion == 9


@pytest.mark.parametrize(
    "said",
    [
        [], "none", 7, {"prompt_tokens": "many"}, {"prompt_tokens": -1, "completion_tokens": 2},
        {"prompt_tokens": 1, "completion_tokens": 10**20}, {"prompt_tokens": None}, {},
        {"prompt_tokens": 1.5}, {"completion_tokens": 4}, {"prompt_tokens": 1, "prompt_tokens_details": 3},
    ],
    ids=repr,
)  # fmt: skip
def test_usage_that_makes_no_sense_is_none_and_the_answer_goes_on(said):
    events = in_reads(FIRST, say("a"), frame({}, "stop", usage=said), DONE)
    assert fault_of(events) is None
    assert usage(events) is None
    body = {"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}], "usage": said}
    assert usage(ADAPTER.whole(json.dumps(body).encode())) is None


def test_parts_of_usage_never_exceed_what_they_are_parts_of():
    said = {
        "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 99, "cache_write_tokens": -4, "audio_tokens": 3},
        "completion_tokens_details": {"reasoning_tokens": -2, "audio_tokens": 88},
        "cost": 0.5, "queue_time": 0.1,
    }  # fmt: skip
    found = usage(in_reads(FIRST, frame({}, "stop", usage=said), DONE))
    assert (found.cached, found.cache_write, found.audio_input) == (10, 0, 3)
    assert (found.reasoning, found.audio_output) == (0, 5)
    assert "cost" not in found.details
    assert "queue_time" in found.details


def test_deepseeks_name_for_cached_tokens_is_known():
    said = {**COUNTS, "prompt_cache_hit_tokens": 2}
    assert usage(in_reads(FIRST, frame({}, "stop", usage=said), DONE)).cached == 2


def test_azures_first_chunk_without_choices_is_merged_into_the_next():
    filters = [{"prompt_index": 0, "content_filter_results": {}}]
    azure = event(
        {"choices": [], "id": "", "model": "", "object": "", "prompt_filter_results": filters}
    )
    events = in_reads(azure, FIRST, say("a"), FINISH, DONE)
    first = objects(events[0])[0]
    assert first["prompt_filter_results"] == filters
    assert first["id"] == "chatcmpl-wall"
    assert first["choices"][0]["delta"]["role"] == "assistant"
    assert text(events) == "a"


def test_a_frame_without_choices_before_usage_alone_adds_no_content():
    waiting = event({"choices": [], "id": "", "note": 1})
    only = event({"id": "x", "model": "m", "choices": [], "usage": COUNTS})
    *_, last = in_reads(FIRST, FINISH, waiting, only, DONE)
    assert (last.content, last.usage) == (False, Usage(3, 2, 5))


@pytest.mark.parametrize("key", ["reasoning", "reasoning_content"])
def test_reasoning_gets_its_twin_in_streams_and_whole_replies(key: str):
    events = in_reads(FIRST, frame({key: "hm"}), say("a"), FINISH, DONE)
    delta = objects(events[1])[0]["choices"][0]["delta"]
    assert (delta["reasoning"], delta["reasoning_content"]) == ("hm", "hm")
    body = {"choices": [{"message": {"content": "a", key: "hm"}, "finish_reason": "stop"}]}
    message = objects(ADAPTER.whole(json.dumps(body).encode())[0])[0]["choices"][0]["message"]
    assert (message["reasoning"], message["reasoning_content"]) == ("hm", "hm")


def test_reasoning_that_is_there_twice_is_left_as_it_is():
    events = in_reads(FIRST, frame({"reasoning": "a", "reasoning_content": "b"}), FINISH, DONE)
    delta = objects(events[1])[0]["choices"][0]["delta"]
    assert (delta["reasoning"], delta["reasoning_content"]) == ("a", "b")


@pytest.mark.parametrize("delta", ['"reasoning', '"reasoning"', None, 7, ['"reasoning']])
def test_a_delta_of_another_kind_breaks_nothing(delta):
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    odd = event({"id": "x", "model": "m", "choices": [choice]})
    assert fault_of(in_reads(FIRST, odd, FINISH, DONE)) is None


# --- several choices


def several(index: int, word: str | None, finish: str | None = None) -> bytes:
    delta = {} if word is None else {"content": word}
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return event({"id": "x", "model": "m", "choices": [choice]})


N2 = [several(0, ""), several(1, ""), several(0, "a"), several(1, "b"), several(0, "c")]


@pytest.mark.parametrize("size", [1, 40, 10**6])
def test_every_choice_of_several_says_its_own(size: int):
    ends = [several(0, None, "stop"), several(1, None, "length")]
    events = events_of(*N2, *ends, DONE, size=size)
    assert (text(events, 0), text(events, 1)) == ("ac", "b")
    assert [(one.index, one.reason) for one in finishes(events)] == [(0, "stop"), (1, "length")]
    assert fault_of(events) is None


@pytest.mark.parametrize("done", [(), (DONE,)])
def test_a_stream_is_cut_while_one_of_its_choices_is_not_finished(done):
    for reads in ([*N2, several(0, None, "stop"), *done], [b"".join(N2), several(0, None, "stop")]):
        assert fault_of(in_reads(*reads)) is Fault.STREAM_CUT
