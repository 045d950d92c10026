"""Decisions: the promised properties, whole, as a caller meets them."""

from collections import Counter
from dataclasses import replace
from math import isclose

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infway.ims.outcome import Outcome
from infway.ims.policies import PolicyName
from infway.ims.tuning import Tuning
from infway.kernel.chat import Prices, Principal, Weights
from infway.kernel.errors import CallerError
from infway.kernel.faults import Fault

BROKEN = Outcome(fault=Fault.HTTP_500, end=0.2)
REFUSED = Outcome(fault=Fault.RATE_LIMITED, end=0.1, retry_after=20.0)
EXPLORING = Tuning()

lives = st.lists(
    st.tuples(
        st.floats(0.05, 50.0),  # USD per million tokens
        st.floats(0.05, 10.0),  # seconds to the first token
        st.integers(0, 12),  # successes
        st.integers(0, 2),  # failures
    ),
    min_size=2,
    max_size=8,
)


def settled(market, field, tuning=None, extra=()):
    """A router over offers that have lived."""
    offers = [market.offer(f"u{i}-", price) for i, (price, *_) in enumerate(field)]
    router = market.router(*offers, *extra, tuning=tuning or market.calm)
    for place, (_, start, well, ill) in enumerate(field):
        market.live(router, place, 1.0, *[market.served(start=start)] * well, *[BROKEN] * ill)
    return router


@given(lives)
def test_a_hopeless_offer_never_changes_the_order_of_the_others(market, field) -> None:
    hopeless = market.offer("hopeless", price=1e6)
    with_it = market.names(settled(market, field, extra=[hopeless]), 2.0)
    assert [name for name in with_it if name != "hopeless"] == market.names(
        settled(market, field), 2.0
    )


@given(lives, st.data(), st.floats(0.0, 0.99))
def test_an_offer_made_cheaper_never_moves_down(market, field, data, factor) -> None:
    chosen = data.draw(st.integers(0, len(field) - 1))
    cheaper = [
        (price * factor if i == chosen else price, *rest) for i, (price, *rest) in enumerate(field)
    ]
    before, after = (market.names(settled(market, f), 2.0) for f in (field, cheaper))
    assert after.index(f"u{chosen}-") <= before.index(f"u{chosen}-")


@given(lives, st.integers(0, 1000))
def test_the_same_inputs_and_the_same_seed_give_the_same_order_bit_for_bit(
    market, field, seed
) -> None:
    runs = []
    for _ in range(2):
        router = settled(market, field, EXPLORING)
        router._random.seed(seed)  # noqa: SLF001 - the seed is the property under test
        decisions = [router.decide(market.ask(), market.anyone, 2.0 + t) for t in range(5)]
        runs.append([[b.valued for b in decision.ballots] for decision in decisions])
    assert runs[0] == runs[1]


@given(lives, st.integers(0, 100))
def test_every_order_holds_every_offer_once(market, field, seed) -> None:
    router = settled(market, field, EXPLORING)
    assert sorted(market.names(router, 2.0 + seed)) == sorted(f"u{i}-" for i in range(len(field)))


@settings(max_examples=20)
@given(st.integers(25, 120), st.integers(0, 50))
def test_a_wide_field_is_ordered_whole_and_its_near_part_by_draws(market, count, seed) -> None:
    offers = [market.offer(f"u{i}-", 1.0 + i / 100) for i in range(count)]
    router = market.router(*offers, tuning=EXPLORING, seed=seed)
    decision = router.decide(market.ask(), market.anyone, 0.0)
    assert len({o.index for o in decision.order}) == count
    assert 24 < len(decision.ballots[0].near) <= 28
    values = [value for value, _ in decision.ballots[0].valued]
    assert values == sorted(values)


def test_ties_are_broken_by_price_and_then_by_name(market) -> None:
    router = market.router(
        market.offer("b"), market.offer("a"), market.offer("c", price=0.5),
        tuning=replace(market.calm, weights=Weights(0.0, 1.0, 1.0, 1.0, 1.0)),
    )  # fmt: skip
    assert market.names(router) == ["c", "a", "b"]


def test_all_weights_zero_is_the_order_of_the_catalogue(market) -> None:
    router = market.router(market.offer("z", 9.0), market.offer("a", 1.0), market.offer("m", 5.0))
    market.live(router, 0, 0.0, *[BROKEN] * 3)
    assert market.names(router, weights=Weights(0, 0, 0, 0, 0)) == ["z", "a", "m"]


