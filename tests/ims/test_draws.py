"""Exploration in decisions: where it goes, how much of it there is, and that it spreads load."""

from collections import Counter
from dataclasses import replace
from math import isclose

import pytest

from infway.ims.outcome import Outcome
from infway.ims.tuning import Tuning
from infway.kernel.chat import Weights
from infway.kernel.faults import Fault

BROKEN = Outcome(fault=Fault.HTTP_500, end=0.2)
REFUSED = Outcome(fault=Fault.RATE_LIMITED, end=0.1, retry_after=20.0)
EXPLORING = Tuning()


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
    [
        {"order": ("b",)},
        {"sort": "price"},
        {"model": "m:floor"},
        {"weights": Weights(0, 0, 0, 0, 0)},
    ],
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
