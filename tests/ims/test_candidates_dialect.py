"""Requests that only some dialects have words for, and models that only text completions reach."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from infway.ims.candidates import COMPLETIONS, candidates
from infway.kernel.chat import ChatRequest, Native, Prices
from infway.kernel.errors import CallerError

SPEAKS: Mapping[str, str] = {COMPLETIONS: "http://x/completions"}


def native(market, needs: tuple[str, ...] = (), dialect: str = COMPLETIONS, **said) -> ChatRequest:
    return market.ask(**said)._replace(native=Native(dialect, {}, needs))


def left(market, catalog, ask: ChatRequest) -> list[str]:
    return [one.upstream.name for one in candidates(catalog, ask, market.anyone).offers]


def refusal(market, catalog, ask: ChatRequest) -> CallerError:
    with pytest.raises(CallerError) as caught:
        candidates(catalog, ask, market.anyone)
    return caught.value


@pytest.fixture
def three(market):
    """A server of chats, one that continues texts as well, and a model that does only that."""
    only = replace(market.upstream("only"), dialect=COMPLETIONS)
    both = market.upstream("both", speaks=SPEAKS)
    return market.catalog(
        market.offer("chats"), market.offer(both), market.offer(only, model="texts")
    )


def test_a_need_keeps_the_upstreams_that_speak_the_callers_dialect(market, three):
    assert left(market, three, native(market)) == ["chats", "both"]
    assert left(market, three, native(market, ("suffix",))) == ["both"]
    assert left(market, three, native(market, ("suffix",), model="texts")) == ["only"]


@pytest.mark.parametrize("dialect", [COMPLETIONS, "responses", "anthropic"])
def test_a_need_nobody_can_be_told_is_the_callers_mistake_and_is_named(market, dialect: str):
    catalog = market.catalog(market.offer("chats"))
    error = refusal(market, catalog, native(market, ("suffix", "best_of"), dialect))
    assert (error.status, error.code, error.param) == (400, "unsupported_parameter", "suffix")
    assert "`suffix`, `best_of`:" in error.message
    assert error.retryable is False


def test_what_the_caller_ruled_out_before_is_not_asked_for_its_dialect(market, three):
    error = refusal(market, three, native(market, ("suffix",), only=("chats",)))
    assert error.code == "unsupported_parameter"


def test_a_chat_with_a_model_that_continues_texts_is_shown_the_way(market, three):
    for ask in (market.ask(model="texts"), native(market, dialect="responses", model="texts")):
        error = refusal(market, three, ask)
        assert (error.status, error.code, error.param) == (404, "model_not_found", "model")
        assert "/v1/completions" in error.message


def test_models_that_continue_texts_are_no_candidates_where_no_model_is_named(market, three):
    assert left(market, three, market.ask(model=None)) == ["chats", "both"]
    assert left(market, three, native(market, model=None)) == ["chats", "both", "only"]


def test_prices_of_a_model_that_continues_texts_do_not_matter_to_chats(market, three):
    cheap = market.offer(replace(market.upstream("only"), dialect=COMPLETIONS), prices=Prices(0, 0))
    catalog = market.catalog(market.offer("chats"), cheap)
    assert left(market, catalog, market.ask(model="m")) == ["chats"]
