"""Replies of work that is no chat: any bytes are a reply or a failure, and what is counted is right."""

import contextlib
import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.providers.junk import junk_object

from infway.kernel.chat import ChatRequest, Feature, Offer, Prices, Selection, Upstream
from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Units, Usage
from infway.kernel.faults import Fault
from infway.kernel.work import PLACES, WORK, WORKS
from infway.providers.passing.measures import said
from infway.providers.passing.sounds import length_of, length_told, milliseconds
from infway.providers.passing.watching import Watch
from infway.providers.registry import PASSERS
from infway.providers.shapes import parse

DOCUMENTS = ["a", {"text": "b"}, "c"]
FIELDS: dict[str, object] = {"query": "q", "documents": DOCUMENTS, "input": "hi", "prompt": "p"}
OFFER = Offer(
    0, "m", Upstream("one", "custom", "openai", "", work_urls=dict.fromkeys(PLACES, "http://x/")),
    "native", Prices(), WORK, 50.0,
)  # fmt: skip
KINDS = ["application/json", "text/plain", "audio/mpeg", ""]

NAMES = [
    "results", "data", "usage", "meta", "index", "relevance_score", "score", "text", "error",
    "duration", "model", "input_tokens", "output_tokens", "input_tokens_details", "image_tokens",
    "seconds", "type", "billed_units", "search_units", "tokens", "total_tokens",
]  # fmt: skip


def reply(chance: Random) -> bytes:
    """Return an object of names that mean something, or any bytes."""
    if chance.randrange(4) == 0:
        return chance.randbytes(chance.randrange(31))
    return json.dumps(junk_object(chance, NAMES, depth=3)).encode()


def ask(work: Feature, **fields: object) -> ChatRequest:
    return ChatRequest("id", {**FIELDS, **fields}, False, Selection("m"), work, 7, 2, None, None)


@pytest.mark.parametrize("passer", PASSERS)
@pytest.mark.parametrize("work", PLACES)
def test_any_reply_is_a_reply_or_a_failure(passer: str, work: Feature) -> None:
    for seed in range(200):
        chance = Random(seed)
        _is_a_reply_or_a_failure(passer, work, reply(chance), chance.choice(KINDS))


def _is_a_reply_or_a_failure(passer: str, work: Feature, body: bytes, kind: str) -> None:
    with contextlib.suppress(UpstreamFailed):
        whole = PASSERS[passer].whole(body, {"content-type": kind}, ask(work), OFFER)
        usage = whole.usage
        assert min(usage.prompt, usage.completion, usage.total, *(usage.units or (0,))) >= 0
        if whole.fields is not None:
            parse(whole.body)
    failure = PASSERS[passer].fault(500, {}, body)
    assert failure.status == 500


def test_events_are_passed_on_whole_and_unchanged() -> None:
    for seed in range(1000):
        chance = Random(seed)
        events = [reply(chance) for _ in range(chance.randrange(9))]
        _are_passed_on_whole_and_unchanged(events, chance.randrange(1, 51))


def _are_passed_on_whole_and_unchanged(events: list[bytes], size: int) -> None:
    stream = b"".join(
        b"data: %b\n\n" % event.replace(b"\r", b"").replace(b"\n", b"") for event in events
    )
    watch = Watch(ask(Feature.IMAGES))
    passed = b""
    for at in range(0, len(stream), size):
        passed += watch.feed(stream[at : at + size])
        assert passed == b"" or passed.endswith(b"\n\n")
        if watch.failure is not None:
            break
    whole = stream.removeprefix(b"\xef\xbb\xbf")
    if watch.failure is None:
        assert passed + watch.close() == whole
    else:
        assert whole.startswith(passed)
        assert b"error" in whole.removeprefix(passed).partition(b"\n\n")[0]


