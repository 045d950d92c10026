"""The only loop over upstreams: attempts, retries, fallback and their deadlines.

Commits late: a reply is handed on with its first event, and until then any fault may fall back.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Generic, TypeVar

from infway.ims.outcome import Headers, Outcome
from infway.ims.trial import Silence
from infway.ims.unmet import all_silent
from infway.kernel.chat import ChatRequest, Offer
from infway.kernel.errors import UpstreamError, UpstreamFailed, leaving
from infway.kernel.faults import CONSEQUENCES, Blame, Failure, Fault
from infway.pipeline.course import Course
from infway.pipeline.itinerary import Itinerary, Persistence, Step
from infway.pipeline.probing import reserve
from infway.pipeline.sanity import believed
from infway.pipeline.stall import Deadline
from infway.pipeline.tiers import asked_of
from infway.pipeline.tried import Attempt, trail
from infway.upstream.client import HALF_A_HEAD, Client

_BUSY = (Fault.RATE_LIMITED, Fault.OVERLOADED)
_GUESS = 1.0  # seconds until a limit may be over of which the upstream says no more
_PLAIN = 1024  # tokens of a prompt or an answer that nobody wonders at
_LEVELS = {
    Blame.UPSTREAM: logging.WARNING,
    Blame.OPERATOR: logging.WARNING,
    Blame.CALLER: logging.INFO,
    Blame.NOBODY: logging.DEBUG,
}
_log = logging.getLogger(__name__)

_T = TypeVar("_T")
Ended = Callable[[Attempt, Failure | None], None]


class Walk(ABC, Generic[_T]):
    """Walks a decision's order until an offer answers; what an answer is, its kinds know.

    `active`: how many requests wait for their reply to begin.
    """

    def __init__(
        self, client: Client, now: Callable[[], float], persistence: Persistence, chance: Random
    ) -> None:
        self._client = client
        self._now = now
        self._persistence = persistence
        self._budget = persistence.budget
        self._chance = chance
        self.active = 0

    @property
    def rescues(self) -> bool:
        """Whether answers that break off are finished elsewhere."""
        return self._persistence.rescue

    @property
    def most(self) -> int:
        """How many attempts one request has at most."""
        return self._persistence.attempts

    async def first_reply(
        self, course: Course, order: Sequence[Offer], failure: Failure | None = None
    ) -> _T:
        """Return the next reply that begins; raises GatewayError. `failure`: how the last broke off."""
        offers = (
            self._speaking(course, order) if failure is None and course.decision.shut else order
        )
        is_open, anyway = course.decision.ground.chosen.open, course.ask.selection.fallback_statuses
        itinerary = Itinerary(
            offers, self._persistence, self._chance, open_model=is_open, anyway=anyway
        )
        deadline = course.decision.at + itinerary.offer.upstream.timeouts.total
        if failure is not None:
            itinerary.resume(order, course.settlement.attempts)
        if course.decision.at >= self._budget.until:
            self._budget.turn(course.decision.at)
        self._budget.begun += failure is None
        self.active += 1
        told: Failure | None = None
        try:
            while True:
                if failure is None:
                    if course.router.probing is not None:
                        await reserve(course, itinerary, self._now)
                    try:
                        return await (
                            self._hurried(course, itinerary, deadline)
                            if course.ask.stream
                            else self._try(course, itinerary.offer, deadline)
                        )
                    except UpstreamFailed as failed:
                        failure = failed.failure
                told, tried = _news(told, failure), itinerary.tries
                step = self._step(course, itinerary, failure, deadline)
                if step is None or not await self._pause(course, step):
                    raise self._refusal(told, course, tried)
                failure = None
        finally:
            self.active -= 1

    def _speaking(self, course: Course, order: Sequence[Offer]) -> list[Offer]:
        """Return the order without what fell silent and is not to be tried now, if any is left."""
        silence = self._silence(course)
        out = silence.left_out()
        rest = [offer for offer in order if offer.index not in out]
        if not rest:
            raise all_silent(silence.reopens())
        return rest

    def _silence(self, course: Course) -> Silence:
        slots, pause = course.router.health.slots, course.router.tuning.trip.pause
        return Silence(course.decision.order, slots, self._now(), pause)

    def _step(
        self, course: Course, itinerary: Itinerary, failure: Failure, deadline: float
    ) -> Step | None:
        """Return the next step within the budget of all requests, None where there is none."""
        now = self._now()
        itinerary.leave_out(self._silence(course).left_out())
        step = itinerary.after(failure, deadline - now)
        if step is None:
            return None
        if step.again or step.offer.index in course.decision.shut:
            return step if self._budget.allows(now) else None
        self._budget.retried += failure.fault is not Fault.UNTRANSLATABLE
        return step

    async def _pause(self, course: Course, step: Step) -> bool:
        """Wait as a step says; return whether to take it, which has to be paid for.

        A request of the queue leaves an offer that is shut to those that wait for it.
        """
        settlement = course.settlement
        funding = settlement.funding
        if funding is not None and not await funding.secures(settlement.attempts, step.offer):
            return False
        slot = None if course.ask.place is None else course.router.health.slots[step.offer.index]
        if slot is not None and slot.closed(self._now()):
            return False
        if step.pause:
            await asyncio.sleep(step.pause)
        return slot is None or not slot.closed(self._now())

    def _hurried(self, course: Course, itinerary: Itinerary, deadline: float) -> Awaitable[_T]:
        """Try for a stream, which has less time to begin while another offer is left."""
        offer = itinerary.offer
        if not itinerary.has_other(course.decision.shut):
            return self._try(course, offer, deadline)
        slot = course.router.health.slots[offer.index]
        return self._try(
            course, offer, deadline, slot.patience(offer.upstream.timeouts, course.ask.features)
        )

    async def _try(
        self, course: Course, offer: Offer, deadline: float, patience: float | None = None
    ) -> _T:
        """Ask one offer, and return its reply once it has begun; `patience`: seconds until then."""
        ask, router, settlement = course.ask, course.router, course.settlement
        funding = settlement.funding
        if funding is not None and not await funding.secures(settlement.attempts, offer):
            raise funding.refusal()  # it is not the one that was reckoned with
        now = self._now()
        asked = asked_of(ask, offer.upstream) if offer.prices.tiers else None
        attempt = Attempt(offer, now, asked)
        settlement.begin(attempt, ask)
        router.health.dispatched(offer, now)

        def ended(attempt: Attempt, failure: Failure | None) -> None:
            self._end(attempt, failure, course)

        limits = offer.upstream.timeouts
        limit = now + (limits.first_token if ask.stream else limits.whole)
        if patience is not None:
            limit = now + patience
        try:
            with Deadline(min(limit, deadline)):
                reply = await self._begin(ask, attempt, ended, deadline)
        except TimeoutError as error:
            failure = Failure(_late(error) if limit <= deadline else Fault.DEADLINE)
            ended(attempt, failure)
            raise UpstreamFailed(failure) from error
        except UpstreamFailed as failed:
            ended(attempt, failed.failure)
            raise
        except asyncio.CancelledError as left:
            ended(attempt, leaving(left))
            raise
        except Exception:
            ended(attempt, Failure(Fault.OWN_FAULT))
            raise
        router.served(offer, ask, now)
        return reply

    @abstractmethod
    async def _begin(self, ask: ChatRequest, attempt: Attempt, ended: Ended, deadline: float) -> _T:
        """Send one call and return its reply once it has begun; raises UpstreamFailed."""

    def _end(self, attempt: Attempt, failure: Failure | None, course: Course) -> None:
        now, router, ask, usage = self._now(), course.router, course.ask, attempt.said
        if usage is not None and (
            not 0 <= usage.prompt <= 2 * (ask.input_chars + ask.input_tokens) + _PLAIN
            or not 0 <= usage.completion <= (ask.output_tokens or _PLAIN)
            or usage.cached + usage.cache_write > usage.prompt
            or usage.audio_input + usage.image_input > usage.prompt
            or usage.reasoning + usage.audio_output + usage.image_output > usage.completion
        ):
            funded = course.settlement.funding is not None
            attempt.said = believed(usage, ask, attempt.offer, funded=funded)
        attempt.end(now, failure, ask)
        if failure is not None or len(course.settlement.attempts) > 1:
            course.settlement.see(attempt)  # the request may go on for long
        account = router.health.slots[attempt.offer.index].account
        was_off = account.is_off
        if failure is not None:
            _log_failure(attempt, failure, ask.id)
        router.health.observe(
            attempt.offer,
            now,
            Outcome(
                fault=None if failure is None else failure.fault,
                start=None if attempt.first is None else attempt.first - attempt.began,
                end=now - attempt.began,
                output_tokens=attempt.usage.completion or None,
                input_tokens=attempt.usage.prompt,
                retry_after=None if failure is None else failure.retry_after,
                visible=failure is not None and attempt.first is not None,
                limits=None if attempt.limits is None else Headers(*attempt.limits),
            ),
        )
        if account.is_off is not was_off:
            said = "was refused its credential and is off" if account.is_off else "is on again"
            _log.warning("upstream %s %s", attempt.offer.upstream.name, said)

    def _refusal(self, failure: Failure, course: Course, tried: int) -> UpstreamError:
        """Return what the caller is told once nothing is left to try."""
        attempts = course.settlement.attempts
        is_busy = failure.fault in _BUSY
        if is_busy:
            told = [a.failure.retry_after for a in attempts if a.failure is not None]
            waits = [wait for wait in told if wait is not None]
            failure = Failure(failure.fault, failure.status, retry_after=min(waits, default=None))
        elif CONSEQUENCES[failure.fault].blame is Blame.OPERATOR:
            failure = Failure(failure.fault, failure.status)  # no waiting of a caller cures it
        ended = [attempt for attempt in attempts if attempt.ended is not None]
        error = UpstreamError(failure, self._message(failure, tried), trail(ended))
        if error.param is not None and error.param != self._client.signer.redact(error.param):
            error.param = None  # it is a secret that looks like a field
        if error.retry_after is None:
            error.retry_after = _GUESS if is_busy else self._silence(course).reopens()
        return error

    def _message(self, failure: Failure, tried: int) -> str:
        consequence = CONSEQUENCES[failure.fault]
        if consequence.blame is Blame.CALLER and failure.message:
            return self._client.signer.redact(failure.message)
        attempts = "1 attempt" if tried == 1 else f"{tried} attempts"
        return f"No upstream could answer ({failure.fault.value} after {attempts})."


def _news(told: Failure | None, failure: Failure) -> Failure:
    """Return what the caller will hear of: a dialect without words is news only where all are."""
    return failure if told is None or failure.fault is not Fault.UNTRANSLATABLE else told


def _log_failure(attempt: Attempt, failure: Failure, request_id: str) -> None:
    """Write one line; what the upstream said stays out of it, since callers' words may be in it."""
    offer = attempt.offer
    _log.log(
        _LEVELS[CONSEQUENCES[failure.fault].blame],
        "attempt failed: upstream=%s model=%s fault=%s status=%d request=%s",
        offer.upstream.name,
        offer.model,
        failure.fault.value,
        failure.status,
        request_id,
    )


def _late(error: TimeoutError) -> Fault:
    """Return what a deadline before the first token is called: a head had begun, or nothing had."""
    wait = error.__cause__
    begun = wait is not None and HALF_A_HEAD in wait.args
    return Fault.HEADER_TIMEOUT if begun else Fault.TTFT_TIMEOUT
