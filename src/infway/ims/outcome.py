"""How one attempt ended, and what that teaches about the offer it was made to."""

import math
from typing import NamedTuple

from infway.ims.evidence import Lesson
from infway.kernel.faults import CONSEQUENCES, Fault

SHORTEST = 1e-4  # seconds; a time of zero has no logarithm
WHOLE = 0.95  # a first token this late in its reply's time came together with all the others
MANY_TOKENS = 8  # below, a speed says more about rounding than about the upstream


class Headers(NamedTuple):
    """What an upstream's rate-limit headers left: requests, or requests' worth of tokens.

    `reset`: seconds until the allowance is full again.
    """

    remaining: float
    reset: float


class Outcome(NamedTuple):
    """How one attempt ended. Times in seconds from its dispatch; None where not reached or unknown.

    `visible`: the caller saw the failure. `retry_after`: seconds, from the upstream. `probe`: it
    decided about a breaker that was not closed.
    """

    fault: Fault | None = None
    start: float | None = None
    end: float | None = None
    output_tokens: int | None = None
    input_tokens: int = 0
    retry_after: float | None = None
    visible: bool = False
    limits: Headers | None = None
    probe: bool = False


def lesson(outcome: Outcome, believed_start: float) -> Lesson | None:
    """Return what an outcome teaches, or None where it says nothing about the upstream.

    `believed_start`: seconds to the first token as believed so far, for replies that came whole.
    """
    if outcome.fault is None:
        return _success(outcome, believed_start)
    consequence = CONSEQUENCES[outcome.fault]
    if not consequence.weight:
        return None
    # a failure before the first token is absorbed wherever something is left to fall back on;
    # that nothing was left this time says nothing about the upstream
    begun = outcome.start is not None or not consequence.elsewhere
    weight = consequence.weight
    if outcome.visible and begun:
        return Lesson(seen=weight, start=_log(outcome.start))
    return Lesson(failed=weight, lost=outcome.end or 0.0, start=_log(outcome.start))


def _success(outcome: Outcome, believed_start: float) -> Lesson:
    start, end, tokens = outcome.start, outcome.end, outcome.output_tokens
    if start is None or end is None:
        return Lesson(start=_log(start), tokens=_count(tokens))
    if tokens is None or tokens < MANY_TOKENS:
        return Lesson(start=_log(start), tokens=_count(tokens))
    whole = start >= WHOLE * end
    first = min(believed_start, end / 2.0) if whole else start
    pace = math.log(max(SHORTEST, end - first) / tokens)
    return Lesson(start=None if whole else _log(start), pace=pace, tokens=float(tokens))


def _log(seconds: float | None) -> float | None:
    return None if seconds is None else math.log(max(SHORTEST, seconds))


def _count(tokens: int | None) -> float | None:
    return None if tokens is None else float(tokens)
