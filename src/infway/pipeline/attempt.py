"""The only loop over upstreams: attempts, retries, fallback and their deadlines.

Commits late: a reply is handed on with its first event, and until then any fault may fall back.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from random import Random
from typing import Generic, TypeVar

from infway.ims.outcome import Headers, Outcome
from infway.ims.rank import Router
from infway.kernel.chat import ChatRequest, Offer
from infway.kernel.errors import UpstreamError, UpstreamFailed
from infway.kernel.faults import CONSEQUENCES, Blame, Failure, Fault
from infway.pipeline.course import Course
from infway.pipeline.itinerary import Itinerary, Persistence, RetryBudget, Step
from infway.pipeline.reply import Reply, check_first, first_events
from infway.pipeline.settle import Attempt, Settlement
from infway.pipeline.speakers import Speakers
from infway.pipeline.stall import Deadline
from infway.upstream.client import Client, Response

_JSON = "application/json"
_MAX_ERROR = 1024 * 1024  # bytes of an error reply that are read
_GUESS = 1.0  # seconds until a limit may be over of which the upstream says no more
_LONGEST_HEADER = 2000  # characters
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
    """Walks a decision's order until an offer answers; what an answer is, its kinds know."""

    def __init__(
        self, client: Client, now: Callable[[], float], persistence: Persistence, chance: Random
    ) -> None:
        self._client = client
        self._now = now
        self._persistence = persistence
        self._chance = chance
        self._budget = RetryBudget(persistence.retry_share, persistence.retry_floor)

    @property
    def active(self) -> int:
        """How many requests wait for their reply to begin."""
        return self._budget.active

    @property
    def most(self) -> int:
        """How many attempts one request has at most."""
        return self._persistence.attempts

    async def first_reply(self, course: Course, order: Sequence[Offer]) -> _T:
        """Return the first reply that begins; raises UpstreamError where none does."""
        settlement = course.settlement
        itinerary = Itinerary(
            order,
            self._persistence,
            self._chance,
            open_model=course.open_model,
            anyway=course.ask.selection.fallback_statuses,
        )
        deadline = course.decision.at + itinerary.offer.upstream.timeouts.total
        self._budget.active += 1
        retrying = 0
        told: Failure | None = None
        try:
            while True:
                try:
                    return await self._try(course, itinerary.offer, deadline)
                except UpstreamFailed as failed:
                    failure = failed.failure
                if told is None or failure.fault is not Fault.UNTRANSLATABLE:
                    told = failure  # a dialect without words for it is news only where all are
                step = itinerary.after(failure, deadline - self._now())
                if step is None:
                    raise self._refusal(told, settlement, itinerary.tries)
                if step.again or step.offer.index in course.decision.shut:
                    if not (retrying or self._budget.allows()):
                        raise self._refusal(told, settlement, itinerary.tries)
                    self._budget.retrying += 1 - retrying
                    retrying = 1
                if not await self._pause(course, step):
                    raise self._refusal(told, settlement, itinerary.tries)
        finally:
            self._budget.active -= 1
            self._budget.retrying -= retrying

    async def _pause(self, course: Course, step: Step) -> bool:
        """Wait as a step says; return whether to take it.

        A request of the queue leaves an offer that is shut to those that wait for it.
        """
        slot = None if course.ask.place is None else course.router.health.slots[step.offer.index]
        if slot is not None and slot.closed(self._now()):
            return False
        if step.pause:
            await asyncio.sleep(step.pause)
        return slot is None or not slot.closed(self._now())

    async def _try(self, course: Course, offer: Offer, deadline: float) -> _T:
        ask, router = course.ask, course.router
        now = self._now()
        attempt = Attempt(offer, now)
        course.settlement.attempts.append(attempt)
        router.health.dispatched(offer, now)

        def ended(attempt: Attempt, failure: Failure | None) -> None:
            self._end(attempt, failure, ask, router)

        limits = offer.upstream.timeouts
        limit = now + (limits.first_token if ask.stream else limits.whole)
        try:
            with Deadline(min(limit, deadline)):
                reply = await self._begin(ask, attempt, ended, deadline)
        except TimeoutError as error:
            failure = Failure(Fault.TTFT_TIMEOUT if limit <= deadline else Fault.DEADLINE)
            ended(attempt, failure)
            raise UpstreamFailed(failure) from error
        except UpstreamFailed as failed:
            ended(attempt, failed.failure)
            raise
        except asyncio.CancelledError:
            ended(attempt, Failure(Fault.CLIENT_GONE))
            raise
        except Exception:
            ended(attempt, Failure(Fault.OWN_FAULT))
            raise
        router.served(offer, ask, now)
        return reply

    @abstractmethod
    async def _begin(self, ask: ChatRequest, attempt: Attempt, ended: Ended, deadline: float) -> _T:
        """Send one call and return its reply once it has begun; raises UpstreamFailed."""

    def _end(
        self, attempt: Attempt, failure: Failure | None, ask: ChatRequest, router: Router
    ) -> None:
        now = self._now()
        attempt.end(now, failure, ask)
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

    def _refusal(self, failure: Failure, settlement: Settlement, tried: int) -> UpstreamError:
        """Return what the caller is told once nothing is left to try."""
        if failure.fault is Fault.RATE_LIMITED:
            told = [a.failure.retry_after for a in settlement.attempts if a.failure is not None]
            waits = [wait for wait in told if wait is not None]
            failure = Failure(failure.fault, failure.status, retry_after=min(waits, default=None))
        ended = [attempt for attempt in settlement.attempts if attempt.ended is not None]
        error = UpstreamError(failure, self._message(failure, tried), trail(ended))
        if failure.fault is Fault.RATE_LIMITED and error.retry_after is None:
            error.retry_after = _GUESS
        return error

    def _message(self, failure: Failure, tried: int) -> str:
        consequence = CONSEQUENCES[failure.fault]
        if consequence.blame is Blame.CALLER and failure.message:
            return self._client.signer.redact(failure.message)
        attempts = "1 attempt" if tried == 1 else f"{tried} attempts"
        return f"No upstream could answer ({failure.fault.value} after {attempts})."


