"""The highest rates: no caller is charged less than its request cost, nor more than was set aside."""

from hypothesis import given
from hypothesis import strategies as st
from tests.wall.asking import ask, offer

from infway.kernel.events import Facts, Usage
from infway.kernel.prices import Prices, tier_of
from infway.pipeline.billing import Tariff, highest_of
from infway.pipeline.cost import cost_of
from infway.pipeline.sanity import believed
from infway.pipeline.tiers import asked_of
from infway.pipeline.tried import Attempt
from infway.pipeline.worst import Bounds, worst_of

PRICE = st.none() | st.integers(0, 10**6)
PARTS = ("cache_read", "cache_write", "cache_write_1h", "reasoning", "audio_input", "audio_output",
         "audio_cache_read", "image_input", "image_output")  # fmt: skip
COUNTS = ("cached", "cache_write", "cache_write_long", "reasoning", "audio_input", "audio_output",
          "audio_cached", "image_input", "image_output")  # fmt: skip
LONG = Prices(input=2_500_000, output=15_000_000)
SHORT = Prices(input=1_250_000, output=10_000_000, long_from=200_000, longer=LONG)
PRIORITY = tier_of(SHORT, {0: {"input": 2_500_000, "output": 20_000_000}})
STEPPED = SHORT._replace(tiers=(("priority", PRIORITY),))
FLAT = Prices(input=2_000_000, output=8_000_000)


def charged(usage: Usage, *considered: Prices, word: str | None = None) -> tuple[int, int]:
    """Return what an attempt at the first of these costs, and what its caller is charged."""
    offers = [offer(prices=prices) for prices in considered]
    attempt = Attempt(offers[0], 0.0)
    attempt.see([Facts({"service_tier": word}), usage])
    attempt.end(1.0, None, ask())
    tariff = Tariff(rates=highest_of(offers))
    return attempt.cost.total, tariff.charge(attempt).total


def test_a_long_prompt_is_charged_by_the_prices_of_long_prompts():
    usage = Usage(300_000, 1_000, 301_000)
    assert charged(usage, SHORT) == (765_000_000_000, 765_000_000_000)
    assert charged(usage, SHORT, FLAT) == (765_000_000_000, 765_000_000_000)
    short = Usage(100_000, 1_000, 101_000)
    assert charged(short, SHORT, FLAT) == (135_000_000_000, 210_000_000_000)


def test_a_long_prompt_at_priority_is_charged_the_highest_price_of_both():
    usage = Usage(300_000, 1_000, 301_000)
    due = 300_000 * 5_000_000 + 1_000 * 30_000_000
    assert charged(usage, STEPPED, FLAT, word="priority") == (due, due)
    dear = Prices(input=7_000_000, output=8_000_000)
    assert charged(usage, STEPPED, dear, word="priority")[1] == due + 300_000 * 2_000_000
    assert charged(usage, STEPPED, FLAT, word="default")[1] == 765_000_000_000


def test_what_is_dearer_than_the_highest_price_keeps_its_own():
    drawing = Prices(input=1, output=10, cache_read=0, image_output=100, cache_write=2)
    usage = Usage(50, 20, 70, cached=20, cache_write=10, image_output=15)
    assert charged(usage, drawing, Prices(input=1, output=30)) == (
        20 + 20 + 5 * 10 + 15 * 100,
        40 + 20 + 5 * 30 + 15 * 100,
    )


def test_the_highest_prices_have_a_step_wherever_one_of_them_has():
    other = Prices(input=4, output=4, long_from=150, longer=Prices(input=1, output=9))
    one = Prices(input=2, output=2, long_from=100, longer=Prices(input=5, output=5))
    highest = highest_of([offer(prices=one), offer(prices=other)])
    assert highest is not None
    assert [highest.at(prompt)[:2] for prompt in (100, 101, 150, 151)] == [
        (4, 4), (5, 5), (5, 5), (5, 9),
    ]  # fmt: skip
    assert highest_of([offer(prices=Prices(input=1))]) is None


@st.composite
def priced(draw: st.DrawFn) -> Prices:
    """Prices with every part, two lengths, and tiers that state some of it."""
    known, held = st.integers(0, 10**6), None
    for above in (None, 40):
        more = {name: draw(PRICE) for name in PARTS}
        held = Prices(draw(known), draw(known), **more, long_from=above, longer=held)
    assert held is not None
    stated = st.dictionaries(st.sampled_from(("input", "output", *PARTS)), known)
    said = st.dictionaries(st.sampled_from((0, 40)), stated)
    tiers = {name: tier_of(held, draw(said)) for name in ("priority", "flex", "ultrafast")}
    return held._replace(tiers=tuple(tiers.items()))


@given(st.lists(priced(), min_size=1, max_size=3), st.data())
def test_no_charge_is_below_the_cost_nor_above_what_was_set_aside(
    prices: list[Prices], data: st.DataObject
) -> None:
    offers = [offer(prices=one) for one in prices]
    words = st.sampled_from([None, "auto", "default", "priority", "flex", "ultrafast"])
    one = ask(output_tokens=data.draw(st.integers(0, 50)))
    one = one._replace(fields={**one.fields, "service_tier": data.draw(words)})
    attempt = Attempt(offers[0], 0.0, asked_of(one, offers[0].upstream))
    attempt.funded = True
    parts = {name: data.draw(st.integers(0, 120)) for name in COUNTS}
    usage = Usage(data.draw(st.integers(0, 90)), data.draw(st.integers(0, 90)), 0, **parts)
    attempt.see([Facts({"service_tier": data.draw(words)})])
    attempt.said = believed(usage, one, offers[0], funded=True)
    attempt.end(1.0, None, one)
    tariff, bounds = Tariff(rates=highest_of(offers)), Bounds(one)
    charge = tariff.charge(attempt)
    assert 0 <= attempt.cost.total <= charge.total
    assert min(charge[:4]) >= 0
    assert charge.total <= (worst_of(one, bounds, offers[0], tariff.prices(offers[0])) or 0)
    assert attempt.cost.total <= (worst_of(one, bounds, offers[0], prices[0]) or 0)


@given(priced(), st.data())
def test_parts_that_cannot_be_never_make_a_cost_negative(prices: Prices, data: st.DataObject):
    parts = {name: data.draw(st.integers(0, 10**4)) for name in COUNTS}
    usage = Usage(data.draw(st.integers(0, 99)), data.draw(st.integers(0, 99)), 0, **parts)
    for tier in ("", "priority", "flex", "unheard-of"):
        cost = cost_of(usage._replace(tier=tier), prices)
        assert min(cost[:4]) >= 0
    assert cost_of(usage, Prices(7, 9)).total == usage.prompt * 7 + usage.completion * 9
