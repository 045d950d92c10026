"""Whole days at the market, simulated: the router against round robin and the cheapest first.

Discrete events, seeded, no clock. Eight offers of one model; regret is the mean loss against a
clairvoyant who knows every offer's present price, times and failures.
"""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from math import log

import pytest

from infway.ims.outcome import Outcome
from infway.ims.tuning import Tuning
from infway.kernel.chat import Offer
from infway.kernel.faults import Fault

INPUT, OUTPUT = 1000, 250
MINUTES, RATE = 8, 6.0
SICK_FROM, SICK_TO = 160.0, 320.0


@dataclass(frozen=True)
class Nature:
    """What an offer is really like: USD per million tokens, seconds, tokens/s, probability."""

    price: float
    start: float
    speed: float
    failure: float = 0.005
    delay: float = 0.3

    def loss(self, start: float, end: float) -> float:
        cost = (INPUT + OUTPUT) * (self.price + 0.02) * 1e-6
        return log(cost) + 0.25 * log(start + 0.05) + 0.25 * log(end + 0.25)

    @property
    def usual_loss(self) -> float:
        return self.loss(self.start, self.start + OUTPUT / self.speed) + self.failure


CALM = [
    Nature(0.45, 0.7, 50.0), Nature(0.50, 0.9, 45.0, 0.01), Nature(0.50, 1.6, 30.0),
    Nature(0.55, 0.6, 70.0), Nature(0.60, 0.4, 90.0), Nature(0.70, 0.8, 60.0),
    Nature(0.80, 0.35, 120.0), Nature(1.20, 0.3, 150.0),
]  # fmt: skip
FAVOURITES = (0, 3)

Weather = Callable[[Nature, float], Nature]


def sick(now: float) -> bool:
    return SICK_FROM < now < SICK_TO


WEATHERS: dict[str, Weather] = {
    "steady": lambda n, _: n,
    "brown-out": lambda n, now: (
        replace(n, start=n.start * 6, speed=n.speed / 6, failure=0.05) if sick(now) else n
    ),
    "outage": lambda n, now: replace(n, failure=1.0) if sick(now) else n,
    "hanging": lambda n, now: replace(n, failure=1.0, delay=10.0) if sick(now) else n,
    "flapping": lambda n, now: replace(n, failure=0.9) if int(now / 45) % 2 else n,
    "losses": lambda n, _: replace(n, failure=0.08),
}


class Day:
    """One run of one policy under one weather."""

    def __init__(self, market, weather: Weather, seed: int) -> None:
        offers = [market.offer(f"u{i}-", nature.price) for i, nature in enumerate(CALM)]
        self.router = market.router(*offers, tuning=Tuning(), seed=seed)
        self.offers = self.router.catalog.offers
        self.ask, self.who = market.ask(input_tokens=INPUT), market.anyone
        self.weather, self.chance = weather, market.chance(seed)
        self.later: list[tuple[float, int, Offer, Outcome | None]] = []
        self.serial = count()
        self.visible = 0

    def regret(self, order_of: Callable[["Day", float], list[Offer]]) -> float:
        """Return the mean loss above the clairvoyant's."""
        now, lost, requests = 0.0, 0.0, 0
        while now < MINUTES * 60:
            now += self.chance.expovariate(RATE)
            self._catch_up(now)
            natures = [self._nature(i, now) for i in range(len(CALM))]
            best = min(n.usual_loss for n in natures if n.failure < 0.5)
            lost += self._serve(order_of(self, now)[:3], natures, now) - best
            requests += 1
        return lost / requests

    def _nature(self, place: int, now: float) -> Nature:
        return self.weather(CALM[place], now) if place in FAVOURITES else CALM[place]

    def _serve(self, order: list[Offer], natures: list[Nature], now: float) -> float:
        late = penalty = 0.0
        for offer in order:
            nature = natures[offer.index]
            began = now + late
            self.router.health.dispatched(offer, began)
            if self.chance.random() < nature.failure:
                late += nature.delay
                penalty += 1.0
                fault = Fault.TTFT_TIMEOUT if nature.delay > 5 else Fault.HTTP_5XX
                self._note(began + nature.delay, offer, Outcome(fault=fault, end=nature.delay))
                continue
            start = nature.start * self.chance.lognormvariate(0, 0.3)
            end = start + OUTPUT / (nature.speed * self.chance.lognormvariate(0, 0.15))
            self._note(began + start, offer, None)
            self._note(
                began + end,
                offer,
                Outcome(start=start, end=end, output_tokens=OUTPUT, input_tokens=INPUT),
            )
            return nature.loss(late + start, late + end) + penalty
        self.visible += 1
        return penalty + 8.0

    def _note(self, at: float, offer: Offer, outcome: Outcome | None) -> None:
        heapq.heappush(self.later, (at, next(self.serial), offer, outcome))

    def _catch_up(self, now: float) -> None:
        while self.later and self.later[0][0] <= now:
            at, _, offer, outcome = heapq.heappop(self.later)
            if outcome is None:
                self.router.served(offer, self.ask, at)
            else:
                self.router.health.observe(offer, at, outcome)


def ranked(day: Day, now: float) -> list[Offer]:
    return day.router.decide(day.ask, day.who, now).order


def cheapest(day: Day, _: float) -> list[Offer]:
    return list(day.offers)


def round_robin() -> Callable[[Day, float], list[Offer]]:
    turns: Iterator[int] = count()

    def order(day: Day, _: float) -> list[Offer]:
        turn = next(turns) % len(day.offers)
        return [*day.offers[turn:], *day.offers[:turn]]

    return order


@pytest.mark.parametrize("weather", WEATHERS)
def test_the_router_beats_round_robin_and_the_cheapest_first(market, weather: str) -> None:
    day = Day(market, WEATHERS[weather], seed=1)
    ours = day.regret(ranked)
    assert ours < 0.25 * Day(market, WEATHERS[weather], seed=1).regret(round_robin())
    assert ours < 0.02 or ours < 0.25 * Day(market, WEATHERS[weather], seed=1).regret(cheapest)
    assert ours < 0.08
    assert day.visible <= 6
