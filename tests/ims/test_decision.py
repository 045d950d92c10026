"""One decision: what is shut, warm prompt caches, several models, predictions."""

from math import isclose

import pytest

from infway.ims.outcome import Outcome
from infway.ims.tuning import Tuning
from infway.kernel.chat import Prices
from infway.kernel.errors import CallerError
from infway.kernel.faults import Fault

BROKEN = Outcome(fault=Fault.HTTP_500, end=0.2)
REFUSED = Outcome(fault=Fault.RATE_LIMITED, end=0.1, retry_after=20.0)
EXPLORING = Tuning()


def test_what_is_shut_goes_to_the_end_and_is_never_removed(market) -> None:
    router = market.router(market.offer("open", 1.0), market.offer("resting", 2.0),
                           market.offer("fine", 3.0))  # fmt: skip
    market.live(router, 0, 0.0, *[BROKEN] * 5)
    market.live(router, 1, 0.0, REFUSED)
    decision = router.decide(market.ask(), market.anyone, 0.1)
    assert [o.upstream.name for o in decision.order] == ["fine", "open", "resting"]
    assert decision.last_resort == 2
    assert decision.shut == {0: "open", 1: "resting"}


def test_when_all_are_shut_the_one_that_wakes_first_is_first(market) -> None:
    router = market.router(market.offer("late", 1.0), market.offer("soon", 2.0))
    market.live(router, 0, 0.0, REFUSED)
    market.live(router, 1, 0.0, REFUSED._replace(retry_after=5.0))
    decision = router.decide(market.ask(), market.anyone, 1.0)
    assert [o.upstream.name for o in decision.order] == ["soon", "late"]
    assert decision.last_resort == 2


def test_healthy_fallback_models_come_before_what_is_shut(market) -> None:
    router = market.router(market.offer("a"), market.offer("b", model="x"))
    market.live(router, 0, 0.0, REFUSED)
    assert market.names(router, 1.0, fallback_models=("x",)) == ["b", "a"]
    assert market.names(router, 30.0, fallback_models=("x",)) == ["a", "b"]


def test_a_half_open_offer_is_let_in_for_one_probe_at_its_natural_place(market) -> None:
    router = market.router(market.offer("sick", 0.2), market.offer("dear", 5.0))
    market.live(router, 0, 0.0, *[BROKEN] * 5)
    wakes = router.health.slots[0].shut
    assert market.names(router, wakes - 0.01) == ["dear", "sick"]
    assert market.names(router, wakes + 0.01) == ["sick", "dear"]
    router.health.dispatched(router.catalog.offers[0], wakes + 0.01)
    assert market.names(router, wakes + 0.02) == ["dear", "sick"]


def test_a_probes_first_token_lets_the_next_probe_in(market) -> None:
    router = market.router(market.offer("sick", 0.2), market.offer("dear", 5.0))
    market.live(router, 0, 0.0, *[BROKEN] * 5)
    sick, wakes = router.catalog.offers[0], router.health.slots[0].shut
    router.health.dispatched(sick, wakes)
    assert market.names(router, wakes + 0.1) == ["dear", "sick"]
    router.served(sick, market.ask(), wakes + 0.2)
    assert market.names(router, wakes + 0.3) == ["sick", "dear"]


def test_an_account_at_its_ceiling_goes_to_the_end_until_it_has_room(market) -> None:
    router = market.router(market.offer("small", 0.5), market.offer("large", 1.0))
    small, health = router.catalog.offers[0], router.health
    for _ in range(3):
        health.dispatched(small, 0.0)
    health.observe(small, 0.0, Outcome(fault=Fault.OVERLOADED, end=0.1))
    health.dispatched(small, 0.0)
    assert market.names(router, 0.1) == ["large", "small"]
    for _ in range(3):
        health.observe(small, 0.2, market.served())
    assert not router.decide(market.ask(), market.anyone, 0.3).shut


