"""From evidence to belief: shrinkage along the chain default, peers, upstream, offer.

An offer with little evidence is believed to be like the others at its upstream, and those like
the other offers of the same model; its own evidence outweighs them as it grows.
"""

import math
from typing import NamedTuple

from infway.ims.evidence import Counts
from infway.ims.tuning import Prior, Strength

LIKELIEST = 0.5
"""No offer counts as more likely to fail than this before its first token.

What fails more often is the breaker's business. It is also what makes the order monotone: with
p_i + p_k <= 1, improving k cannot help the plan "i, then k" more than it helps "k first".
"""


class Belief(NamedTuple):
    """Means of what is believed: probabilities, seconds, ln(seconds), ln(seconds), tokens."""

    failure: float
    seen: float
    delay: float
    start: float
    pace: float
    output: float


class View(NamedTuple):
    """What the score reads of one offer; immutable, so that a decision can keep it.

    `start`: seconds to the first token, its median. `pace`: seconds per output token. `load`:
    how much slower for what is in flight, >= 1. `output`: tokens of a reply. `failure`, `seen`:
    probabilities; `delay`: seconds until a failure is noticed. `start_sd`, `pace_sd`: of the
    logarithms. `a`, `b`: the Beta posterior of failure; `cube_mean`, `cube_sd` draw from it.
    `attempts`: the decayed count behind all this. `tripped`: its breaker is not closed.
    """

    start: float
    pace: float
    load: float
    output: float
    failure: float
    seen: float
    delay: float
    start_sd: float
    pace_sd: float
    a: float
    b: float
    cube_mean: float
    cube_sd: float
    attempts: float
    in_flight: int
    tripped: bool


def default(prior: Prior) -> Belief:
    """Return what is believed where there is no evidence at all."""
    return Belief(
        failure=prior.failure,
        seen=prior.seen,
        delay=prior.delay,
        start=math.log(prior.start),
        pace=-math.log(prior.speed),
        output=prior.output,
    )


def shrink(counts: Counts, prior: Belief, strength: Strength) -> Belief:
    """Return the belief after the evidence of a pool, which counts for `strength.pool` at most."""
    k, most = strength.pool, strength.pool
    attempts, failed, seen, lost = counts[:4]
    share = min(1.0, most / attempts) if attempts else 0.0
    weight = attempts * share + k
    failures = failed * share
    starts, paces = min(counts.start_n, most), min(counts.pace_n, most)
    return Belief(
        failure=(failures + k * prior.failure) / weight,
        seen=(seen * share + k * prior.seen) / weight,
        delay=(lost * share + prior.delay) / (failures + 1.0),
        start=(starts * counts.start + strength.times * prior.start) / (starts + strength.times),
        pace=(paces * counts.pace + strength.times * prior.pace) / (paces + strength.times),
        output=(counts.tokens + prior.output) / (counts.token_n + 1.0),
    )


def view(counts: Counts, prior: Belief, strength: Strength, spread: float) -> View:
    """Return the posterior of one offer, from its own evidence and the belief about its like."""
    k = strength.counts
    a = max(1e-6, counts.failed + k * prior.failure)
    b = max(1e-6, max(0.0, counts.n - counts.failed) + k * (1.0 - prior.failure))
    start, start_sd = _normal(
        counts.start_n, counts.start, counts.start_ss, prior.start, strength.times, spread
    )
    pace, pace_sd = _normal(
        counts.pace_n, counts.pace, counts.pace_ss, prior.pace, strength.times, spread
    )
    return View(
        start=math.exp(start),
        pace=math.exp(pace),
        load=1.0,
        output=prior.output,
        failure=min(LIKELIEST, a / (a + b)),
        seen=(counts.seen + k * prior.seen) / (counts.n + k),
        delay=(counts.lost + prior.delay) / (counts.failed + 1.0),
        start_sd=start_sd,
        pace_sd=pace_sd,
        a=a,
        b=b,
        cube_mean=1.0 - 1.0 / (9.0 * a),
        cube_sd=1.0 / (3.0 * math.sqrt(a)),
        attempts=counts.n,
        in_flight=0,
        tripped=False,
    )  # fmt: skip


def _normal(
    n: float, mean: float, squares: float, prior: float, strength: float, spread: float
) -> tuple[float, float]:
    """Return mean and standard deviation of the posterior of a mean of logarithms."""
    weight = n + strength
    variance = (squares + strength * spread * spread) / weight
    return (n * mean + strength * prior) / weight, math.sqrt(variance / weight)
