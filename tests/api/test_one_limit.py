"""An answer has one limit: what is reckoned with is what an upstream is told, in every dialect."""

import json
from collections.abc import Callable, ItemsView
from pathlib import Path

import pytest
from tests.api.budgeted import budgeted, opened
from tests.api.caller import refused
from tests.conftest import Start
from tests.wall.asking import offer, upstream

from infway.api.anthropic.reading import read_request
from infway.api.completions.reading import read_text
from infway.api.gemini.reading import read_generate
from infway.api.gemini.spelling import camelled
from infway.api.limits import LIMITS
from infway.api.reading import read_chat
from infway.api.responses.asking import read_ask, read_draft
from infway.kernel.chat import ChatRequest
from infway.kernel.errors import CallerError
from infway.pipeline.worst import Bounds
from infway.providers.gemini.carry import GeminiCarrier

SAYS = [{"role": "user", "content": "Hello"}]
PARTS = [{"parts": [{"text": "Hello"}]}]


def chat(**more: object) -> ChatRequest:
    body = {"model": "m", "messages": SAYS, **more}
    return read_chat(json.dumps(body).encode(), "r", None)[0]


def text(**more: object) -> ChatRequest:
    body = {"model": "m", "prompt": "Hello", **more}
    return read_text(json.dumps(body).encode(), "r", None).ask


def message(**more: object) -> ChatRequest:
    body = {"model": "m", "messages": SAYS, **more}
    return read_request(json.dumps(body).encode(), (), "r")[0]


def response(**more: object) -> ChatRequest:
    draft = read_draft(json.dumps({"model": "m", "input": "Hello", **more}).encode())
    return read_ask(draft, draft.items(), (), "r")


def content(**more: object) -> ChatRequest:
    body = json.dumps({"contents": PARTS, **more}).encode()
    return read_generate(body, "r", "m", stream=False)[0]


READERS: dict[str, Callable[..., ChatRequest]] = {
    "max_tokens": chat,
    "max_completion_tokens": chat,
    "max_output_tokens": response,
}


@pytest.mark.parametrize(
    ("read", "said", "param"),
    [
        (chat, {"max_completion_tokens": 1, "max_tokens": 100_000}, "max_tokens"),
        (chat, {"max_completion_tokens": 100_000, "max_tokens": 1}, "max_tokens"),
        (chat, {"max_tokens": 1, "n_predict": -1}, "n_predict"),
        (chat, {"max_tokens": 1, "max_new_tokens": "9"}, "max_new_tokens"),
        (text, {"max_tokens": 1, "max_completion_tokens": 9}, "max_completion_tokens"),
        (text, {"max_tokens": 0, "max_completion_tokens": 9}, "max_completion_tokens"),
        (text, {"max_completion_tokens": 1, "n_predict": 9}, "n_predict"),
        (message, {"max_tokens": 1, "max_tokens_to_sample": 9}, "max_tokens_to_sample"),
        (response, {"max_output_tokens": 16, "max_tokens": 99}, "max_tokens"),
        (response, {"max_output_tokens": 16, "n_predict": 99}, "n_predict"),
    ],
)
def test_two_limits_that_differ_are_refused_with_the_fields_path(
    read: Callable[..., ChatRequest], said: dict[str, object], param: str
) -> None:
    with pytest.raises(CallerError) as caught:
        read(**said)
    assert (caught.value.status, caught.value.code) == (400, "invalid_field")
    assert caught.value.param == param


@pytest.mark.parametrize("name", sorted(LIMITS))
@pytest.mark.parametrize("other", sorted(LIMITS))
def test_limits_that_are_the_same_or_null_are_one(name: str, other: str) -> None:
    read = READERS.get(name)
    if read is not None:
        assert read(**{name: 50, other: 50}).output_tokens == 50
        if other != name:
            assert read(**{name: 50, other: None}).output_tokens == 50


