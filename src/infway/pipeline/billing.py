"""What a caller is charged, which is not just what its attempts cost.

Two rules may be switched. Zero-completion insurance, which is on: nothing is charged for an attempt
that came to nothing (https://infron.ai/docs/features/zero-completion-insurance). The highest
rates, which are off: all offers that were considered are charged as the dearest of them, input and
output each for itself, as Infuzu does it. What attempts cost stays on their own rows.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from infway.kernel.chat import Offer
from infway.kernel.money import PICO_PER_USD
from infway.kernel.prices import PARTS, Prices
from infway.pipeline.cost import Cost, cost_of
from infway.pipeline.tried import Attempt


class Tariff(NamedTuple):
    """How callers are charged.

    `insured`: not for what came to nothing. `highest`: at the highest rates of what is considered,
    which are `rates`: the prices that hold for all offers of one request; None: each has its own.
    `credit`: what one is worth, in 10^-12 USD.
    """

    insured: bool = False
    highest: bool = False
    credit: int = PICO_PER_USD
    rates: Prices | None = None

    def charge(self, attempt: Attempt) -> Cost:
        """Return what the caller is charged for an attempt."""
        if self.insured and attempt.is_void:
            return Cost(priced=attempt.cost.priced)
        usage = attempt.usage
        if self.rates is None or usage.units is not None:
            return attempt.cost
        return cost_of(usage._replace(billed=None), self.rates)

    def prices(self, offer: Offer) -> Prices:
        """Return the prices that hold for an offer, as its caller is charged."""
        return offer.prices if self.rates is None else self.rates


AS_IT_COSTS = Tariff()


def highest_of(offers: Iterable[Offer]) -> Prices | None:
    """Return the highest input and output price of all, at every length and every tier.

    A part of them has a price of its own only where one is higher still, so that none pays less
    than it costs. None where no offer has both prices.
    """
    return _highest(tuple(offer.prices for offer in offers))


@lru_cache(maxsize=1024)
def _highest(prices: Sequence[Prices]) -> Prices | None:
    usual = _of_all(prices)
    if not usual.known:
        return None
    names = sorted({name for one in prices for name, _ in one.tiers})
    tiers = tuple((name, _of_all([one.of(name) for one in prices])) for name in names)
    return usual._replace(tiers=tiers)


def _of_all(prices: Iterable[Prices]) -> Prices:
    """Return the highest prices for prompts of every length: each step of each offer is one."""
    every = list(prices)
    starts = {0} | {step.long_from for one in every for step in one.steps() if step.longer}
    held, ends = None, None
    for above in sorted((one for one in starts if one is not None), reverse=True):
        highest = _dearest([one.at(above + 1) for one in every])
        held = highest._replace(long_from=ends, longer=held)
        ends = above
    return held or Prices()


def _dearest(prices: Sequence[Prices]) -> Prices:
    """Return the highest price of each whole, and of each part that one has a higher one of."""
    found: dict[str, int | None] = {}
    for whole, parts in PARTS.items():
        most = found[whole] = _most(prices, whole)
        for part in parts:
            price = _most(prices, part)
            found[part] = price if price is not None and price > (most or 0) else None
    return Prices().having(found)


def _most(prices: Iterable[Prices], name: str) -> int | None:
    known: list[int] = [price for one in prices if (price := getattr(one, name)) is not None]
    return max(known, default=None)
