"""Streams that break off: tokens are estimated by their text, and never beyond what was set aside."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.api.budgeted import budgeted, opened
from tests.api.upstream import Asked, Script, chunk, stream
from tests.conftest import Start
from tests.wall.asking import PRICES, ask, offer

from infway.kernel.chat import ChatRequest, Native
from infway.kernel.events import Text, ToolCall, Usage
from infway.kernel.faults import Failure, Fault
from infway.pipeline.measured import text_in
from infway.pipeline.tried import Attempt
from infway.pipeline.worst import Bounds, most_tokens, worst_of
from infway.providers.openai.stream import Decoder

PRICE = 10_000_000  # of a token that the upstream makes
UNINSURED = {"zero_completion_insurance": False}
GONE = Failure(Fault.CLIENT_GONE)
WORDS = ("the", " quick", " brown", " fox", " is", " over", " a", " dog", ",", " and")
PADDING = {"service_tier": "default", "obfuscation": "pxzDLFehuK4"}
LIKELY = {
    "content": [
        {
            "token": " a", "logprob": -0.1, "bytes": [32, 97],
            "top_logprobs": [
                {"token": f" a{place}", "logprob": -1.2345678, "bytes": [32, 97]}
                for place in range(20)
            ],
        }
    ],
    "refusal": None,
}  # fmt: skip


def framed(*deltas: dict[str, object], logprobs: object = None, **root: object) -> bytes:
    """Frames as OpenAI writes them, whose text is but a small part."""
    said = b""
    for delta in deltas:
        choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": None}
        fields = {
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "system_fingerprint": "fp_1", "choices": [choice], **root,
        }  # fmt: skip
        said += b"data: " + json.dumps(fields, separators=(",", ":")).encode() + b"\n\n"
    return said


def left(
    pieces: Sequence[bytes], request: ChatRequest | None = None, *, funded: bool = False
) -> Attempt:
    """An attempt whose caller left after these reads."""
    decoder, attempt = Decoder(), Attempt(offer(), 0.0)
    attempt.funded = funded
    for piece in pieces:
        attempt.see(decoder.feed(piece))
    attempt.end(1.0, GONE, request or ask())
    assert attempt.usage.estimated
    return attempt


@pytest.mark.parametrize(
    "beside",
    [
        {},
        {"usage": None},
        {"usage": None, **PADDING},
        {"usage": None, **PADDING, "logprobs": LIKELY},
    ],
    ids=["bare", "null usage", "padded", "likely"],
)
@pytest.mark.parametrize("at_once", [1, 7, 400], ids="{} frames in a read".format)
def test_what_stands_beside_the_text_of_a_stream_is_not_counted(
    beside: dict[str, object], at_once: int
) -> None:
    frames = [framed({"content": WORDS[n % len(WORDS)]}, **beside) for n in range(400)]
    reads = [b"".join(frames[at : at + at_once]) for at in range(0, 400, at_once)]
    attempt = left([frames[0], *reads])
    assert 401 <= attempt.usage.completion <= 430


@pytest.mark.parametrize("size", [1, 12, 60, 400])
def test_pieces_that_hold_several_tokens_count_by_their_length(size: int) -> None:
    text = "word" * size
    attempt = left([framed({"content": text}, usage=None, **PADDING) for _ in range(100)])
    assert attempt.usage.completion == 100 * size


def test_a_stream_whose_pieces_grow_is_estimated_by_those_that_came_late_too() -> None:
    sizes = [1] * 300 + [40] * 300
    attempt = left([framed({"content": "word" * size}, usage=None) for size in sizes])
    assert attempt.usage.completion == pytest.approx(sum(sizes), rel=0.2)


@pytest.mark.parametrize(
    "delta",
    [
        {"reasoning_content": "word" * 9},
        {"reasoning": "word" * 9, "reasoning_content": "word" * 9},
        {
            "content": "", "reasoning": "word" * 9,
            "reasoning_details": [{"type": "reasoning.text", "text": "word" * 9}],
        },
        {"content": None, "refusal": "word" * 9},
        {"tool_calls": [{"index": 0, "function": {"arguments": "word" * 9}}]},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "word" * 9}]}]},
    ],
    ids=["thought", "twice", "details", "refusal", "call", "parts"],
)  # fmt: skip
def test_all_that_a_model_makes_counts_once(delta: dict[str, object]) -> None:
    attempt = left([framed(delta, usage=None, **PADDING) for _ in range(50)])
    assert attempt.usage.completion == 450


def test_text_completions_count_like_chats() -> None:
    frames = [
        b'data: {"id":"c","model":"m","choices":[{"text":"%b","index":0,"logprobs":'
        b'{"tokens":["a"],"top_logprobs":[{"a":-1.0}]},"finish_reason":null}],"usage":null}\n\n'
        % (b"word" * 9)
        for _ in range(50)
    ]
    assert left(frames).usage.completion == 450


def test_the_name_of_a_call_counts_in_every_dialect() -> None:
    attempt = Attempt(offer(), 0.0)
    attempt.see([ToolCall(0, "word" * 3, "call_1", "word" * 2)])
    attempt.end(1.0, GONE, ask())
    assert attempt.usage.completion == 5
    assert text_in(b'{"function":{"name":"wordword","arguments":"wordwordword"}}') == 20


@given(st.binary(max_size=300), st.text(max_size=50))
def test_any_bytes_are_measured_and_no_quote_within_a_text_ends_it(junk: bytes, text: str) -> None:
    assert 0 <= text_in(junk) <= len(junk)
    said = json.dumps({"content": text, "index": 0})
    assert text_in(said.encode()) == len(json.dumps(text)) - 2
    nested = json.dumps({"content": said, "index": 0})
    assert text_in(nested.encode()) == len(json.dumps(said)) - 2


@pytest.mark.parametrize("choices", [1, 3])
def test_an_estimate_never_exceeds_what_was_set_aside(choices: int) -> None:
    fields = ask().fields | {"n": choices}
    one = ask(output_tokens=10, fields=fields)
    attempt = left([framed({"content": "word" * 9}) for _ in range(400)], one, funded=True)
    bounds = Bounds(one)
    assert attempt.usage.completion == bounds.made(attempt.offer) == 76 * choices
    worst = worst_of(one, bounds, attempt.offer, PRICES)
    assert worst is not None
    assert attempt.cost.total <= worst
    attempt.ended = None
    assert attempt.interrupted(2.0, one).usage.completion == 76 * choices


def test_pieces_beyond_the_limit_are_told_where_nothing_was_set_aside() -> None:
    one = ask(output_tokens=10)
    frames = [framed({"content": "word" * 9}) for _ in range(400)]
    assert left(frames, one).usage.completion == 400
    assert left(frames[:60], one).usage.completion == 76


def test_what_an_upstream_counted_stays_where_more_cannot_be() -> None:
    attempt = Attempt(offer(), 0.0)
    attempt.funded = True
    attempt.see([Text("word" * 90)] * 200)
    attempt.said = Usage(5, 90, 95)
    attempt.end(1.0, GONE, ask(output_tokens=10))
    assert attempt.usage == Usage(5, 90, 95, estimated=True)


def test_a_stream_of_several_answers_may_be_as_long_as_all_of_them() -> None:
    several = ask(output_tokens=100, fields=ask().fields | {"n": 3})
    assert most_tokens(several, offer()) == 3 * 184
    texts = Native("completions", {"prompt": ["a", "b"], "best_of": 4})
    assert most_tokens(ask(output_tokens=100, native=texts), offer()) == 4 * 184
    assert most_tokens(ask(), offer()) == float("inf")


@pytest.mark.parametrize(
    ("piece", "least", "most"), [(None, 90, 120), ("word" * 50, 0, 664)], ids=["words", "long"]
)
async def test_a_stream_that_breaks_off_costs_what_came_and_never_more_than_was_reserved(
    start: Start, tmp_path: Path, piece: str | None, least: int, most: int
) -> None:
    said = [piece or WORDS[n % 10] for n in range(90)]
    frames = [chunk({"content": text}, usage=None, **PADDING) for text in said]

    def say(_: Asked) -> Script:
        return stream(*frames, cut=True)

    with opened(tmp_path / "budgets.db") as database:
        rules = {"attempts": {"max": 1, "rescue": False}, "billing": UNINSURED}
        one = await budgeted(start, database, say, **rules)
        heard = await one.gateway.chat(stream=True, max_tokens=500)
        assert heard.chunks[-1]["error"]
        spent = (await one.sums()).spent
        assert least * PRICE <= spent < most * PRICE + 30 * 2_500_000


@pytest.mark.parametrize("at_once", [1, 3, 200])
def test_frames_that_say_whose_turn_it_is_or_that_it_is_over_are_no_tokens(at_once: int) -> None:
    opening = framed({"role": "assistant", "content": ""})
    words = [framed({"content": "w "}) for _ in range(118)]
    reads = [b"".join(words[at : at + at_once]) for at in range(0, 118, at_once)]
    over = framed({}).replace(b'"finish_reason":null', b'"finish_reason":"stop"')
    used = b'"usage":{"prompt_tokens":7,"completion_tokens":118,"total_tokens":125},"choices"'
    for last in (b"", over, over.replace(b'"choices"', used)):
        decoder, attempt = Decoder(), Attempt(offer(), 0.0)
        for piece in (opening, *reads, last):
            attempt.see(decoder.feed(piece))
        attempt.end(1.0, GONE, ask())
        assert attempt.usage.completion == 118