def test_a_weight_the_request_does_not_set_is_the_keys_and_then_the_default(market) -> None:
    router = market.router(market.offer("cheap", 1.0), market.offer("fast", 1.5))
    market.live(router, 0, 0.0, *[market.served(start=9.0)] * 20)
    market.live(router, 1, 0.0, *[market.served(start=0.2)] * 20)
    hurried = Principal("hurried", weights=Weights(price=0.0))
    assert market.names(router, weights=Weights(1.0, 1.0, 0.0, 0.0))[0] == "cheap"
    assert market.names(router, who=hurried)[0] == "fast"
    assert market.names(router, who=hurried, weights=Weights(1.0, 1.0, 0, 0))[0] == "cheap"


def test_a_free_local_offer_comes_first_among_equals(market) -> None:
    router = market.router(market.offer("paid", 0.1), market.offer("local", 0.0))
    assert market.names(router) == ["local", "paid"]


def test_an_unpriced_offer_is_ranked_as_the_dearest(market) -> None:
    router = market.router(
        market.offer("dark", prices=Prices()), market.offer("dear", 9.0), market.offer("cheap", 1.0)
    )
    assert market.names(router) == ["cheap", "dear", "dark"]
    alone = market.router(market.offer("dark", prices=Prices()))
    assert market.names(alone) == ["dark"]


def test_prices_for_long_inputs_hold_from_their_size_on(market) -> None:
    stepped = Prices(900_000, 900_000, long_from=2000, long_input=9_000_000)
    router = market.router(market.offer("stepped", prices=stepped), market.offer("flat", 1.0))
    assert market.names(router, input_tokens=2000)[0] == "stepped"
    assert market.names(router, input_tokens=2001)[0] == "flat"


# --- exploration ---


def explored(market, router, count: int = 2000, **said: object) -> int:
    ask = market.ask(**said)
    decisions = [router.decide(ask, market.anyone, 0.0) for _ in range(count)]
    assert all(len(d.order) == 2 for d in decisions)
    return sum(d.ballots[0].deviates is not None for d in decisions)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_the_share_of_explored_requests_is_what_was_configured(market, share: float) -> None:
    router = market.router(
        market.offer("a"), market.offer("b"), tuning=replace(EXPLORING, explore=share)
    )
    assert isclose(explored(market, router) / 2000, share, abs_tol=0.03)


@pytest.mark.parametrize(
    "said",
    [{"order": ("b",)}, {"sort": "price"}, {"model": "m:floor"}, {"weights": Weights(0, 0, 0, 0, 0)}],
)
def test_nothing_is_explored_where_the_caller_fixed_the_order(market, said) -> None:
    router = market.router(market.offer("a"), market.offer("b"), tuning=EXPLORING)
    assert explored(market, router, 50, **said) == 0


def test_what_is_uncertain_is_explored_and_what_is_known_is_not(market) -> None:
    router = market.router(
        market.offer("best"), market.offer("unknown", 1.03), market.offer("known", 1.03),
        tuning=EXPLORING,
    )  # fmt: skip
    market.live(router, 0, 0.0, *[market.served(start=0.8, speed=60.0)] * 300)
    market.live(router, 2, 0.0, *[market.served(start=0.8, speed=60.0)] * 300)
    firsts = Counter(market.names(router)[0] for _ in range(1000))
    assert firsts["unknown"] > 150
    assert firsts["known"] < firsts["unknown"]


def test_close_offers_share_the_traffic(market) -> None:
    router = market.router(*(market.offer(name) for name in "abcd"), tuning=EXPLORING)
    firsts = Counter(market.names(router)[0] for _ in range(2000))
    assert min(firsts[name] for name in "abcd") > 300


def test_a_sudden_favourite_does_not_receive_everything_at_once(market) -> None:
    router = market.router(*(market.offer(n, 1.0) for n in "abc"), market.offer("sudden", 0.9))
    firsts: Counter[str] = Counter()
    for _ in range(60):
        first = router.decide(market.ask(), market.anyone, 0.0).order[0]
        router.health.dispatched(first, 0.0)
        firsts[first.upstream.name] += 1
    assert firsts["sudden"] == max(firsts.values())
    assert firsts["sudden"] < 50
    assert len(firsts) == 4


# --- prompt caches ---


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


# --- what is shut ---


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


# --- what the caller can say ---


