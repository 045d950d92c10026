"""The formula: its loops agree with its words, and its order has the promised properties."""

from dataclasses import dataclass
from itertools import pairwise
from math import exp, inf, isclose, lgamma, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infway.ims.draws import Draws, beta
from infway.ims.evidence import Counts
from infway.ims.posterior import LIKELIEST, Belief, View, view
from infway.ims.score import (
    Deviates,
    Rate,
    Scale,
    Work,
    drawn,
    forecast,
    parts,
    plans,
    steady,
)
from infway.ims.tuning import Strength

SCALE = Scale(1.0, 0.25, 0.25, 2.0, 8.0, 1.0, 0.05, 0.25)
FLOORLESS = SCALE._replace(floor_start=0.0, floor_end=0.0)
WORK = Work(1000, inf)
NEARLY = 1e-9


@dataclass(frozen=True)
class Case:
    """One offer, by the numbers the score reads."""

    rate: Rate
    view: View


def made(
    price: float, start: float, pace: float, failure: float, seen: float, delay: float
) -> Case:
    blank = view(
        Counts(n=10.0, failed=10.0 * failure),
        Belief(failure, seen, delay, log(start), log(pace), 250.0),
        Strength(),
        0.5,
    )
    return Case(Rate(price, price * 4, 0.0, 0.0), blank._replace(seen=seen, delay=delay))


cases = st.builds(
    made,
    st.floats(1e-8, 1e-4),
    st.floats(0.05, 20.0),
    st.floats(0.002, 0.2),
    st.floats(0.0, 0.49),
    st.floats(0.0, 0.2),
    st.floats(0.01, 60.0),
)
fields = st.lists(cases, min_size=2, max_size=9)


def valued(field: list[Case], scale: Scale = SCALE) -> list[tuple[float, int]]:
    rates, views = [c.rate for c in field], [c.view for c in field]
    return plans(steady(range(len(field)), rates, views, WORK, scale), scale)


def places(field: list[Case], scale: Scale = SCALE) -> list[int]:
    return [place for _, place in valued(field, scale)]


def agree(one: list[tuple[float, int]], other: list[tuple[float, int]]) -> bool:
    """Tell whether two orders are the same, where values differ by more than rounding."""
    value = {place: v for v, place in one}
    order = [value[place] for _, place in other]
    return all(a <= b + NEARLY for a, b in pairwise(order))


@given(fields)
def test_the_value_of_a_plan_is_the_formula(field: list[Case]) -> None:
    rows = steady(range(len(field)), [c.rate for c in field], [c.view for c in field], WORK, SCALE)
    expected = {}
    for own, place, j, _, _, p, d in rows:
        behind = min(
            theirs + SCALE.start * log(1 + d / start) + SCALE.end * log(1 + d / end)
            for theirs, other, _, start, end, _, _ in rows
            if other != place
        )
        expected[place] = own + p * max(0.0, behind - j)
    for value, place in plans(list(rows), SCALE):
        assert isclose(value, expected[place], abs_tol=NEARLY)


@given(fields, st.integers(0, 8191))
def test_the_loops_agree_bit_for_bit_with_the_formula_in_plain_words(
    field: list[Case], draw: int
) -> None:
    rates, views = [c.rate for c in field], [c.view for c in field]
    window = Draws().window(draw, len(field)) if draw % 2 else None
    everywhere = range(len(field))
    rows = (
        steady(everywhere, rates, views, WORK, SCALE)
        if window is None
        else drawn(everywhere, rates, views, window, WORK, SCALE)
    )
    for own, place, j, start, end, p, _ in rows:
        three = None if window is None else Deviates(*(column[place] for column in window))
        guess = forecast(rates[place], views[place], WORK, three)
        weighted = parts(rates[place], guess, SCALE)
        assert guess.failure == p
        assert guess.start + SCALE.floor_start == start
        assert guess.end + SCALE.floor_end == end
        assert isclose(sum(weighted), own, abs_tol=NEARLY)
        assert isclose(sum(weighted[:4]), j, abs_tol=NEARLY)


@given(fields, st.floats(0.01, 100.0))
def test_scaling_every_price_changes_no_order(field: list[Case], factor: float) -> None:
    dearer = [
        Case(c.rate._replace(input=c.rate.input * factor, output=c.rate.output * factor), c.view)
        for c in field
    ]
    assert agree(valued(field), valued(dearer))


@given(fields, st.floats(0.01, 100.0))
def test_scaling_every_latency_changes_no_order(field: list[Case], factor: float) -> None:
    slower = [
        Case(
            c.rate,
            c.view._replace(
                start=c.view.start * factor,
                pace=c.view.pace * factor,
                delay=c.view.delay * factor,
            ),
        )
        for c in field
    ]
    assert agree(valued(field, FLOORLESS), valued(slower, FLOORLESS))


@given(fields)
def test_a_hopeless_offer_changes_no_order(field: list[Case]) -> None:
    worst = made(1.0, 500.0, 5.0, 0.49, 0.5, 60.0)
    assert [p for p in places([*field, worst]) if p < len(field)] == places(field)


