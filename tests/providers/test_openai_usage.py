"""Tokens that were thought: part of the completion at OpenAI, beside it at xAI, billed everywhere."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.providers.reading import usage
from tests.providers.saying import ADAPTER, FIRST, in_reads
from tests.wall.answer import DONE, frame

from infway.api.dialect import usage_object
from infway.kernel.events import Usage
from infway.kernel.prices import Prices
from infway.pipeline.cost import cost_of

GROK = {
    "prompt_tokens": 10_120,
    "completion_tokens": 1_499,
    "total_tokens": 14_428,
    "prompt_tokens_details": {"cached_tokens": 128},
    "completion_tokens_details": {"reasoning_tokens": 2_809},
}


def told(said: dict[str, object]) -> Usage:
    """The usage of a whole reply and of a stream, which are the same."""
    body = {"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}], "usage": said}
    whole = usage(ADAPTER.whole(json.dumps(body).encode()))
    streamed = usage(in_reads(FIRST, frame({}, "stop", usage=said), DONE))
    assert whole is not None
    assert whole._replace(details=None) == streamed._replace(details=None)
    return whole


def test_what_xai_counts_beside_the_completion_is_paid():
    found = told(GROK)
    assert (found.prompt, found.completion, found.total) == (10_120, 4_308, 14_428)
    assert (found.reasoning, found.cached) == (2_809, 128)
    prices = Prices(input=1_250_000, output=2_500_000, cache_read=200_000)
    assert cost_of(found, prices).total == 23_285_600_000  # as xAI said of this very reply


def test_a_caller_sees_it_as_at_openai_within_the_completion():
    shown = usage_object(told(GROK), flat=False)
    assert shown["completion_tokens"] == 4_308
    assert shown["total_tokens"] == 14_428
    assert json.loads(bytes(shown["completion_tokens_details"])) == {"reasoning_tokens": 2_809}
    assert usage_object(told(GROK), flat=True) == {
        "prompt_tokens": 10_120, "completion_tokens": 4_308, "total_tokens": 14_428,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "completion"),
    [
        ((10, 7, 17, 5), 7),  # OpenAI: within
        ((10, 7, 22, 5), 12),  # xAI: beside
        ((10, 0, 15, 5), 5),  # nothing but thoughts
        ((10, 7, 99, 5), 7),  # a total that nobody can explain
        ((10, 7, None, 5), 7),  # none at all
        ((10, 7, 17, 0), 7),
        ((10, 7, 12, -5), 7),
        ((10, 7, 17, None), 7),
    ],
)
def test_only_a_total_of_all_three_says_that_it_is_beside(
    counts: tuple[int | None, ...], completion: int
):
    prompt, made, total, thought = counts
    said = {"prompt_tokens": prompt, "completion_tokens": made, "total_tokens": total}
    found = told(said | {"completion_tokens_details": {"reasoning_tokens": thought}})
    assert found.completion == completion


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_where_the_parts_make_the_total_nothing_is_added(prompt: int, made: int, thought: int):
    said = {
        "prompt_tokens": prompt, "completion_tokens": made + thought,
        "total_tokens": prompt + made + thought,
        "completion_tokens_details": {"reasoning_tokens": thought},
    }  # fmt: skip
    assert told(said).completion == made + thought


@pytest.mark.parametrize(
    "cost",
    [
        {"estimated_cost": 0.000012},  # DeepInfra
        {"total_cost": 1, "cost": 2},
        {"cost_details": {"upstream_inference_cost": 3}},
        {"cost_in_usd_ticks": 37_756_000},  # xAI
        {"prompt_tokens_details": {"cached_tokens": 2, "cachedCost": 1.5}},
        {"iterations": [{"type": "message", "Cost": 1}]},
    ],
)
def test_what_the_upstream_itself_is_paid_is_never_among_the_counts(cost: dict[str, object]):
    counts = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18, "queue_time": 0.5}
    shown = json.dumps(usage_object(told({**counts, **cost}), flat=False), default=_read)
    assert "cost" not in shown.lower()
    assert '"queue_time": 0.5' in shown


def _read(raw: object) -> object:
    return json.loads(bytes(raw))  # type: ignore[call-overload]
