"""Where the attempts of one request go: the order, one step after each failure. Pure.

The rules stand at the top of the reliability design: between offers of the asked model fallback
is immediate; before another model is tried, the last offer of the asked one gets its one retry.
"""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from infway.kernel.chat import Offer
from infway.kernel.faults import CONSEQUENCES, Failure, Fault, Rest
from infway.pipeline.budget import RetryBudget
from infway.pipeline.tried import Attempt


@dataclass(frozen=True, slots=True)
class Persistence:
    """How far infway goes for one answer.

    `attempts`: at most so many in all. `backoff_base`, `backoff_cap`: seconds, the bounds of the
    pause before the same offer is tried again. `patience`: the longest Retry-After in seconds
    that is waited for while other models are left; `lone_patience`: where nothing is left.
    `larger_context`: where a prompt is too long, an offer with a larger window is asked.
    `reroute_filtered`: refused contents are tried elsewhere. `hedge`: seconds after which a
    second offer is asked too, or `p95`; None: never. `budget`: what further attempts draw from.
    `rescue`: an answer that breaks off after it has begun is finished by another attempt.
    """

    attempts: int = 3
    backoff_base: float = 0.25
    backoff_cap: float = 5.0
    patience: float = 3.0
    lone_patience: float = 5.0
    larger_context: bool = True
    reroute_filtered: bool = False
    hedge: float | str | None = None
    budget: RetryBudget = field(default_factory=RetryBudget)
    rescue: bool = True


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
        self._always = False

    def resume(self, order: Sequence[Offer], attempts: Sequence[Attempt]) -> None:
        """Stand where the last of these attempts broke off, in the middle of an answer.

        What others say against going on with it is no news to the caller: all of them are asked,
        last those that were asked beside another before and were slower to say something.
        """
        tried = [(one.offer, one.failure.fault) for one in attempts if one.failure is not None]
        self.tries = len(tried)
        slower = {offer.index for offer, fault in tried if fault is Fault.HEDGED}
        tried = [(offer, fault) for offer, fault in tried if fault is not Fault.HEDGED]
        self.offer = tried[-1][0]
        rests = {o.upstream.name for o, fault in tried if CONSEQUENCES[fault].rest is Rest.UPSTREAM}
        done = {offer.index for offer, _ in tried}
        self._left = [offer for offer in order if offer.index not in done]
        self._left.sort(key=lambda offer: (offer.upstream.name in rests, offer.index in slower))
        self._repeats = sum(offer is self.offer for offer, _ in tried) - 1
        self._always = True

    def after(self, failure: Failure, left: float) -> Step | None:
        """Return what follows a failure with `left` seconds to go, None where nothing does."""
        consequence = CONSEQUENCES[failure.fault]
        elsewhere = self._always or consequence.elsewhere or self._goes_on(failure)
        unsent = failure.fault is Fault.UNTRANSLATABLE
        if self.tries - unsent >= self._rules.attempts or left <= 0:
            return None
        if consequence.rest is Rest.UPSTREAM:
            self._leave_upstream()
        step = None
        if elsewhere and self._left and self._is_same_model(self._left[0]):
            step = Step(self._left.pop(0), 0.0, False)
        elif consequence.again or (self._always and failure.fault is Fault.STREAM_CUT):
            step = self._repeat(failure, left)
        if step is None and elsewhere and self._left:
            step = Step(self._left.pop(0), 0.0, False)
        if step is not None:
            self.tries += not unsent
            self._repeats = self._repeats + 1 if step.again else 0
            self.offer = step.offer
        return step

    def leave_out(self, silent: Container[int]) -> None:
        """Ask none of these."""
        self._left = [offer for offer in self._left if offer.index not in silent]

    def has_other(self, shut: Container[int]) -> bool:
        """Tell whether another offer is left that is not in `shut`, and an attempt for it."""
        left = self._left
        return bool(left) and self.tries < self._rules.attempts and left[0].index not in shut

    def pass_over(self, shut: Container[int]) -> bool:
        """Go to the next offer, if one is left that is not in `shut`, and keep this one for the end."""
        if not self.has_other(shut):
            return False
        self._left.append(self.offer)
        self.offer = self._left.pop(0)
        return True

    def has_beside(self, shut: Container[int]) -> bool:
        """Tell whether another offer of the same model could be asked beside this one."""
        return self.has_other(shut) and self._is_same_model(self._left[0])

    def beside(self) -> Offer:
        """Take the next offer, to be asked beside this one."""
        self.tries += 1
        return self._left.pop(0)

    def _goes_on(self, failure: Failure) -> bool:
        """Tell whether another offer is tried although the fault table says otherwise."""
        if failure.fault is Fault.CONTEXT_LENGTH and self._rules.larger_context:
            self._left = [offer for offer in self._left if _is_larger(offer, self.offer)]
            return True
        if failure.fault is Fault.CONTENT_FILTER and self._rules.reroute_filtered:
            return True
        return failure.status in self._anyway

    def _is_same_model(self, other: Offer) -> bool:
        return self._open_model or other.model == self.offer.model

    def _leave_upstream(self) -> None:
        """The credential is the trouble: what else stands behind it comes last."""
        self._left.sort(key=lambda offer: offer.upstream.name == self.offer.upstream.name)

    def _repeat(self, failure: Failure, left: float) -> Step | None:
        if failure.fault is Fault.PREFILL_REFUSED:
            return Step(self.offer, 0.0, True)  # it is asked in another way, once
        limited = failure.fault is Fault.RATE_LIMITED
        if self._repeats >= (2 if limited and not self._left else 1):
            return None
        if failure.retry_after is not None:
            longest = self._rules.patience if self._left else self._rules.lone_patience
            pause = failure.retry_after
            return Step(self.offer, pause, True) if pause <= min(longest, left) else None
        if limited and self._left:
            return None
        highest = min(self._rules.backoff_cap, self._rules.backoff_base * 2**self._repeats)
        pause = self._chance.uniform(0, highest)
        return Step(self.offer, pause, True) if pause < left else None


def _is_larger(other: Offer, offer: Offer) -> bool:
    """Tell whether an offer is known to take longer prompts than one that has refused a prompt."""
    return other.context is not None and (offer.context is None or other.context > offer.context)