IMPROVEMENTS = ("input", "output", "start", "pace", "load", "failure", "seen", "delay")


@given(fields, st.data(), st.sampled_from(IMPROVEMENTS), st.floats(0.0, 0.999))
def test_an_offer_made_better_in_any_way_never_moves_down(
    field: list[Case], data: st.DataObject, better: str, factor: float
) -> None:
    chosen = data.draw(st.integers(0, len(field) - 1))
    loaded = [Case(c.rate, c.view._replace(load=1.5)) for c in field]
    rate, seen = loaded[chosen].rate, loaded[chosen].view
    if better in ("input", "output"):
        improved = Case(rate._replace(**{better: getattr(rate, better) * factor + 1e-9}), seen)
    elif better == "load":
        improved = Case(rate, seen._replace(load=1.0 + 0.5 * factor))
    else:
        improved = Case(rate, seen._replace(**{better: getattr(seen, better) * max(factor, 1e-3)}))
    before, after = valued(loaded), valued([*loaded[:chosen], improved, *loaded[chosen + 1 :]])
    ahead = {place for value, place in before[: [p for _, p in before].index(chosen)]}
    own = next(value for value, place in after if place == chosen)
    newly = [v for v, place in after if place not in ahead and place != chosen and v < own]
    assert all(own - value < NEARLY for value in newly)


def test_a_cheap_offer_that_fails_fast_now_and_then_comes_first() -> None:
    cheap, dear = made(0.8e-6, 0.5, 0.02, 0.08, 0.0, 0.05), made(1e-6, 0.5, 0.02, 0.001, 0.0, 1.0)
    assert places([cheap, dear]) == [0, 1]


def test_the_same_offer_comes_second_when_its_failures_hang() -> None:
    hangs, dear = made(0.8e-6, 0.5, 0.02, 0.08, 0.0, 60.0), made(1e-6, 0.5, 0.02, 0.001, 0.0, 1.0)
    assert places([hangs, dear]) == [1, 0]


def test_visible_failures_weigh_more_than_absorbed_ones() -> None:
    absorbed, seen = made(1e-6, 0.5, 0.02, 0.05, 0, 0.1), made(1e-6, 0.5, 0.02, 0, 0.05, 0.1)
    assert places([seen, absorbed]) == [1, 0]


def test_failing_is_never_counted_as_a_gain() -> None:
    """A dear offer that always fails does not come before a dear one that works."""
    good = made(1e-7, 0.5, 0.02, 0.0, 0.0, 0.1)
    broken, works = made(1e-4, 0.5, 0.02, 0.49, 0.0, 0.0), made(1e-4, 0.5, 0.02, 0.0, 0.0, 0.0)
    assert places([broken, good, works]) == [1, 2, 0]


def test_no_offer_is_thought_likelier_to_fail_than_to_work() -> None:
    hopeless = view(Counts(n=1e6, failed=1e6), Belief(0.9, 0, 1, 0, 0, 1), Strength(), 0.5)
    assert hopeless.failure == LIKELIEST


def test_a_free_local_offer_has_a_finite_value_and_comes_first() -> None:
    floor = 0.02e-6
    free, paid = made(floor, 0.5, 0.02, 0, 0, 1), made(floor + 1e-7, 0.5, 0.02, 0, 0, 1)
    assert places([paid, free]) == [1, 0]
    assert all(abs(value) < 1e6 for value, _ in valued([free, paid]))


@pytest.mark.parametrize("a", [0.1, 0.5, 1.0, 4.0, 40.0])
@pytest.mark.parametrize("b", [50.0, 200.0])
def test_the_fast_beta_draw_has_the_mean_and_the_tail_of_a_beta(a: float, b: float) -> None:
    zs = Draws().window(0, 4096)[0] + Draws().window(4096, 4096)[0]
    fast = sorted(beta(a, b, z) for z in zs)
    mean = a / (a + b)
    assert isclose(sum(fast) / len(fast), mean, rel_tol=0.25 if a < 0.5 else 0.05)
    rare = sum(p > 2 * mean for p in fast) / len(fast)
    assert isclose(rare, _beta_tail(a, b, 2 * mean), abs_tol=0.03)


def _beta_tail(a: float, b: float, above: float) -> float:
    """Integrate the density of a Beta from `above` to 1; above 0 it is smooth."""
    steps = 20_000
    width = (1.0 - above) / steps
    points = (above + (step + 0.5) * width for step in range(steps))
    norm = lgamma(a + b) - lgamma(a) - lgamma(b)
    return sum(exp(norm + (a - 1) * log(x) + (b - 1) * log(1 - x)) for x in points) * width


def test_the_table_of_deviates_is_normal() -> None:
    zs = Draws().window(0, 4096)[0] + Draws().window(4096, 4096)[0]
    assert abs(sum(zs)) < 1e-6
    assert isclose(sum(z * z for z in zs) / len(zs), 1.0, rel_tol=0.01)


def test_every_offer_gets_a_deviate_of_its_own_wherever_the_table_is_opened() -> None:
    assert [len(column) for column in Draws().window(8191, 4096)] == [4096, 4096, 4096]
