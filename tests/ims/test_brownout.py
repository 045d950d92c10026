"""A favourite that becomes ten times slower to begin, simulated: it is left at once, and is back.

Eight clients ask one after the other, so that the healthy past is a rush of a hundred replies
beside which the slow ones of the present are few. Discrete events, seeded, no clock.
"""

import heapq
from itertools import count

import pytest

from infway.ims.outcome import Outcome
from infway.ims.tuning import Tuning
from infway.kernel.chat import Offer

USUAL, SLOW, REST = 0.1, 1.0, 0.03  # seconds: to the first token, and from there to the end
CLIENTS, TOKENS = 8, 60
SICK, SETTLED, WELL, OVER = 10.0, 20.0, 80.0, 110.0  # the favourite is sick from SICK to WELL


def reply(start: float) -> Outcome:
    return Outcome(start=start, end=start + REST, output_tokens=TOKENS, input_tokens=1000)


def asked(market, seed: int, price: float) -> list[tuple[float, int]]:
    """Return when each request was asked, and of which offer; `price` is that of the two others."""
    offers = [market.offer(f"u{place}-", price if place else 1.0) for place in range(3)]
    router = market.router(*offers, tuning=Tuning(), seed=seed)
    for place in range(3):
        market.live(router, place, 0.0, *[reply(USUAL)] * 20)
    ask, chance, serial = market.ask(), market.chance(seed), count()
    later: list[tuple[float, int, Offer | None, float | None]] = []

    def note(at: float, offer: Offer | None = None, start: float | None = None) -> None:
        heapq.heappush(later, (at, next(serial), offer, start))

    for client in range(CLIENTS):
        note(client * USUAL / CLIENTS)
    found: list[tuple[float, int]] = []
    while later[0][0] < OVER:
        now, _, offer, start = heapq.heappop(later)
        if offer is None:
            offer = router.decide(ask, market.anyone, now).order[0]
            found.append((now, offer.index))
            router.health.dispatched(offer, now)
            is_sick = offer.index == 0 and SICK <= now < WELL
            start = (SLOW if is_sick else USUAL) * chance.lognormvariate(0, 0.05)
            note(now + start, offer)
            note(now + start + REST, offer, start)
        elif start is None:
            router.served(offer, ask, now)
        else:
            router.health.observe(offer, now, reply(start))
            note(now)
    return found


def share(found: list[tuple[float, int]], since: float, until: float) -> float:
    """Return the share of the first offer between two moments."""
    then = [place for at, place in found if since <= at < until]
    return then.count(0) / len(then)


@pytest.mark.parametrize("price", [1.0, 1.15])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_hardly_a_request_goes_to_an_upstream_that_has_become_slow(market, seed, price) -> None:
    # what is below a hundredth finds out whether it is well again
    assert share(asked(market, seed, price), SETTLED, WELL) < 0.01


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_cheaper_upstream_that_was_slow_is_the_favourite_again(market, seed) -> None:
    assert share(asked(market, seed, 1.15), OVER - 10.0, OVER) > 0.5
