"""What a caller is charged, where that is not just what its attempts cost.

Two rules may be switched on. Zero-completion insurance: nothing is charged for an attempt that
gave no answer or ended in an error (https://infron.ai/docs/features/zero-completion-insurance).
The highest rates: all offers that were considered are charged as the dearest of them, input and
output each for itself, as Infuzu does it. What attempts cost stays on their own rows.
"""

from collections.abc import Iterable
from typing import NamedTuple

from infway.kernel.chat import Offer
from infway.kernel.faults import LEFT
from infway.kernel.prices import Prices
from infway.pipeline.cost import Cost, cost_of
from infway.pipeline.tried import Attempt


class Billing(NamedTuple):
    """How callers are charged. `insured`: not for what came to nothing. `highest`: the highest rates."""

    insured: bool = False
    highest: bool = False


class Tariff(NamedTuple):
    """How one request is charged. `rates`: the prices that hold for all its offers; None: their own."""

    insured: bool
    rates: Prices | None

    def charge(self, attempt: Attempt) -> Cost:
        """Return what the caller is charged for an attempt."""
        if self.insured and is_void(attempt):
            return Cost(priced=attempt.cost.priced)
        usage = attempt.usage
        if self.rates is None or usage.units is not None:
            return attempt.cost
        plain = usage._replace(cached=0, cache_write=0, audio_input=0, audio_output=0, billed=None)
        return cost_of(plain, self.rates)

    def total(self, attempts: Iterable[Attempt]) -> int:
        """Return what the caller is charged for all attempts, in 10^-12 USD."""
        return sum(self.charge(attempt).total for attempt in attempts)

    def prices(self, offer: Offer) -> Prices:
        """Return the prices that hold for an offer, as its caller is charged."""
        return offer.prices if self.rates is None else self.rates


def tariff_of(rules: Billing, considered: Iterable[Offer]) -> Tariff | None:
    """Return how a request is charged that these offers were considered for; None: as they cost."""
    if not (rules.insured or rules.highest):
        return None
    return Tariff(rules.insured, highest_of(considered) if rules.highest else None)


def highest_of(offers: Iterable[Offer]) -> Prices | None:
    """Return the highest input and output price of all; None where no offer has both."""
    prices = [offer.prices for offer in offers]
    inputs = [one.input for one in prices if one.input is not None]
    outputs = [one.output for one in prices if one.output is not None]
    return Prices(input=max(inputs), output=max(outputs)) if inputs and outputs else None


def is_void(attempt: Attempt) -> bool:
    """Tell whether an attempt came to nothing: no token and no end, or an end that is an error.

    A caller that leaves an answer in the middle has had a part of it.
    """
    failure = attempt.failure
    if failure is not None and failure.fault not in LEFT:
        return True
    finish = attempt.finish
    if finish is not None and finish.reason == "error":
        return True
    return not attempt.usage.completion and (finish is None or finish.native is None)
