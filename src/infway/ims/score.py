"""The value of a plan: try an offer first, with the best of the others behind it.

Lowest is best. The formulas are those of the design (ims, section 3).

`steady` and `drawn` are the inner loop, once with means and once with draws; `forecast` says the
same for one offer in plain words, for explanations, and is tested to agree bit for bit.
"""

from collections.abc import Iterable, Sequence
from math import exp, log
from typing import NamedTuple

from infway.ims.draws import beta
from infway.ims.posterior import LIKELIEST, View

INFINITE = float("inf")


class Rate(NamedTuple):
    """What an offer costs, in USD per token, the floor already added; and its ln(quality).

    `cache_saving`: USD saved per input token that is read from the prompt cache.
    """

    input: float
    output: float
    quality: float
    cache_saving: float


class Scale(NamedTuple):
    """Weights and floors of one request. `seen`, `absorbed`: what a failure costs. Seconds."""

    price: float
    start: float
    end: float
    quality: float
    seen: float
    absorbed: float
    floor_start: float
    floor_end: float


class Work(NamedTuple):
    """The size of a request: input tokens, and the most output tokens it can have."""

    input: int
    limit: float


Window = tuple[Sequence[float], Sequence[float], Sequence[float]]
"""Standard normal deviates, one per offer: of first-token time, of pace, of failure."""

Row = tuple[float, int, float, float, float, float, float]
"""One offer's value on its own, as a plain tuple, since it is the hottest object there is:
own, place, J, start, end, p, d. `own` is J and what its failures cost; `place` is in the field,
and breaks ties; `start` and `end` are seconds with their floors; `d` is in seconds."""


class Deviates(NamedTuple):
    """The three standard normal deviates that one offer was drawn with."""

    start: float
    pace: float
    failure: float


class Forecast(NamedTuple):
    """What is predicted of one offer for one request.

    `cost`: USD, with the floor. `start`, `end`: seconds. `failure`, `seen`: probabilities.
    `output`: tokens.
    """

    cost: float
    start: float
    end: float
    failure: float
    seen: float
    output: float


class Parts(NamedTuple):
    """The weighted parts of an offer's own value, in units of ln(price) at weight 1."""

    price: float
    start: float
    end: float
    quality: float
    error: float


def steady(
    places: Iterable[int],
    rates: Iterable[Rate],
    views: Iterable[View],
    work: Work,
    scale: Scale,
) -> list[Row]:
    """Return the standing of every offer by the means of what is believed."""
    w_price, w_start, w_end, w_quality, seen, absorbed, s0, e0 = scale
    tokens, limit = work
    rows: list[Row] = []
    for place, (c_in, c_out, good, _), view in zip(places, rates, views, strict=True):
        start, pace, load, out, p, q, d, _, _, _, _, _, _, _, _, _ = view
        out = out if out < limit else limit  # noqa: FURB136 - min() costs three times as much
        end = (start + out * pace) * load + e0
        start += s0
        j = w_price * log(tokens * c_in + out * c_out) + w_start * log(start)
        j += w_end * log(end) - w_quality * good
        rows.append((j + seen * q + absorbed * p, place, j, start, end, p, d))
    return rows


def drawn(
    places: Iterable[int],
    rates: Iterable[Rate],
    views: Iterable[View],
    deviates: Window,
    work: Work,
    scale: Scale,
) -> list[Row]:
    """Return the standing of every offer by one draw from what is believed (Thompson)."""
    w_price, w_start, w_end, w_quality, seen, absorbed, s0, e0 = scale
    tokens, limit = work
    rows: list[Row] = []
    for place, (c_in, c_out, good, _), view, z, y, x in zip(
        places, rates, views, *deviates, strict=True
    ):
        start, pace, load, out, _, q, d, start_sd, pace_sd, a, b, cube_mean, cube_sd, _, _, _ = view
        cube = cube_mean + cube_sd * x  # draws.beta, written out
        p = 0.0
        if cube > 0.0:
            gamma = a * cube * cube * cube
            p = gamma / (gamma + b)
            p = p if p < LIKELIEST else LIKELIEST  # noqa: FURB136 - as above
        out = out if out < limit else limit  # noqa: FURB136 - min() costs three times as much
        start *= exp(start_sd * z)
        end = (start + out * (pace * exp(pace_sd * y))) * load + e0
        start += s0
        j = w_price * log(tokens * c_in + out * c_out) + w_start * log(start)
        j += w_end * log(end) - w_quality * good
        rows.append((j + seen * q + absorbed * p, place, j, start, end, p, d))
    return rows


def plans(rows: list[Row], scale: Scale) -> list[tuple[float, int]]:
    """Return (V, place) of every offer, best first: the value of trying it before the others.

    V_i = own_i + p_i * max(0, behind_i - J_i), where behind_i is the best that can stand behind
    i: the least own_j with start and end later by d_i. Failing is never counted as a gain.
    Sorts `rows` by their own value. Where nothing has failed yet every d is the prior's: what can
    stand behind is worked out once for each different d.
    """
    rows.sort()
    w_start, w_end = scale.start, scale.end
    valued: list[tuple[float, int]] = []
    best = second = INFINITE
    delay, whose = -1.0, -1
    for own, place, j, _, _, p, d in rows:
        if d != delay:
            best = second = INFINITE
            delay, whose = d, -1
            for theirs, other, _, start, end, _, _ in rows:
                if theirs >= second:
                    break
                late = theirs + w_start * log(1.0 + d / start) + w_end * log(1.0 + d / end)
                if late < best:
                    best, second, whose = late, best, other
                elif late < second:
                    second = late
        behind = second if whose == place else best
        valued.append((own + p * (behind - j) if j < behind < INFINITE else own, place))
    valued.sort()
    return valued


def forecast(rate: Rate, view: View, work: Work, deviates: Deviates | None) -> Forecast:
    """Return what the loops predict of one offer, the floors left out."""
    start, pace, failure = view.start, view.pace, view.failure
    if deviates is not None:
        start *= exp(view.start_sd * deviates.start)
        pace *= exp(view.pace_sd * deviates.pace)
        failure = min(LIKELIEST, beta(view.a, view.b, deviates.failure))
    output = min(view.output, work.limit)
    cost = work.input * rate.input + output * rate.output
    end = (start + output * pace) * view.load
    return Forecast(cost, start, end, failure, view.seen, output)


def parts(rate: Rate, guess: Forecast, scale: Scale) -> Parts:
    """Return the weighted parts that add up to an offer's own value."""
    return Parts(
        scale.price * log(guess.cost),
        scale.start * log(guess.start + scale.floor_start),
        scale.end * log(guess.end + scale.floor_end),
        -scale.quality * rate.quality,
        scale.seen * guess.seen + scale.absorbed * guess.failure,
    )
