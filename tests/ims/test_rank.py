"""Decisions: the promised properties, whole, as a caller meets them."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infway.ims.outcome import Outcome
from infway.ims.policies import PolicyName
from infway.ims.tuning import Tuning
from infway.kernel.chat import Prices, Principal, Weights
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
        router._random.seed(seed)
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
    longest = Prices(100_000, 100_000)
    longer = Prices(9_000_000, 900_000, long_from=4000, longer=longest)
    stepped = Prices(900_000, 900_000, long_from=2000, longer=longer)
    router = market.router(market.offer("stepped", prices=stepped), market.offer("flat", 1.0))
    assert market.names(router, input_tokens=2000)[0] == "stepped"
    assert market.names(router, input_tokens=2001)[0] == "flat"
    assert market.names(router, input_tokens=4000)[0] == "flat"
    assert market.names(router, input_tokens=4001)[0] == "stepped"


def test_pinned_upstreams_come_first_in_their_order(market) -> None:
    router = market.router(
        *(market.offer(name, price) for name, price in zip("abcd", (1, 2, 3, 4), strict=True))
    )
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
    router = market.router(
        market.offer("small", 1.0, quality=20.0), market.offer("big", 4.0, **good)
    )
    assert market.names(router, model=None) == ["big", "small"]
    assert market.names(router, model=None, weights=Weights(quality=0.0)) == ["small", "big"]
    mixed = market.router(
        market.offer("a", 1.0, quality=20.0), market.offer("b", 4.0, quality=80.0)
    )
    assert market.names(mixed) == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "first"), [("cheap", "small"), ("best", "big"), ("fast", "rapid")]
)
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
