"""What one attempt may cost at worst: what is set aside before it is made."""

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from infway.ims.candidates import COMPLETIONS
from infway.kernel.chat import ChatRequest, Feature, Native, Offer
from infway.kernel.events import Units, Usage
from infway.kernel.prices import PARTS, Prices
from infway.kernel.work import WORK
from infway.pipeline.cost import cost_of
from infway.pipeline.tiers import USUAL, open_to
from infway.providers.openai.summed import wanted_of
from infway.providers.passing.measures import guess

_LONGEST = 131_072
"""Tokens of an answer that neither its caller nor the catalogue limits: the longest there are."""

_BYTES = 3  # a letter beyond ASCII has as many, and no vocabulary has tokens shorter than a byte
_MEDIA = 8  # times what a picture or a sound is estimated at: detail, tiles and pages are unknown
_PICTURE = 8_192  # tokens of one picture that is made: OpenAI's largest has 6,240
_OWN = 1_024  # tokens that vendors put before a prompt by themselves, for tools above all
_CHOICES = 128  # the most that any dialect has
_COUNTS = ("n", "best_of", "n_cmpl")  # the last is llama.cpp's, and goes before `n` there
_HOSTED = frozenset({"web_search_options", "plugins"})  # root fields of OpenAI and OpenRouter
_HEARD = (
    Feature.VISION | Feature.REMOTE_MEDIA | Feature.AUDIO_IN | Feature.FILES  # may be of any size
)


class Bounds:
    """The most tokens that one request can have, of its prompt and of each of its answers.

    `read`: of the prompt; no prompt has more tokens than bytes. `sure`: that is no guess: it holds
    nothing whose size only its upstream knows.
    """

    __slots__ = ("_ask", "choices", "read", "sure")

    def __init__(self, ask: ChatRequest) -> None:
        self._ask = ask
        self.read, self.sure = _prompt(ask)
        self.choices = choices_of(ask)

    def made(self, offer: Offer) -> int:
        """Return the most tokens of all answers together.

        An answer is as long as its caller allows, else as the model can make it, and streams are
        ended a little beyond that (row 54).
        """
        return reckoned(self._ask, offer, self.choices)

    def prompt(self, offer: Offer) -> int:
        """Return the most tokens of the prompt, as far as this offer takes it."""
        if self.sure or offer.context is None:
            return self.read
        return offer.context


def reckoned(ask: ChatRequest, offer: Offer, choices: int | None = None) -> int:
    """Return the most tokens of all answers together, of which there are so many `choices`."""
    if Feature.EMBEDDINGS in ask.features:
        return 0
    limit = _limit(ask, offer)
    return (_LONGEST if limit is None else int(limit)) * (choices or choices_of(ask))


def most_tokens(ask: ChatRequest, offer: Offer) -> float:
    """Return beyond how many tokens a stream is ended (C4, row 54)."""
    limit = _limit(ask, offer)
    return float("inf") if limit is None else limit * choices_of(ask)


def worst_of(ask: ChatRequest, bounds: Bounds, offer: Offer, prices: Prices) -> int | None:
    """Return the most that an attempt can cost, in 10^-12 USD; None where a price is unknown.

    `prices`: those that its caller pays, at the dearest service tier it may be served at.
    """
    if ask.features & WORK:
        return _work(ask, offer)
    made = bounds.made(offer)
    if prices.input is None or (prices.output is None and made):
        return None
    into, out = _dearest_of(prices, open_to(ask, offer.upstream, prices))
    return bounds.prompt(offer) * into + made * out


def dearest_input(prices: Prices, tiers: tuple[str, ...] = ()) -> int:
    """Return the most that a token of a prompt costs, in 10^-12 USD; `tiers`: at which it may be."""
    return _dearest_of(prices, tiers)[0]


