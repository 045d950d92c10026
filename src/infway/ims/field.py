"""Everything about a kind of request that does not change from one to the next.

Worked out once per selection, features, size class and key, so that a decision only has to
look it up and do the arithmetic.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from infway.ims.candidates import CHARS_PER_TOKEN, Candidates
from infway.ims.policies import overlay
from infway.ims.score import Rate, Scale
from infway.ims.slot import Slot
from infway.ims.tuning import Tuning
from infway.kernel.chat import Offer, Weights
from infway.kernel.money import PICO_PER_USD, PICO_PER_USD_PER_MILLION
from infway.kernel.prices import Prices

LOWEST_QUALITY = 1.0  # so that its logarithm is never negative
INPUT_SHARE = 0.75  # wire.md part 3: price ties are broken by 0.75 input + 0.25 output


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """The offers of one group, in the order that breaks ties: by price, then by id.

    `place_of`: offer index -> place. `pins`: each offer's place in `provider.order`, None where
    nothing is pinned. `floor`: USD per token that the rates hold beside the prices.
    """

    offers: tuple[Offer, ...]
    slots: tuple[Slot, ...]
    rates: tuple[Rate, ...]
    place_of: dict[int, int]
    pins: tuple[int, ...] | None
    floor: float


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """The fields of one kind of request, the asked model's first, and what they have in common.

    `catalogue`: all weights are zero, so the catalogue's order stands. `drawn`: exploration may
    change the order: not where the caller pinned it, and not where there is nothing to order.
    `wished`: the caller said how fast it should be.
    """

    fields: tuple[Field, ...]
    chosen: Candidates
    weights: Weights
    scale: Scale
    catalogue: bool
    drawn: bool
    wished: bool


def prepare(chosen: Candidates, slots: Sequence[Slot], tuning: Tuning, input_tokens: int) -> Ground:
    """Prepare the fields of these candidates; `slots` by offer index.

    `input_tokens` stands for its size class: it tells which offers' prices for long inputs hold.
    """
    weights = overlay(chosen.weights, tuning.weights)
    catalogue = not any(weights)
    fields = tuple(
        _field(chosen, _in_tie_order(group, input_tokens, catalogue=catalogue), slots, tuning,
               input_tokens)
        for group in chosen.groups
    )  # fmt: skip
    drawn = (
        not catalogue
        and chosen.sort is None
        and not chosen.said.order
        and any(len(field.offers) > 1 for field in fields)
    )
    said = chosen.said
    wished = said.max_latency is not None or said.min_throughput is not None
    return Ground(fields, chosen, weights, _scale(weights, tuning), catalogue, drawn, wished)


def price(offer: Offer, input_tokens: int) -> tuple[float | None, float | None]:
    """Return USD per token of input and of output; None is unknown."""
    prices = offer.prices.at(input_tokens)
    into, out = prices.input, prices.output
    if into is None or out is None:
        into, out = _likened(prices)
    return (
        None if into is None else into / PICO_PER_USD,
        None if out is None else out / PICO_PER_USD,
    )


def _likened(prices: Prices) -> tuple[int | None, int | None]:
    """Return about what a token costs where other things are paid: good enough to compare."""
    units = ((prices.query, 5000), (prices.image, 1000), (prices.second, 10))
    known = [price // tokens for price, tokens in units if price is not None]
    if prices.character is not None:
        known.append(prices.character * CHARS_PER_TOKEN)
    into = prices.input if prices.input is not None else next(iter(known), None)
    makes = (prices.output, prices.image_output, prices.audio_output, 0 if known else None)
    return into, next((price for price in makes if price is not None), None)


def _in_tie_order(group: Sequence[Offer], input_tokens: int, *, catalogue: bool) -> list[Offer]:
    if catalogue:
        return sorted(group, key=lambda offer: offer.index)
    return sorted(group, key=lambda offer: (_tie(price(offer, input_tokens)), offer.id))


def _tie(prices: tuple[float | None, float | None]) -> float:
    """Return the price that orders equals; an unknown one is the highest."""
    into, out = prices
    if into is None or out is None:
        return math.inf
    return INPUT_SHARE * into + (1.0 - INPUT_SHARE) * out


def _field(
    chosen: Candidates,
    offers: Sequence[Offer],
    slots: Sequence[Slot],
    tuning: Tuning,
    input_tokens: int,
) -> Field:
    order = chosen.said.order
    pins = tuple(_pin(offer, order) for offer in offers) if order else None
    floor = tuning.floor_price * PICO_PER_USD_PER_MILLION / PICO_PER_USD
    return Field(
        tuple(offers),
        tuple(slots[offer.index] for offer in offers),
        _rates(offers, input_tokens, floor),
        {offer.index: place for place, offer in enumerate(offers)},
        pins,
        floor,
    )


def _pin(offer: Offer, order: Sequence[str]) -> int:
    """Return the first place at which the offer's upstream or vendor is listed."""
    names = (offer.upstream.name, offer.upstream.vendor)
    return next((place for place, name in enumerate(order) if name in names), len(order))


def _rates(offers: Sequence[Offer], input_tokens: int, floor: float) -> tuple[Rate, ...]:
    """Return what each offer costs; an unknown price is taken for the highest known one.

    `floor`: USD per token that are added to every price.
    """
    prices = [price(offer, input_tokens) for offer in offers]
    dearest_in = max((into for into, _ in prices if into is not None), default=0.0)
    dearest_out = max((out for _, out in prices if out is not None), default=0.0)
    several = len({offer.model for offer in offers}) > 1
    return tuple(
        Rate(
            (dearest_in if into is None else into) + floor,
            (dearest_out if out is None else out) + floor,
            math.log(max(LOWEST_QUALITY, offer.quality)) if several else 0.0,
            _saving(offer.prices.at(input_tokens), into),
        )
        for offer, (into, out) in zip(offers, prices, strict=True)
    )


def _saving(prices: Prices, into: float | None) -> float:
    """Return the USD that one input token costs less when it comes from the prompt cache."""
    if into is None or prices.cache_read is None:
        return 0.0
    return max(0.0, into - prices.cache_read / PICO_PER_USD)


def _scale(weights: Weights, tuning: Tuning) -> Scale:
    cost, error, start, end, quality = (weight or 0.0 for weight in weights)
    return Scale(
        cost,
        start,
        end,
        quality,
        error * tuning.seen,
        error * tuning.absorbed,
        tuning.floor_start,
        tuning.floor_end,
    )  # fmt: skip