def warmed(market, share: float):
    """Two offers; the dearer one has just read this conversation."""
    cached = Prices(1_100_000, 1_100_000, cache_read=110_000)
    router = market.router(market.offer("warm", prices=cached), market.offer("cheap", 1.0))
    ask = market.ask(affinity=7, input_tokens=10_000)
    router.served(router.catalog.offers[0], ask._replace(input_tokens=int(10_000 * share)), 0.0)
    return router


def test_leaving_a_warm_prompt_cache_costs_the_reading_again(market) -> None:
    router = warmed(market, 1.0)
    assert market.names(router, 10.0, affinity=7, input_tokens=10_000)[0] == "warm"
    assert market.names(router, 10.0, affinity=8, input_tokens=10_000)[0] == "cheap"
    assert market.names(router, 10.0, input_tokens=10_000)[0] == "cheap"


def test_what_a_cache_saves_is_that_of_a_prompt_of_this_length(market) -> None:
    longer = Prices(1_100_000, 1_100_000, cache_read=1_100_000)
    cached = Prices(1_100_000, 1_100_000, cache_read=110_000, long_from=20_000, longer=longer)
    router = market.router(market.offer("warm", prices=cached), market.offer("cheap", 1.0))
    for size, first in ((10_000, "warm"), (30_000, "cheap")):
        ask = market.ask(affinity=size, input_tokens=size)
        router.served(router.catalog.offers[0], ask, 0.0)
        assert market.names(router, 10.0, affinity=size, input_tokens=size)[0] == first


def test_a_cache_that_holds_little_of_the_input_keeps_nobody(market) -> None:
    router = warmed(market, 0.01)
    assert market.names(router, 10.0, affinity=7, input_tokens=10_000)[0] == "cheap"


def test_a_cache_goes_cold(market) -> None:
    router = warmed(market, 1.0)
    assert market.names(router, 301.0, affinity=7, input_tokens=10_000)[0] == "cheap"


def test_a_sick_upstream_is_left_however_warm_its_cache(market) -> None:
    router = warmed(market, 1.0)
    market.live(router, 0, 10.0, *[BROKEN] * 5)
    assert market.names(router, 10.1, affinity=7, input_tokens=10_000)[0] == "cheap"


def test_several_models_answer_in_the_order_of_their_best_offers(market) -> None:
    router = market.router(
        market.offer("a", 3.0), market.offer("b", 1.0, model="x"), market.offer("c", 2.0),
        market.offer("d", 4.0, model="x"),
    )  # fmt: skip
    decision = router.decide(market.ask(llms=("m", "x"), imsn=2), market.anyone, 0.0)
    assert [[o.upstream.name for o in group] for group in decision.by_model()] == [
        ["b", "d"],
        ["c", "a"],
    ]
    single = router.decide(
        market.ask(llms=("m", "x"), imsn=2, allow_fallbacks=False), market.anyone, 0.0
    )
    assert [[o.upstream.name for o in group] for group in single.by_model()] == [["b"], ["c"]]


def test_the_output_is_predicted_from_the_models_replies_and_the_callers_limit(market) -> None:
    router = market.router(market.offer("a"))
    assert router.decide(market.ask(), market.anyone, 0.0).predicted_output == 256.0
    market.live(router, 0, 0.0, *[market.served(tokens=1000)] * 200)
    predicted = router.decide(market.ask(), market.anyone, 1.0).predicted_output
    assert isclose(predicted, 1000.0, rel_tol=0.01)
    limited = router.decide(market.ask(output_tokens=40), market.anyone, 1.0)
    assert limited.predicted_output == 40.0


def test_kinds_of_requests_are_remembered_in_bounded_number(market) -> None:
    router = market.router(market.offer("a"), market.offer("b"))
    for kind in range(5000):
        router.decide(market.ask(max_input_cost=float(kind + 1)), market.anyone, 0.0)
    assert len(router._grounds) <= 4096


def test_errors_come_out_of_a_decision_as_they_are(market) -> None:
    router = market.router(market.offer("a"))
    with pytest.raises(CallerError):
        router.decide(market.ask(model="typo"), market.anyone, 0.0)