@pytest.mark.parametrize(
    "told",
    [
        b'data: {"error":{"message":"org-secret","code":"server_overloaded"}}\n\n',
        b'data: {"type":"error","code":"server_overloaded","message":"org-secret"}\n\n',
        b'event: error\ndata: {"message":"org-secret","code":"server_overloaded"}\n\n',
        b"event:error\ndata: org-secret\n\n",
    ],
)
def test_an_error_among_events_is_withheld_with_all_that_follows(told: bytes) -> None:
    good = b'data: {"type":"a","error":null,"usage":{"input_tokens":3}}\n\n'
    watch = Watch(ask(Feature.SPEECH))
    assert watch.feed(good + told + good) == good
    assert watch.failure is not None
    assert watch.usage is not None
    named = Fault.INBAND_ERROR if b"code" not in told else Fault.OVERLOADED
    assert watch.failure.fault is named


def test_a_last_event_without_its_blank_line_gets_it() -> None:
    watch = Watch(ask(Feature.SPEECH))
    assert watch.feed(b'data: {"usage":{"input_tokens":1,"output_tokens":2}}') == b""
    assert watch.close().endswith(b"}\n\n")
    assert watch.usage is not None
    assert (watch.usage.prompt, watch.usage.audio_output) == (1, 2)


@pytest.mark.parametrize(
    ("work", "told", "usage"),
    [
        (Feature.IMAGES, {"input_tokens": 9, "output_tokens": 5,
                          "input_tokens_details": {"image_tokens": 4}},
         Usage(9, 5, 14, units=Units(image_input=4, image_output=5))),
        (Feature.IMAGES, {"input_tokens": 9, "output_tokens": 5,
                          "output_tokens_details": {"image_tokens": 3, "text_tokens": 2}},
         Usage(9, 5, 14, units=Units(image_output=3))),
        (Feature.TRANSCRIPTION, {"type": "duration", "seconds": 2.5},
         Usage(0, 0, 0, units=Units(milliseconds=2500))),
        (Feature.RERANK, {"total_tokens": 6}, Usage(6, 0, 6, units=Units())),
        (Feature.RERANK, {"prompt_tokens": 6, "total_tokens": 6}, Usage(6, 0, 6, units=Units())),
        (Feature.MODERATION, {}, None),
        (Feature.MODERATION, {"input_tokens": -5, "seconds": float("nan")}, None),
        (Feature.MODERATION, [1], None),
    ],
)  # fmt: skip
def test_usage_is_read_in_all_its_words(work: Feature, told: object, usage: Usage | None) -> None:
    assert said(told, ask(work)) == usage


@pytest.mark.parametrize(
    ("told", "expected"),
    [(1, 1000), (0.5, 500), ("2.25", 2250), (-1, None), ("x", None), (None, None),
     (float("inf"), None), (float("nan"), None), (10**400, None), (True, None)],
)  # fmt: skip
def test_seconds_are_numbers_or_texts(told: object, expected: int | None) -> None:
    assert milliseconds(told) == expected


@given(st.binary(max_size=100) | st.binary(max_size=80).map(lambda tail: b"RIFF....WAVE" + tail))
def test_the_length_of_any_bytes_is_told_or_guessed(sound: bytes) -> None:
    assert 0 <= length_of(sound).milliseconds <= 100_000


def riff(chunks: int, data: bytes = bytes(16_000)) -> bytes:
    """A WAV file of one second with empty chunks before its sound."""
    form = b"fmt " + (16).to_bytes(4, "little") + bytes(8) + (16_000).to_bytes(4, "little")
    head = form + bytes(4) + b"JUNK\0\0\0\0" * chunks
    return b"RIFF....WAVE" + head + b"data" + len(data).to_bytes(4, "little") + data


def test_a_wav_file_of_too_many_chunks_is_guessed_by_its_size() -> None:
    assert length_of(riff(62)) == (1000, False)
    many = riff(100)
    assert length_of(many) == (len(many) * 1000 // 16_000, True)


def test_subtitles_tell_when_they_end() -> None:
    assert length_told(b"WEBVTT\n\n00:01.000 --> 01:02.500\nhi\n") == 62_500
    assert length_told(b"1\n00:00:00,000 --> 01:00:02,500\nhi\n") == 3_602_500
    assert length_told(b"hello") is None


def test_each_work_has_a_place_and_one_trade() -> None:
    assert Feature(sum(PLACES)) == WORK
    assert sum(len(list(works)) for works in WORKS.values()) == len(PLACES)
