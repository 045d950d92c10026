"""What is shown of a decision is what decided it."""

import json
from math import isclose

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from infway.ims.explain import explain, rows
from infway.ims.outcome import Outcome
from infway.ims.tuning import Tuning
from infway.kernel.chat import Prices
from infway.kernel.faults import Fault

BROKEN = Outcome(fault=Fault.HTTP_500, end=0.2)


def lived(market, count: int, tuning: Tuning):
    router = market.router(
        *(market.offer(f"u{i}-", 1.0 + i / 10) for i in range(count)),
        market.offer("elsewhere"),
        tuning=tuning,
    )
    for place in range(count):
        market.live(router, place, 0.0, *[market.served(start=0.2 + place / 9)] * place)
    return router


@example(25, True, 0)  # just wide enough for the near part to be everything
@settings(max_examples=30, deadline=None)
@given(st.integers(2, 40), st.booleans(), st.integers(0, 30))
def test_the_numbers_are_those_that_decided_even_after_the_world_has_moved_on(
    market, count, exploring, hour
) -> None:
    router = lived(market, count, Tuning() if exploring else market.calm)
    decision = router.decide(market.ask(ignore=("elsewhere",)), market.anyone, float(hour))
    for place in range(count):
        market.live(router, place, 9999.0, *[BROKEN] * 5)
    shown = [row for row in rows(decision) if row.reasons is not None]
    assert [row.offer for row in shown] == [offer.id for offer in decision.order]
    values = [row.reasons.value for row in shown]
    assert values == [value for value, _ in decision.ballots[0].valued]
    for row in shown:
        assert row.reasons.own <= row.reasons.value + 1e-9
        assert isclose(sum(row.reasons.parts), row.reasons.own)


def test_every_offer_has_a_row_with_what_removed_it(market) -> None:
    router = lived(market, 3, market.calm)
    told = explain(router.decide(market.ask(ignore=("elsewhere",)), market.anyone, 1.0))
    assert [offer["place"] for offer in told["offers"]] == [1, 2, 3, None]
    assert told["offers"][-1]["removed_by"] == "provider.ignore"
    assert told["weights"]["start_latency"] == 0.25
    assert told["explored"] is False


def test_it_is_ready_for_json(market) -> None:
    router = lived(market, 30, Tuning())
    told = json.loads(json.dumps(explain(router.decide(market.ask(), market.anyone, 1.0))))
    first = told["offers"][0]
    assert first["parts"].keys() == {"price", "start", "end", "quality", "error"}
    assert first["draw"].keys() == {"start", "pace", "failure"}
    assert first["priced"] is True


def test_states_are_those_of_the_decision(market) -> None:
    router = market.router(market.offer("a"), market.offer("b"), market.offer("c"))
    market.live(router, 0, 0.0, *[BROKEN] * 5)
    market.live(router, 1, 0.0, Outcome(fault=Fault.RATE_LIMITED, end=0.1, retry_after=9.0))
    router.health.dispatched(router.catalog.offers[2], 0.0)
    decisions = [router.decide(market.ask(), market.anyone, now) for now in (0.1, 2.0, 20.0)]
    market.live(router, 0, 2.0, market.served())
    states = [{row.upstream: row.state for row in rows(decision)} for decision in decisions]
    assert states[0] == {"a": "open", "b": "resting", "c": "closed"}
    assert states[1] == {"a": "half_open", "b": "resting", "c": "closed"}
    assert states[2] == {"a": "half_open", "b": "closed", "c": "closed"}
    assert {row.upstream: row.in_flight for row in rows(decisions[0])} == {"a": 0, "b": 0, "c": 1}


@pytest.mark.parametrize(
    "said", [{"allow_fallbacks": False}, {"order": ("b",), "allow_fallbacks": False}]
)
def test_what_is_not_tried_is_shown_without_a_place(market, said) -> None:
    router = market.router(market.offer("a", 1.0), market.offer("b", 2.0))
    decision = router.decide(market.ask(**said), market.anyone, 0.0)
    places = [row.place for row in rows(decision)]
    assert places == [1, None]


def test_an_unpriced_offer_is_marked(market) -> None:
    router = market.router(market.offer("dark", prices=Prices()), market.offer("b"))
    told = explain(router.decide(market.ask(), market.anyone, 0.0))
    assert {o["upstream"]: o["priced"] for o in told["offers"]} == {"dark": False, "b": True}


def test_what_is_free_is_shown_to_cost_nothing_and_the_others_what_their_prices_say(market) -> None:
    router = market.router(market.offer("free", 0.0), market.offer("paid", 1.0))
    told = explain(router.decide(market.ask(input_tokens=1000), market.anyone, 0.0))
    shown = {offer["upstream"]: offer for offer in told["offers"]}
    assert shown["free"]["cost_usd"] == 0
    tokens = 1000 + shown["paid"]["output_tokens"]
    assert isclose(shown["paid"]["cost_usd"], tokens / 1_000_000)


def test_the_prompt_cache_shows_in_the_cost(market) -> None:
    cached = Prices(1_000_000, 1_000_000, cache_read=100_000)
    router = market.router(market.offer("a", prices=cached))
    ask = market.ask(affinity=3)
    cold = explain(router.decide(ask, market.anyone, 0.0))["offers"][0]["cost_usd"]
    router.served(router.catalog.offers[0], ask, 0.0)
    warm = explain(router.decide(ask, market.anyone, 1.0))["offers"][0]["cost_usd"]
    assert isclose(cold - warm, 0.9 * 1000 * 0.9e-6)
