"""What a reply costs: exact, never twice, never negative."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from infway.kernel.chat import Prices
from infway.kernel.events import Usage
from infway.pipeline.cost import Cost, cost_of

TOKENS = st.integers(0, 10**7)
PRICE = st.none() | st.integers(0, 10**9)


def _priced(longer: st.SearchStrategy[Prices | None]) -> st.SearchStrategy[Prices]:
    return st.builds(
        Prices, st.integers(0, 10**9), st.integers(0, 10**9), cache_read=PRICE, cache_write=PRICE,
        cache_write_1h=PRICE, reasoning=PRICE, audio_input=PRICE, audio_output=PRICE,
        audio_cache_read=PRICE, image_input=PRICE, image_output=PRICE, query=PRICE, image=PRICE,
        character=PRICE, second=PRICE, tiers=st.just(()),
        long_from=st.none() | TOKENS, longer=longer,
    )  # fmt: skip


PRICES = _priced(st.none() | _priced(st.none() | _priced(st.none())))


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    prompt, completion = draw(TOKENS), draw(TOKENS)
    return Usage(
        prompt, completion, prompt + completion,
        cached=draw(TOKENS), cache_write=draw(TOKENS), audio_input=draw(TOKENS),
        audio_output=draw(TOKENS), reasoning=draw(TOKENS), cache_write_long=draw(TOKENS),
        audio_cached=draw(TOKENS), image_input=draw(TOKENS), image_output=draw(TOKENS),
    )  # fmt: skip


@dataclass(frozen=True)
class Example:
    usage: Usage
    prices: Prices
    cost: Cost


PLAIN = Prices(input=10, output=100)
LONG = Prices(input=20, output=150, cache_read=2, cache_write=25)
LONGEST = Prices(input=40, output=300, cache_read=4)
EXAMPLES = [
    Example(Usage(3, 2, 5), PLAIN, Cost(prompt=30, completion=200)),
    Example(Usage(3, 2, 5, cached=2), PLAIN, Cost(10, 20, 0, 200)),
    Example(Usage(3, 2, 5, cached=2), Prices(10, 100, cache_read=1), Cost(10, 2, 0, 200)),
    Example(
        Usage(9, 0, 9, cached=2, cache_write=3), Prices(10, 100, 1, 12), Cost(40, 2, 36, 0)
    ),
    Example(Usage(3, 2, 5, reasoning=2), PLAIN, Cost(prompt=30, completion=200, reasoning=200)),
    Example(
        Usage(3, 5, 8, reasoning=2), Prices(10, 100, reasoning=7),
        Cost(30, 0, 0, 314, reasoning=14),
    ),
    Example(
        Usage(9, 0, 9, cache_write=5, cache_write_long=2),
        Prices(10, 100, cache_write=12, cache_write_1h=20),
        Cost(40, 0, 76, 0, cache_write_long=40),
    ),
    Example(
        Usage(9, 0, 9, cache_write=5, cache_write_long=2), Prices(10, 100, cache_write=12),
        Cost(40, 0, 60, 0, cache_write_long=24),
    ),
    Example(Usage(3, 2, 5, cached=99), Prices(10, 100, cache_read=1), Cost(0, 3, 0, 200)),
    Example(Usage(5, 4, 9, audio_input=2, audio_output=1), Prices(10, 100, audio_input=50, audio_output=500), Cost(130, 0, 0, 800)),
    Example(Usage(100, 1, 101), Prices(10, 100, long_from=100, longer=LONG), Cost(1000, 0, 0, 100)),
    Example(Usage(101, 1, 102), Prices(10, 100, long_from=100, longer=LONG), Cost(2020, 0, 0, 150)),
    Example(Usage(101, 0, 101, cached=100), Prices(10, 100, 1, long_from=100, longer=LONG), Cost(20, 200, 0)),
    Example(
        Usage(101, 0, 101, cache_write=100), Prices(10, 100, 1, 12, long_from=100, longer=LONG),
        Cost(20, 0, 2500),
    ),
    Example(
        Usage(500, 1, 501, cached=499),
        Prices(10, 100, 1, long_from=100, longer=LONG._replace(long_from=499, longer=LONGEST)),
        Cost(40, 499 * 4, 0, 300),
    ),
    Example(
        Usage(499, 1, 500, cached=499),
        Prices(10, 100, 1, long_from=100, longer=LONG._replace(long_from=499, longer=LONGEST)),
        Cost(0, 499 * 2, 0, 150),
    ),
    Example(Usage(500, 40, 540, billed=(5, 40)), PLAIN, Cost(prompt=50, completion=4000)),
    Example(Usage(9, 9, 18), Prices(0, 0), Cost()),
    Example(Usage(9, 9, 18), Prices(input=1), Cost(priced=False)),
    Example(Usage(9, 9, 18), Prices(), Cost(priced=False)),
]  # fmt: skip


def test_the_examples_cost_what_they_cost():
    for example in EXAMPLES:
        assert cost_of(example.usage, example.prices) == example.cost, example


@given(usages(), PRICES)
def test_the_total_is_the_sum_of_its_parts_and_never_negative(usage: Usage, prices: Prices):
    cost = cost_of(usage, prices)
    assert cost.total == cost.prompt + cost.cache_read + cost.cache_write + cost.completion
    assert min(cost[:4]) >= 0
    assert 0 <= cost.cache_write_long <= cost.cache_write
    assert 0 <= cost.reasoning <= cost.completion
    assert isinstance(cost.total, int)


@given(usages(), st.integers(0, 10**9), st.integers(0, 10**9))
def test_at_one_price_cached_tokens_are_billed_exactly_once(usage: Usage, into: int, out: int):
    assert cost_of(usage, Prices(into, out)).total == usage.prompt * into + usage.completion * out


@given(usages(), PRICES, TOKENS)
def test_more_output_never_costs_less(usage: Usage, prices: Prices, more: int):
    larger = usage._replace(completion=usage.completion + more)
    plain = prices._replace(audio_output=None, reasoning=None)
    assert cost_of(larger, plain).total >= cost_of(usage, plain).total


@given(usages(), PRICES, TOKENS)
def test_more_input_never_costs_less_within_one_price_band(usage: Usage, prices: Prices, more: int):
    flat = prices._replace(long_from=None)
    plain = usage._replace(cached=0, cache_write=0, audio_input=0)
    larger = plain._replace(prompt=plain.prompt + more)
    assert cost_of(larger, flat).total >= cost_of(plain, flat).total
