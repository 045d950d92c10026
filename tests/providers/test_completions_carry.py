"""Text completions as they are passed on, and as servers that continue texts answer."""

import json
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.providers.reading import broken, cut_at, decode, finishes, flat, pieces, usage
from tests.wall.asking import ask, offer, upstream

from infway.kernel.chat import ChatRequest, HttpCall, Native
from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Chunk, Event, Verbatim
from infway.kernel.faults import Fault
from infway.providers.completions.carry import CHATS, DIALECT, Completions
from infway.providers.mirror import Mirror

CARRIER = Completions()
TEXTS = upstream(speaks={DIALECT: "http://127.0.0.1:9/v1/completions"})
ROOT = {"id": "cmpl-1", "object": "text_completion", "created": 7, "model": "n"}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def asking(*, stream: bool = False, needs: tuple[str, ...] = (), **fields: object) -> ChatRequest:
    raw = {name: msgspec.Raw(json.dumps(value).encode()) for name, value in fields.items()}
    return ask(stream, native=Native(DIALECT, raw, needs))


def sent(call: HttpCall) -> dict[str, object]:
    return json.loads(call.body)


def choice(text: object, finish: str | None = None, index: int = 0, **more: object) -> dict:
    return {"text": text, "index": index, "logprobs": None, "finish_reason": finish, **more}


def frame(*choices: object, **root: object) -> bytes:
    return b"data: " + json.dumps({**ROOT, "choices": choices, **root}).encode() + b"\n\n"


def tail_first(*choices: object) -> bytes:
    """OpenAI and llama.cpp name the model behind the choices."""
    fields = {"choices": choices, **ROOT}
    return b"data: " + json.dumps(fields, separators=(",", ":")).encode() + b"\n\n"


def whole(*choices: object, **root: object) -> bytes:
    return json.dumps({**ROOT, "choices": choices, "usage": USAGE, **root}).encode()


def said(events: list[Event], index: int = 0) -> str:
    told = [one for event in flat(events) if isinstance(event, dict) for one in event["choices"]]
    return "".join(one["text"] for one in told if one["index"] == index)


STREAM = b"".join(
    [
        frame(choice(" wörld — 日本\u2028")),
        frame(choice(' "quoted" [DONE] data: {}\n\n')),
        tail_first(choice("end")),
        frame(choice("", "length")),
        frame(usage=USAGE),
        b"data: [DONE]\n\n",
    ]
)
SAID = ' wörld — 日本\u2028 "quoted" [DONE] data: {}\n\nend'


def test_a_request_goes_to_the_address_of_text_completions_in_the_callers_words():
    call = CARRIER.carry(asking(prompt=[1, 2], top_k=4), offer("n", TEXTS))
    assert call.url == "http://127.0.0.1:9/v1/completions"
    assert sent(call) == {"prompt": [1, 2], "top_k": 4, "model": "n"}
    assert call.dropped == ()


def test_usage_is_asked_of_every_stream():
    call = CARRIER.carry(asking(prompt="a", stream=True), offer("n", TEXTS))
    assert sent(call)["stream_options"] == {"include_usage": True}
    deaf = replace(TEXTS, drop=frozenset({"stream_options"}))
    call = CARRIER.carry(asking(prompt="a", stream=True), offer("n", deaf))
    assert (sent(call), call.dropped) == ({"prompt": "a", "model": "n"}, ())


def test_the_quirks_of_a_row_hold_but_for_names_of_the_limit():
    rename = {"max_tokens": "max_completion_tokens", "seed": "random_seed"}
    odd = replace(TEXTS, rename=rename, drop=frozenset({"user"}), defaults={"temperature": 0})
    call = CARRIER.carry(asking(prompt="a", max_tokens=5, seed=1, user="u"), offer("n", odd))
    assert sent(call) == {
        "prompt": "a", "max_tokens": 5, "random_seed": 1, "temperature": 0, "model": "n",
    }  # fmt: skip
    assert call.dropped == ("user",)


def test_what_belongs_to_chats_is_left_out_and_listed():
    fields = dict.fromkeys(CHATS, "x")
    call = CARRIER.carry(asking(prompt="a", **fields), offer("n", TEXTS))
    assert sent(call) == {"prompt": "a", "model": "n"}
    assert set(call.dropped) == CHATS


def test_a_row_that_drops_what_the_answer_depends_on_is_passed_over():
    deaf = offer("n", replace(TEXTS, drop=frozenset({"suffix"})))
    with pytest.raises(UpstreamFailed) as caught:
        CARRIER.carry(asking(prompt="a", suffix="b", needs=("suffix",)), deaf)
    failure = caught.value.failure
    assert (failure.fault, failure.param) == (Fault.UNTRANSLATABLE, "suffix")


@pytest.mark.parametrize("size", [1, 3, 7, 64, 1_000_000])
def test_a_stream_says_the_same_however_it_is_cut(size: int):
    events = decode(CARRIER.decoder(), pieces(STREAM, size))
    assert flat(events) == flat(decode(CARRIER.decoder(), [STREAM]))
    assert said(events) == SAID
    assert [(end.reason, end.native) for end in finishes(events)] == [("length", "length")]
    assert broken(events) is None
    told = usage(events)
    assert told is not None
    assert (told.prompt, told.completion) == (3, 2)


