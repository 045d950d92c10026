"""What was observed, as decayed sums on two time scales, and how much of the older is believed.

Sums are kept in forward decay: a new observation weighs 2^(age of the book / half-life), so
adding never touches what was there, and reading multiplies by one factor.
"""

import math
from typing import NamedTuple

MIN_VARIANCE = 1e-4  # of ln(time): one percent; identical samples are not certainty


class Lesson(NamedTuple):
    """What one finished attempt teaches.

    `failed`: weight of a failure that a fallback could absorb, `seen` of one the caller saw.
    `lost`: seconds until the failure was noticed. `start`, `pace`: natural logarithms of the
    seconds to the first token and per output token. `tokens`: output tokens. None: not measured.
    """

    failed: float = 0.0
    seen: float = 0.0
    lost: float = 0.0
    start: float | None = None
    pace: float | None = None
    tokens: float | None = None


class Decay:
    """The two half-lives, in seconds, and the moment from which weights are counted.

    `longest`: seconds after which they are so large that the book must be rebased.
    """

    __slots__ = ("epoch", "fast", "longest", "slow")

    def __init__(self, slow: float, fast: float, epoch: float = 0.0) -> None:
        self.slow = slow
        self.fast = fast
        self.epoch = epoch
        self.longest = 500.0 * min(fast, slow)

    def weights(self, now: float) -> tuple[float, float]:
        """Return what an observation made now weighs (slow, fast)."""
        age = now - self.epoch
        return 2.0 ** (age / self.slow), 2.0 ** (age / self.fast)

    def factors(self, now: float) -> tuple[float, float]:
        """Return what turns the sums (slow, fast) into counts as of now."""
        age = self.epoch - now
        return 2.0 ** (age / self.slow), 2.0 ** (age / self.fast)


_SUMS = (
    "failed", "lost", "n", "pace_n", "pace_x", "pace_xx", "seen",
    "start_n", "start_x", "start_xx", "token_n", "tokens",
)  # fmt: skip