def test_pinned_upstreams_come_first_in_their_order(market) -> None:
    router = market.router(*(market.offer(name, price) for name, price in zip("abcd", (1, 2, 3, 4))))
    assert market.names(router, order=("d", "b")) == ["d", "b", "a", "c"]
    assert market.names(router, order=("d", "b"), allow_fallbacks=False) == ["d", "b"]


def test_a_pinned_upstream_that_is_shut_still_goes_to_the_end(market) -> None:
    router = market.router(market.offer("a", 1.0), market.offer("b", 2.0))
    market.live(router, 1, 0.0, REFUSED)
    assert market.names(router, 1.0, order=("b",)) == ["a", "b"]


def test_without_fallbacks_only_the_best_is_tried(market) -> None:
    router = market.router(market.offer("a", 2.0), market.offer("b", 1.0))
    assert market.names(router, allow_fallbacks=False) == ["b"]


@pytest.mark.parametrize(
    ("said", "first"),
    [
        ({"sort": "price"}, "cheap"),
        ({"sort": "latency"}, "prompt"),
        ({"sort": "throughput"}, "rapid"),
        ({"model": "m:floor"}, "cheap"),
        ({"model": "m:nitro"}, "rapid"),
    ],
)
def test_one_objective_can_be_the_only_one(market, said: dict[str, object], first: str) -> None:
    router = market.router(
        market.offer("cheap", 0.2), market.offer("prompt", 4.0), market.offer("rapid", 4.0)
    )
    for place, (start, speed) in enumerate([(2.0, 20.0), (0.1, 20.0), (1.0, 500.0)]):
        market.live(router, place, 0.0, *[market.served(start=start, speed=speed)] * 30)
    assert market.names(router, **said)[0] == first


def test_wishes_for_speed_put_the_slow_behind_and_remove_none(market) -> None:
    router = market.router(market.offer("slow", 0.1), market.offer("fast", 9.0))
    market.live(router, 0, 0.0, *[market.served(start=5.0, speed=10.0)] * 30)
    market.live(router, 1, 0.0, *[market.served(start=0.2, speed=90.0)] * 30)
    assert market.names(router) == ["slow", "fast"]
    assert market.names(router, max_latency=1.0) == ["fast", "slow"]
    assert market.names(router, min_throughput=50.0) == ["fast", "slow"]
    assert market.names(router, max_latency=60.0) == ["slow", "fast"]


def test_quality_counts_where_models_compete_and_nowhere_else(market) -> None:
    good = {"model": "good", "quality": 80.0}
    router = market.router(market.offer("small", 1.0, quality=20.0), market.offer("big", 4.0, **good))
    assert market.names(router, model=None) == ["big", "small"]
    assert market.names(router, model=None, weights=Weights(quality=0.0)) == ["small", "big"]
    mixed = market.router(market.offer("a", 1.0, quality=20.0), market.offer("b", 4.0, quality=80.0))
    assert market.names(mixed) == ["a", "b"]


@pytest.mark.parametrize(("name", "first"), [("cheap", "small"), ("best", "big"), ("fast", "rapid")])
def test_the_shipped_policies_do_what_their_names_say(market, name: str, first: str) -> None:
    router = market.router(
        market.offer("small", 0.1, model="s", quality=30.0),
        market.offer("big", 30.0, model="b", quality=90.0),
        market.offer("rapid", 3.0, model="r", quality=45.0),
    )
    for place, (start, speed) in enumerate([(2.0, 20.0), (3.0, 20.0), (0.1, 900.0)]):
        market.live(router, place, 0.0, *[market.served(start=start, speed=speed)] * 30)
    assert market.names(router, model=name)[0] == first


def test_a_house_name_brings_its_own_pool_and_weights(market) -> None:
    house = PolicyName("infe-pulse", models=("x", "y"), weights=Weights(price=0.0))
    router = market.router(
        market.offer("a"), market.offer("b", 1.0, model="x"), market.offer("c", 9.0, model="y"),
        policies=[house],
    )  # fmt: skip
    market.live(router, 1, 0.0, *[market.served(start=5.0)] * 20)
    assert market.names(router, model="infe-pulse") == ["c", "b"]
    assert market.names(router, model="infe-pulse", weights=Weights(price=9.0)) == ["b", "c"]


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
    assert len(router._grounds) <= 4096  # noqa: SLF001 - bounded memory is a promise


def test_errors_come_out_of_a_decision_as_they_are(market) -> None:
    router = market.router(market.offer("a"))
    with pytest.raises(CallerError):
        router.decide(market.ask(model="typo"), market.anyone, 0.0)
