"""What a reply costs: tokens times prices, in whole units of 10^-12 USD.

Cached tokens are never billed twice: the parts of the prompt are taken out of it first.
"""

from collections.abc import Iterable
from typing import NamedTuple

from infway.kernel.events import Units, Usage
from infway.kernel.faults import CONSEQUENCES, Bill, Fault
from infway.kernel.prices import Prices

NOTHING = Usage(0, 0, 0)


class Cost(NamedTuple):
    """The parts of a bill in 10^-12 USD. `priced` False: a price was unknown and counts as 0.

    The last two are contained in others: `cache_write_long` is the part of `cache_write` that is
    kept for an hour, `reasoning` the part of `completion` that was thought.
    """

    prompt: int = 0
    cache_read: int = 0
    cache_write: int = 0
    completion: int = 0
    priced: bool = True
    cache_write_long: int = 0
    reasoning: int = 0

    @property
    def total(self) -> int:
        """The sum."""
        return self.prompt + self.cache_read + self.cache_write + self.completion


def added(costs: Iterable[Cost]) -> Cost:
    """Return costs in sum, part by part."""
    total = Cost()
    for cost in costs:
        total = Cost(
            total.prompt + cost.prompt,
            total.cache_read + cost.cache_read,
            total.cache_write + cost.cache_write,
            total.completion + cost.completion,
            total.priced and cost.priced,
            total.cache_write_long + cost.cache_write_long,
            total.reasoning + cost.reasoning,
        )
    return total


def cost_of(usage: Usage, prices: Prices) -> Cost:
    """Return the cost of `usage` at `prices`; a part without its own price pays the plain one."""
    if usage.tier:
        prices = prices.of(usage.tier)
    if prices.long_from is not None and usage.prompt > prices.long_from:
        prices = prices.at(usage.prompt)
    if usage.units is not None:
        return _work(usage, usage.units, prices)
    if prices.input is None or prices.output is None:
        return Cost(priced=False)
    into, out = prices.input, prices.output
    if usage.billed is not None:
        return Cost(prompt=usage.billed[0] * into, completion=usage.billed[1] * out)
    parts = usage.cached or usage.cache_write or usage.audio_input or usage.audio_output
    drawn = usage.image_input or usage.image_output
    if not (parts or drawn or usage.reasoning):
        return Cost(prompt=usage.prompt * into, completion=usage.completion * out)
    completion, reasoning = _completion(usage, prices, out)
    read = _prompt(usage, prices, into)
    return read._replace(completion=completion, reasoning=reasoning)


def unsaid(fault: Fault, prompt: int) -> Usage:
    """Return the usage of an attempt that failed before it said anything of it.

    `prompt`: tokens of the request, as estimated.
    """
    bill = CONSEQUENCES[fault].bill
    if bill is Bill.NOTHING:
        return NOTHING
    tokens = prompt if bill is Bill.PROMPT else 0
    return Usage(tokens, 0, tokens, estimated=True)


def _prompt(usage: Usage, prices: Prices, into: int) -> Cost:
    """Return what the prompt costs.

    What is cached is text, as far as it is not known to be sound: that is never too cheap.
    """
    cached = min(usage.cached, usage.prompt)
    written = min(usage.cache_write, usage.prompt - cached)
    rest = usage.prompt - cached - written
    again = min(cached, max(usage.audio_cached, cached + usage.audio_input - usage.prompt))
    spoken = min(max(0, usage.audio_input - again), rest)
    drawn = min(usage.image_input, rest - spoken)
    long = min(usage.cache_write_long, written)
    write, read = _or(prices.cache_write, into), _or(prices.cache_read, into)
    lasting = long * _or(prices.cache_write_1h, write)
    return Cost(
        prompt=(rest - spoken - drawn) * into
        + spoken * _or(prices.audio_input, into)
        + drawn * _or(prices.image_input, into),
        cache_read=(cached - again) * read + again * _or(prices.audio_cache_read, read),
        cache_write=(written - long) * write + lasting,
        cache_write_long=lasting,
    )


def _completion(usage: Usage, prices: Prices, out: int) -> tuple[int, int]:
    """Return what the completion costs, and the part of it that was thought."""
    voiced = min(usage.audio_output, usage.completion)
    drawn = min(usage.image_output, usage.completion - voiced)
    thought = min(usage.reasoning, usage.completion - voiced - drawn)
    reasoning = thought * _or(prices.reasoning, out)
    shown = voiced * _or(prices.audio_output, out) + drawn * _or(prices.image_output, out)
    return (usage.completion - voiced - drawn - thought) * out + shown + reasoning, reasoning


def _work(usage: Usage, units: Units, prices: Prices) -> Cost:
    """Return the cost of work that is no chat, by the first measure that counts and has a price.

    Tokens that the upstream counted come first, tokens that are only estimated last. What is paid
    by another measure counts as the prompt's.
    """
    tokens = _tokens(usage, units, prices)
    if tokens is not None and not usage.estimated:
        return tokens
    for count, price, per in (
        (units.queries, prices.query, 1),
        (units.images, prices.image, 1),
        (units.characters, prices.character, 1),
        (units.milliseconds, prices.second, 1000),
    ):
        if count and price is not None:
            return Cost(prompt=(count * price + per // 2) // per)
    if tokens is not None:
        return tokens
    return Cost(priced=not any((usage.prompt, usage.completion, *units)))


def _tokens(usage: Usage, units: Units, prices: Prices) -> Cost | None:
    """Return the cost of the tokens; None where there are none, or some without a price."""
    cached = min(usage.cached, usage.prompt)
    drawn = min(units.image_input, usage.prompt - cached)
    heard = min(usage.audio_input, usage.prompt - cached - drawn)
    made = min(units.image_output, usage.completion)
    voiced = min(usage.audio_output, usage.completion - made)
    read = (
        (usage.prompt - cached - drawn - heard, prices.input),
        (drawn, _first(prices.image_input, prices.input)),
        (heard, _first(prices.audio_input, prices.input)),
        (cached, _first(prices.cache_read, prices.input)),
    )
    written = (
        (usage.completion - made - voiced, prices.output),
        (made, _first(prices.image_output, prices.output)),
        (voiced, _first(prices.audio_output, prices.output)),
    )
    if not (usage.prompt or usage.completion):
        return None
    if any(count and price is None for count, price in (*read, *written)):
        return None
    prompt, completion = (
        sum(count * (price or 0) for count, price in parts) for parts in (read, written)
    )
    return Cost(prompt=prompt, completion=completion)


def _first(price: int | None, plain: int | None) -> int | None:
    return plain if price is None else price


def _or(price: int | None, plain: int) -> int:
    return plain if price is None else price