class Sums:
    """Weighted sums of lessons on one time scale.

    `kept`: what stays of the older times with each further one.
    """

    __slots__ = (*_SUMS, "kept")

    def __init__(self, kept: float = 1.0) -> None:
        self.kept = kept
        self.n = self.failed = self.seen = self.lost = 0.0
        self.start_n = self.start_x = self.start_xx = 0.0
        self.pace_n = self.pace_x = self.pace_xx = 0.0
        self.token_n = self.tokens = 0.0

    def add(self, lesson: Lesson, weight: float) -> None:
        """Count one lesson."""
        failed, seen, lost, start, pace, tokens = lesson
        kept = self.kept
        self.n += weight
        if failed or seen:
            self.failed += weight * failed
            self.seen += weight * seen
            self.lost += weight * lost * failed
        if start is not None:
            self.start_n = kept * self.start_n + weight
            self.start_x = kept * self.start_x + weight * start
            self.start_xx = kept * self.start_xx + weight * start * start
        if pace is not None:
            self.pace_n = kept * self.pace_n + weight
            self.pace_x = kept * self.pace_x + weight * pace
            self.pace_xx = kept * self.pace_xx + weight * pace * pace
        if tokens is not None:
            self.token_n += weight
            self.tokens += weight * tokens

    def scale(self, factor: float) -> None:
        """Multiply every sum."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) * factor)

    def copy(self) -> "Sums":
        """Return the same sums, independent of these."""
        twin = Sums(self.kept)
        for name in _SUMS:
            setattr(twin, name, getattr(self, name))
        return twin


class Counts(NamedTuple):
    """Evidence as of one moment, in observations: how many, and what they say.

    Means are of natural logarithms for `start` and `pace`; `*_ss` are sums of squares about them.
    """

    n: float = 0.0
    failed: float = 0.0
    seen: float = 0.0
    lost: float = 0.0
    start_n: float = 0.0
    start: float = 0.0
    start_ss: float = 0.0
    pace_n: float = 0.0
    pace: float = 0.0
    pace_ss: float = 0.0
    token_n: float = 0.0
    tokens: float = 0.0


class Evidence:
    """What is known of one offer, of one upstream, or of one model everywhere.

    `latest`: how many of its times at most the fast scale holds, however many come in its
    half-life: a rush of requests must not bury what the last few of them say.
    """

    __slots__ = ("fast", "slow")

    def __init__(self, latest: float = math.inf) -> None:
        self.slow = Sums()
        self.fast = Sums(1.0 - 1.0 / latest)

    def add(self, lesson: Lesson, weights: tuple[float, float]) -> None:
        """Count one lesson on both time scales; `weights` come from `Decay.weights`."""
        self.slow.add(lesson, weights[0])
        self.fast.add(lesson, weights[1])

    def scale(self, slow: float, fast: float) -> None:
        """Multiply all sums of each time scale."""
        self.slow.scale(slow)
        self.fast.scale(fast)

    def cap(self, attempts: float, factors: tuple[float, float]) -> None:
        """Let what was seen so far count for at most this many attempts; its mean stays."""
        held = self.slow.n * factors[0]
        if held > attempts:
            self.scale(attempts / held, attempts / held)

    def copy(self) -> "Evidence":
        """Return the same evidence, independent of this."""
        twin = Evidence()
        twin.slow, twin.fast = self.slow.copy(), self.fast.copy()
        return twin

    def counts(self, factors: tuple[float, float], disagreement: float, variance: float) -> Counts:
        """Return the evidence as of now, the older part discounted where the newer contradicts.

        `disagreement`: squared standard errors from which on the older part is discounted.
        `variance`: of one ln(time), used for judging differences between means.
        """
        gs, gf = factors
        slow, fast = self.slow, self.fast
        n, failed = fast.n * gf, fast.failed * gf
        old = max(0.0, slow.n * gs - n)
        old_failed = max(0.0, slow.failed * gs - failed)
        trust = _trust(n, failed, old, old_failed, disagreement)
        seen, lost = fast.seen * gf, fast.lost * gf
        start = _blend(
            (slow.start_n * gs, slow.start_x * gs, slow.start_xx * gs),
            (fast.start_n * gf, fast.start_x * gf, fast.start_xx * gf),
            disagreement, variance,
        )  # fmt: skip
        pace = _blend(
            (slow.pace_n * gs, slow.pace_x * gs, slow.pace_xx * gs),
            (fast.pace_n * gf, fast.pace_x * gf, fast.pace_xx * gf),
            disagreement, variance,
        )  # fmt: skip
        return Counts(
            n + trust * old,
            failed + trust * old_failed,
            seen + trust * max(0.0, slow.seen * gs - seen),
            lost + trust * max(0.0, slow.lost * gs - lost),
            *start, *pace,
            slow.token_n * gs, slow.tokens * gs,
        )  # fmt: skip


def _trust(n: float, x: float, old: float, old_x: float, limit: float) -> float:
    """Return how far an older share of failures is believed beside a newer one."""
    if n < MIN_VARIANCE or old < MIN_VARIANCE:
        return 1.0
    pooled = (x + old_x + 0.5) / (n + old + 1.0)
    gap = x / n - old_x / old
    spread = pooled * (1.0 - pooled) * (1.0 / n + 1.0 / old)
    return _belief(gap * gap, limit * spread)


def _belief(gap: float, agreed: float) -> float:
    """Return how far older evidence is believed: wholly up to the agreed gap (both squared)."""
    return (agreed / gap) ** 2 if gap > agreed else 1.0


_Moments = tuple[float, float, float]


def _blend(slow: _Moments, fast: _Moments, limit: float, variance: float) -> _Moments:
    """Return count, mean and squares about it, of newer moments and what is believed of older."""
    n, x, xx = fast
    old = max(0.0, slow[0] - n)
    if old > MIN_VARIANCE:
        trust = 1.0
        if n > MIN_VARIANCE:
            gap = x / n - (slow[1] - x) / old
            spread = variance * (1.0 / n + 1.0 / old)
            trust = _belief(gap * gap, limit * spread)
        n += trust * old
        x += trust * (slow[1] - x)
        xx += trust * (slow[2] - xx)
    if n < MIN_VARIANCE:
        return 0.0, 0.0, 0.0
    mean = x / n
    return n, mean, max(0.0, xx - n * mean * mean)
