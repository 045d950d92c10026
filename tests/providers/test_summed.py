"""Several choices of a server that counts each by itself, and requests for no token at all."""

import json

import msgspec
import pytest
from tests.providers.reading import decode, flat, pieces, plain, usage
from tests.wall.asking import ask, offer, upstream

from infway.kernel.chat import ChatRequest, Native, Upstream
from infway.kernel.events import Chunk, Event
from infway.pipeline.speakers import Speakers
from infway.providers.adapter import Adapter
from infway.providers.completions.carry import DIALECT, Completions
from infway.providers.openai.adapter import OpenAI

SPEAKERS = Speakers({"openai": OpenAI()}, {DIALECT: Completions()})
TEXTS = {DIALECT: "http://127.0.0.1:9/v1/completions"}
SERVER = upstream(speaks=TEXTS, drop=frozenset({"echo"}))
ECHOING = upstream(speaks=TEXTS)


def adapter(server: Upstream = SERVER, **fields: object) -> Adapter:
    return SPEAKERS.of(asking(**fields), offer(source=server)).adapter


def asking(**fields: object) -> ChatRequest:
    raw = {name: msgspec.Raw(json.dumps(value).encode()) for name, value in fields.items()}
    native = Native(DIALECT, raw) if "prompt" in fields else None
    return ask(fields=raw, native=native)


def counted(prompt: int, completion: int, made: int | None = None) -> dict[str, object]:
    told = {"prompt_tokens": prompt, "completion_tokens": completion}
    cached = {"prompt_tokens_details": {"cached_tokens": 1}}
    usage = told | cached | {"total_tokens": prompt + completion}
    return {"usage": usage, "timings": {"predicted_n": completion if made is None else made}}


def text(said: str, index: int = 0, end: str | None = "length") -> dict[str, object]:
    return {"text": said, "index": index, "logprobs": None, "finish_reason": end}


def reply(*choices: dict[str, object], **root: object) -> bytes:
    return json.dumps({"id": "1", "model": "m", "choices": choices, **root}).encode()


def frames(*roots: bytes) -> bytes:
    return b"".join(b"data: " + root + b"\n\n" for root in (*roots, b"[DONE]"))


def tokens(events: list[Event]) -> tuple[int, int, int, bool]:
    last = usage(events)
    assert last is not None
    assert last.total == last.prompt + last.completion
    assert last.details is not None
    assert plain(last.details["prompt_tokens_details"]) == {"cached_tokens": last.cached}
    return last.prompt, last.completion, last.cached, last.estimated


STREAM = frames(
    b"null",
    reply(text(" e", 1, None)),
    reply(text(" 7", 0, None)),
    reply(text("", 1), **counted(8, 2)),
    reply(text("", 0), **counted(17, 3)),
)


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_stream_adds_up_the_choices_however_it_is_cut(size: int):
    decoder = adapter(prompt=["1, 2,", "a, b"]).decoder()
    assert tokens(decode(decoder, pieces(STREAM, size))) == (25, 5, 2, False)


def test_a_prompt_is_counted_once_for_all_its_choices():
    ends = [reply(text("", index), **counted(9, 2)) for index in (3, 0, 2, 1)]
    assert tokens(decode(adapter(prompt=["a", "b"], n=2).decoder(), [frames(*ends)])) == (
        18, 8, 2, False,
    )  # fmt: skip
    assert tokens(decode(adapter(prompt="a", n=4).decoder(), [frames(*ends)])) == (9, 8, 1, False)


def test_a_usage_behind_its_choice_is_that_choices():
    ends = (reply(text("a", 1), usage=None), reply(**counted(8, 2)))
    others = (reply(text("b", 0), usage=None), reply(**counted(17, 3)))
    decoder = adapter(prompt=["a", "b"]).decoder()
    assert tokens(decode(decoder, [frames(*ends, *others)])) == (25, 5, 2, False)


