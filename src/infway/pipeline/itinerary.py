"""Where the attempts of one request go: the order, one step after each failure. Pure.

The rules stand at the top of the reliability design: between offers of the asked model fallback
is immediate; before another model is tried, the last offer of the asked one gets its one retry.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from infway.kernel.chat import Offer
from infway.kernel.faults import CONSEQUENCES, Failure, Fault, Rest


@dataclass(frozen=True, slots=True)
class Persistence:
    """How far infway goes for one answer.

    `attempts`: at most so many in all. `backoff_base`, `backoff_cap`: seconds, the bounds of the
    pause before the same offer is tried again. `patience`: the longest Retry-After in seconds
    that is waited for while other models are left; `lone_patience`: where nothing is left.
    `retry_share`, `retry_floor`: how many requests may be in a retry at once, see RetryBudget.
    """

    attempts: int = 3
    backoff_base: float = 0.25
    backoff_cap: float = 5.0
    patience: float = 3.0
    lone_patience: float = 5.0
    retry_share: float = 0.2
    retry_floor: int = 3


class Step(NamedTuple):
    """The next attempt: which offer, after how many seconds, and whether it is the same again."""

    offer: Offer
    pause: float
    again: bool


class Itinerary:
    """The walk of one request down its order.

    `anyway`: statuses of an upstream after which another offer is tried although the fault table
    says that the caller should hear of them.
    """

    def __init__(
        self,
        order: Sequence[Offer],
        rules: Persistence,
        chance: Random,
        *,
        open_model: bool,
        anyway: Iterable[int] = (),
    ) -> None:
        self._left = list(order[1:])
        self.offer = order[0]
        self._open_model = open_model
        self._anyway = frozenset(anyway)
        self._rules = rules
        self._chance = chance
        self.tries = 1
        self._repeats = 0

    def after(self, failure: Failure, left: float) -> Step | None:
        """Return what follows a failure with `left` seconds to go, None where nothing does."""
        consequence = CONSEQUENCES[failure.fault]
        elsewhere = consequence.elsewhere or failure.status in self._anyway
        unsent = failure.fault is Fault.UNTRANSLATABLE
        if self.tries - unsent >= self._rules.attempts or left <= 0:
            return None
        if consequence.rest is Rest.UPSTREAM:
            self._leave_upstream()
        step = None
        if elsewhere and self._left and self._is_same_model(self._left[0]):
            step = Step(self._left.pop(0), 0.0, False)
        elif consequence.again:
            step = self._repeat(failure, left)
        if step is None and elsewhere and self._left:
            step = Step(self._left.pop(0), 0.0, False)
        if step is not None:
            self.tries += not unsent
            self._repeats = self._repeats + 1 if step.again else 0
            self.offer = step.offer
        return step

    def _is_same_model(self, other: Offer) -> bool:
        return self._open_model or other.model == self.offer.model

    def _leave_upstream(self) -> None:
        """The credential is the trouble: what else stands behind it comes last."""
        self._left.sort(key=lambda offer: offer.upstream.name == self.offer.upstream.name)

    def _repeat(self, failure: Failure, left: float) -> Step | None:
        limited = failure.fault is Fault.RATE_LIMITED
        if self._repeats >= (2 if limited and not self._left else 1):
            return None
        if limited and failure.retry_after is not None:
            longest = self._rules.patience if self._left else self._rules.lone_patience
            pause = failure.retry_after
            return Step(self.offer, pause, True) if pause <= min(longest, left) else None
        if limited and self._left:
            return None
        highest = min(self._rules.backoff_cap, self._rules.backoff_base * 2**self._repeats)
        pause = self._chance.uniform(0, highest)
        return Step(self.offer, pause, True) if pause < left else None


class RetryBudget:
    """Keeps retries from multiplying load: a share of the requests in flight, and a floor."""

    def __init__(self, share: float = 0.2, floor: int = 3) -> None:
        self._share = share
        self._floor = floor
        self.active = 0
        self.retrying = 0

    def allows(self) -> bool:
        """Tell whether one more request may be in a retry now."""
        return self.retrying < max(self._floor, self._share * self.active)