@given(places=st.lists(st.integers(0, len(STREAM) - 1)))
def test_random_cuts_change_nothing_with_the_bytes_beside(places: list[int]):
    events = decode(Mirror(CARRIER).decoder(), cut_at(STREAM, places))
    assert said([event for event in events if isinstance(event, (Chunk, Verbatim))]) == SAID


@pytest.mark.parametrize("kept", range(1, 5))
def test_a_cut_stream_is_never_taken_for_a_whole_one(kept: int):
    frames = STREAM.split(b"\n\n")[:kept] if kept < 4 else [STREAM.rpartition(b'"length"')[0]]
    end = broken(decode(CARRIER.decoder(), [b"\n\n".join(frames) + b"\n\n"]))
    assert end is not None
    assert end.failure.fault in (Fault.STREAM_CUT, Fault.BAD_EVENT)


def test_a_whole_reply_holds_all_its_choices():
    body = whole(choice("a", "stop"), choice("b", "length", 1))
    (chunk,) = CARRIER.whole(body)
    assert isinstance(chunk, Chunk)
    assert [(end.index, end.reason) for end in chunk.finishes] == [(0, "stop"), (1, "length")]
    assert chunk.usage is not None


def test_a_filtered_choice_may_be_silent_and_no_other():
    (chunk,) = CARRIER.whole(whole(choice(None, "content_filter")))
    assert isinstance(chunk, Chunk)
    assert bytes(chunk.choices[0]["text"]) == b'""'
    for body in (whole(choice(None, "stop")), whole(), whole({"index": 0, "message": {}})):
        with pytest.raises(UpstreamFailed) as caught:
            CARRIER.whole(body)
        assert caught.value.failure.fault is Fault.EMPTY_CHOICES


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"choices": 1}', b"[" * 9000])
def test_what_is_no_reply_is_said_to_be_none(body: bytes):
    with pytest.raises(UpstreamFailed) as caught:
        CARRIER.whole(body)
    assert caught.value.failure.fault is Fault.INVALID_JSON


def test_an_error_inside_a_200_is_one():
    with pytest.raises(UpstreamFailed) as caught:
        CARRIER.whole(b'{"error": {"message": "x", "code": 503}}')
    assert caught.value.failure.fault is Fault.HTTP_5XX
    end = broken(decode(CARRIER.decoder(), [b'data: {"error": {"message": "x"}}\n\n']))
    assert end is not None
    assert end.failure.fault is Fault.INBAND_ERROR


TOKENS = [
    {"token": " ", "logprob": -0.1, "top_logprobs": [{"token": " ", "logprob": -0.1}]},
    {"token": "日本", "logprob": -0.2, "top_logprobs": []},
    {"token": "4", "logprob": -0.3},
]
LISTS = {
    "tokens": [" ", "日本", "4"],
    "token_logprobs": [-0.1, -0.2, -0.3],
    "top_logprobs": [{" ": -0.1}, {}, {}],
    "text_offset": [0, 1, 3],
}


def test_log_probabilities_of_chats_become_lists():
    body = whole(choice(" 日本4", "stop", logprobs={"content": TOKENS}))
    (chunk,) = CARRIER.whole(body)
    (one,) = flat([chunk])
    assert one["choices"][0]["logprobs"] == LISTS
    untouched = whole(choice("a", "stop", logprobs=LISTS))
    (one,) = flat(CARRIER.whole(untouched))
    assert one["choices"][0]["logprobs"] == LISTS


@pytest.mark.parametrize("make", [frame, tail_first])
@pytest.mark.parametrize("size", [1, 1_000_000])
def test_offsets_go_on_through_a_stream(make, size: int):
    parts = [make(choice(t["token"], logprobs={"content": [t]})) for t in TOKENS]
    events = decode(CARRIER.decoder(), pieces(b"".join([*parts, make(choice("", "stop"))]), size))
    told = [one["choices"][0]["logprobs"] for one in flat(events) if isinstance(one, dict)]
    assert told.pop() is None
    assert {name: [item for one in told for item in one[name]] for name in LISTS} == LISTS


@pytest.mark.parametrize(
    ("status", "body", "fault"),
    [
        (404, b"", Fault.UNTRANSLATABLE),
        (404, b'{"detail":"Not Found"}', Fault.UNTRANSLATABLE),
        (404, b'{"error":{"code":"model_not_found"}}', Fault.MODEL_MISSING),
        (404, b'{"error":{"message":"The model `x` does not exist."}}', Fault.MODEL_MISSING),
        (401, b"", Fault.PROVIDER_AUTH),
        (429, b"", Fault.RATE_LIMITED),
        (500, b"<html>", Fault.HTTP_500),
        (400, b'{"error":{"message":"Invalid token in prompt"}}', Fault.UPSTREAM_4XX),
    ],
)
def test_a_bare_404_does_not_take_the_model_from_chats(status: int, body: bytes, fault: Fault):
    assert CARRIER.fault(status, {}, body).fault is fault