def test_a_stream_that_breaks_before_all_have_told_is_an_estimate():
    cut = STREAM[: STREAM.index(b"data: " + reply(text("", 0), **counted(17, 3)))]
    assert tokens(decode(adapter(prompt=["1, 2,", "a, b"]).decoder(), [cut])) == (8, 2, 1, True)


def test_a_whole_reply_is_estimated_from_its_first_choice():
    ended = reply(text("12345678", 0, "stop"), text("1234", 1, "stop"), **counted(10, 4))
    assert tokens(adapter(prompt=["abcde", "abcdefgh"]).whole(ended)) == (26, 6, 1, True)
    assert tokens(adapter(prompt=[[1] * 10, [1] * 3]).whole(ended)) == (13, 6, 1, True)
    cut = reply(text("12345678"), text("1", 1), **counted(10, 4))
    assert tokens(adapter(prompt="abcde", n=2).whole(cut)) == (10, 8, 1, True)
    empty = reply(text("", 0, "stop"), text("12345678", 1, "stop"), **counted(10, 0))
    assert tokens(adapter(prompt="abcde", n=2).whole(empty)) == (10, 2, 1, True)


def test_choices_of_a_chat_are_estimated_too():
    said = [{"role": "assistant", "content": word} for word in ("Hello there", "Hi")]
    choices = [
        {"index": index, "message": one, "finish_reason": "stop"} for index, one in enumerate(said)
    ]
    prompt, completion, _, estimated = tokens(adapter(n=2).whole(reply(*choices, **counted(9, 3))))
    assert (prompt, estimated) == (9, True)
    assert 3 < completion < 6


def test_a_usage_that_is_of_all_choices_stays_as_it_was_told():
    choices = (text("a"), text("b", 1))
    for root in (counted(25, 6, made=3), {"usage": counted(25, 6)["usage"]}):
        for prompt in (["a", "b"], [[1], [2]], "a"):
            speaker = adapter(prompt=prompt, n=2)
            assert tokens(speaker.whole(reply(*choices, **root))) == (25, 6, 1, False)
            decoder = speaker.decoder()
            assert tokens(decode(decoder, [frames(reply(*choices), reply(**root))])) == (
                25, 6, 1, False,
            )  # fmt: skip
    assert tokens(adapter(prompt="a").whole(reply(choices[0], **counted(9, 2)))) == (9, 2, 1, False)


def texts(events: list[Event]) -> str:
    told = [one for event in flat(events) if isinstance(event, dict) for one in event["choices"]]
    return "|".join(one["text"] for one in sorted(told, key=lambda one: one["index"]))


@pytest.mark.parametrize(("echo", "said"), [(False, "||"), (True, "a||b")])
def test_of_no_token_nothing_is_left_but_the_prompts(echo: bool, said: str):
    speaker = adapter(prompt=["a", "b"], max_tokens=0, echo=echo)
    call = speaker.request(asking(prompt=["a", "b"], max_tokens=0, echo=echo), offer(source=SERVER))
    assert "echo" not in json.loads(call.body)
    assert call.dropped == ()
    whole = speaker.whole(reply(text(" x"), text(" y", 1), **counted(9, 1)))
    assert texts(whole) == said.replace("||", "|")
    assert tokens(whole) == (18, 0, 1, True)
    stream = frames(reply(text(" x", 0, None)), reply(text("", 0)), reply(text("y", 1)))
    assert texts(decode(speaker.decoder(), [stream])) == said


def test_an_upstream_that_echoes_itself_is_left_alone():
    speaker = adapter(ECHOING, prompt="a", max_tokens=0, echo=True)
    call = speaker.request(asking(prompt="a", max_tokens=0, echo=True), offer(source=ECHOING))
    assert json.loads(call.body)["echo"] is True
    chunk, *_ = speaker.whole(reply(text("a"), **counted(9, 0)))
    assert isinstance(chunk, Chunk)
    assert texts([chunk]) == "a"