class Attempts(Walk[Reply]):
    """Attempts at a chat: a reply has begun with its first events."""

    def __init__(
        self,
        client: Client,
        speakers: Speakers,
        now: Callable[[], float],
        persistence: Persistence,
        chance: Random,
    ) -> None:
        super().__init__(client, now, persistence, chance)
        self._speakers = speakers

    async def _begin(
        self, ask: ChatRequest, attempt: Attempt, ended: Ended, deadline: float
    ) -> Reply:
        offer = attempt.offer
        speaker = self._speakers.of(ask, offer)
        adapter = speaker.adapter
        call = adapter.request(ask, offer)
        attempt.mirrored = speaker.mirrored
        attempt.dropped = call.dropped
        if ask.native is not None and not speaker.mirrored:
            attempt.dropped += ask.native.lost
        response = await self._client.send(call, offer.upstream.timeouts)
        attempt.limits = adapter.limits(response.headers)
        try:
            if response.status != 200:
                body = await read_error(response)
                raise UpstreamFailed(adapter.fault(response.status, response.headers, body))
            check_head(response, stream=ask.stream)
            if ask.stream and not speaker.streams_json and _is_json(response):
                adapter.whole(await response.read())  # raises the error that it may be
                raise UpstreamFailed(Failure(Fault.WRONG_CONTENT_TYPE, 200))
            if ask.stream:
                decoder = adapter.decoder()
                first = await first_events(response, decoder)
                attempt.see(first)
                check_first(first)
                attempt.first = self._now()
                return Reply(attempt, first, (response, decoder), ended, deadline)
            events = adapter.whole(await response.read())
        except BaseException:
            response.close()
            raise
        attempt.first = self._now()
        attempt.see(events)
        ended(attempt, None)
        return Reply(attempt, events, None, ended, deadline)


def trail(attempts: Iterable[Attempt]) -> str:
    """Return what became of attempts, as headers say it; equal ones in a row are said once."""
    ends = (f"{one.offer.upstream.name}:{one.outcome}" for one in attempts)
    runs = [(said, len(list(run))) for said, run in groupby(ends)]
    return ", ".join(said if n == 1 else f"{said} x{n}" for said, n in runs)[:_LONGEST_HEADER]


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


def _is_json(response: Response) -> bool:
    """Tell whether a reply is one piece of JSON, where a stream was asked for."""
    return response.headers.get("content-type", "").startswith(_JSON)


def check_head(response: Response, *, stream: bool) -> None:
    """Raise UpstreamFailed where a 200 is not what was asked for by its own headers."""
    kind = response.headers.get("content-type", "")
    if "html" in kind or (not stream and "event-stream" in kind):
        raise UpstreamFailed(Failure(Fault.WRONG_CONTENT_TYPE, 200))
    if response.headers.get("content-encoding", "identity") not in ("identity", ""):
        raise UpstreamFailed(Failure(Fault.BAD_ENCODING, 200))


async def read_error(response: Response) -> bytes:
    """Return the body of an error reply; without a readable one its status says enough."""
    try:
        return await response.read(_MAX_ERROR)
    except UpstreamFailed:
        return b""