@lru_cache(maxsize=4096)
def _dearest_of(prices: Prices, tiers: tuple[str, ...]) -> tuple[int, int]:
    """Return the highest price of a token that is read, and of one that is made, of all there are."""
    steps = [step for tier in (USUAL, *tiers) for step in prices.of(tier).steps()]
    into, out = (
        _dearest(0, *(getattr(step, name) for step in steps for name in (whole, *parts)))
        for whole, parts in PARTS.items()
    )
    return into, out


def _prompt(ask: ChatRequest) -> tuple[int, bool]:
    """Return the most tokens that a prompt can have, and whether that is more than a guess."""
    fields, native = ask.fields, ask.native
    sent = sum(map(_size, fields.values()))
    if native is not None:
        sent = max(sent, sum(map(_size, native.fields.values())))
    if ask.said is not None:
        sent += most_tokens_of(ask.said.text)
    if not ask.features & _HEARD:
        return _OWN + sent, not _searches(fields, native)
    spoken = sum(_size(fields.get(name)) for name in ("tools", "response_format"))
    media = max(0, ask.input_tokens - ask.input_chars // 4)
    return _OWN + ask.input_chars * _BYTES + spoken + media * _MEDIA, False


def _searches(fields: Mapping[str, object], native: Native | None) -> bool:
    """Tell whether the upstream itself may put more into the prompt: what it finds, reads or runs."""
    if native is not None and native.needs and native.dialect != COMPLETIONS:
        return True
    return not _HOSTED.isdisjoint(fields)


def most_tokens_of(text: str) -> int:
    """Return the most tokens that a text can have."""
    return len(text) * _BYTES


def _size(value: object) -> int:
    if isinstance(value, msgspec.Raw):
        return len(value)
    return len(str(value)) * _BYTES if value is not None else 0


def _limit(ask: ChatRequest, offer: Offer) -> float | None:
    """Return how many tokens one answer may have: a fifth more than allowed, and 64.

    Where thoughts are beside what is allowed, they may be as long as the longest answer there is.
    """
    limit = ask.output_tokens or offer.max_output
    if offer.thinks_beside and ask.output_tokens:
        limit = ask.output_tokens + _LONGEST
    return None if limit is None else limit * 1.2 + 64


def choices_of(ask: ChatRequest) -> int:
    """Return how many answers are made: those asked for, or those a best one is chosen from.

    There are as many for each of several prompts.
    """
    said = [ask.fields] if ask.native is None else [ask.fields, ask.native.fields]
    counts = [_count(fields.get(name)) for fields in said for name in _COUNTS]
    wanted = wanted_of(ask)
    prompts = 1 if wanted is None else len(wanted.sizes)
    return min(max(1, *counts), _CHOICES) * prompts


def _count(value: object) -> int:
    """Return a number as the most lenient server reads it: from a text too."""
    text = bytes(value).decode("ascii", "replace") if isinstance(value, msgspec.Raw) else str(value)
    try:
        return int(float(text.strip('" ')))
    except (ValueError, OverflowError):
        return 1


def _work(ask: ChatRequest, offer: Offer) -> int | None:
    """Return the most that other work costs: twice what it is measured at, as far as that is a guess."""
    usage = guess(ask, offer)
    units = usage.units or Units()
    tokens = 2 * max(usage.prompt, ask.input_chars * _BYTES)
    made = units.images * _PICTURE
    most = Usage(
        tokens,
        made,
        tokens + made,
        audio_input=2 * usage.audio_input,
        units=units._replace(milliseconds=2 * units.milliseconds, image_output=made),
    )
    prices = offer.prices
    every = [
        cost_of(most._replace(estimated=guessed, tier=tier), prices)
        for guessed in (False, True)
        for tier in (USUAL, *open_to(ask, offer.upstream, prices))
    ]
    return max(cost.total for cost in every) if _is_priced(prices) else None


def _is_priced(prices: Prices) -> bool:
    """Tell whether anything that work is measured in has a price."""
    return prices != Prices()


def _dearest(*prices: int | None) -> int:
    return max((price for price in prices if price is not None), default=0)