def test_a_limit_of_another_server_alone_is_passed_on_and_the_models_own_is_reckoned_with() -> None:
    ask = chat(n_predict=9)
    assert ask.output_tokens is None
    assert bytes(ask.fields["n_predict"]) == b"9"  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("said", "param"),
    [
        (
            {"generationConfig": {"max_output_tokens": 1, "maxOutputTokens": 100_000}},
            "generationConfig.max_output_tokens",
        ),
        (
            {"generation_config": {"maxOutputTokens": 100_000, "max_output_tokens": 1}},
            "generationConfig.maxOutputTokens",
        ),
        (
            {"generationConfig": {"maxOutputTokens": 9}, "generation_config": {"maxOutputTokens": 1}},
            "generationConfig",
        ),
        ({"generationConfig": {"candidateCount": 8, "candidate_count": 1}}, "generationConfig.candidateCount"),
        ({"toolConfig": {}, "tool_config": {"a": 1}}, "toolConfig"),
        (
            {"contents": [{"parts": [{"text": "Hi"}, {"inlineData": {"mimeType": "a", "mime_type": "b"}}]}]},
            "contents[0].parts[1].inlineData.mimeType",
        ),
    ],
)  # fmt: skip
def test_a_name_of_googles_in_both_spellings_with_two_values_is_refused(
    said: dict[str, object], param: str
) -> None:
    with pytest.raises(CallerError) as caught:
        content(**said)
    assert (caught.value.status, caught.value.param) == (400, param)


@pytest.mark.parametrize(
    "said",
    [
        {"generationConfig": {"maxOutputTokens": 5, "max_output_tokens": 5}},
        {"generationConfig": {"maxOutputTokens": 5, "max_output_tokens": None}},
        {"generationConfig": {"maxOutputTokens": None, "max_output_tokens": 5}},
        {"generationConfig": None, "generation_config": {"max_output_tokens": 5}},
        {
            "generationConfig": {"maxOutputTokens": 5, "stopSequences": ["a"]},
            "generation_config": {"stop_sequences": ["a"], "max_output_tokens": 5},
        },
    ],
)
def test_a_name_of_googles_in_both_spellings_with_one_value_is_that(
    said: dict[str, object],
) -> None:
    assert content(**said).output_tokens == 5


def test_what_a_row_leaves_out_is_left_out_in_both_spellings() -> None:
    config = {"candidateCount": 2, "candidate_count": 2, "topP": 0.5}
    ask = content(generationConfig=config, generation_config=config)
    where = upstream(
        speaks={"gemini": "http://127.0.0.1:9/{model}:{action}"}, drop=frozenset({"n"})
    )
    call = GeminiCarrier().carry(ask, offer("n", where))
    said = json.loads(call.body)
    assert said["generationConfig"] == said["generation_config"] == {"topP": 0.5}
    assert len(call.dropped) == 4


def test_null_stays_where_it_is_alone() -> None:
    assert camelled({"a_b": None, "c": [None, 1]}) == {"aB": None, "c": [None, 1]}


@pytest.mark.parametrize(
    ("ask", "times"),
    [
        (chat(max_tokens=100), 1),
        (chat(max_tokens=100, n=3), 3),
        (chat(max_tokens=100, n=3, best_of=5), 5),
        (chat(max_tokens=100, best_of="7"), 7),
        (chat(max_tokens=100, best_of=6.0), 6),
        (chat(max_tokens=100, n=1, n_cmpl=9), 9),
        (text(max_tokens=100, best_of=4), 4),
        (text(max_tokens=100, prompt=["a", "b", "c"]), 3),
        (text(max_tokens=100, prompt=["a", "b"], n=2, best_of=3), 6),
        (text(max_tokens=100, prompt=[[1, 2], [3]]), 2),
        (text(max_tokens=100, prompt=[1, 2, 3]), 1),
        (response(max_output_tokens=100, n=8), 8),
        (content(generationConfig={"maxOutputTokens": 100, "candidateCount": 8}), 8),
    ],
)
def test_every_answer_that_an_upstream_may_make_is_reckoned_with(
    ask: ChatRequest, times: int
) -> None:
    assert Bounds(ask).made(offer()) == 184 * times


async def test_a_budget_is_not_passed_by_with_a_second_limit(start: Start, tmp_path: Path) -> None:
    with opened(tmp_path / "budgets.db") as database:
        one = await budgeted(start, database)
        heard = await one.gateway.chat(max_completion_tokens=1, max_tokens=100_000)
        refused(heard, 400, "invalid_field", "max_tokens")
        assert (await one.gateway.chat(max_completion_tokens=9, max_tokens=9)).status == 200
        assert len(one.gateway.upstream.asked) == 1


class Counted(dict[str, object]):
    """An object that counts how often it is read."""

    reads = 0

    def items(self) -> ItemsView[str, object]:
        Counted.reads += 1
        return super().items()


def test_what_stands_in_both_spellings_at_every_depth_is_read_once() -> None:
    doubled: object = 1
    single: object = 1
    for _ in range(12):
        doubled = Counted({"a_b": doubled, "aB": doubled})
        single = {"aB": single}
    assert camelled(doubled) == single
    assert Counted.reads == 2**12 - 1
