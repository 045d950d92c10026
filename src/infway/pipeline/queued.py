"""Attempts that wait for their turn: requests of the queue set out when an offer can take them.

What an upstream refuses as too much waits again, and keeps its place. An offer that is shut is
never tried as a last resort here: whoever queues would rather wait for it.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from infway.ims.decision import Decision
from infway.ims.rank import Router
from infway.kernel.account import Account
from infway.kernel.chat import Offer, Principal
from infway.kernel.errors import GatewayError, UnavailableError, UpstreamError
from infway.kernel.faults import CONSEQUENCES, Failure, Fault
from infway.kernel.place import Place
from infway.pipeline.course import Course
from infway.pipeline.decisions import Decisions
from infway.pipeline.gateway import Gateway, Replies
from infway.pipeline.lanes import Rank, Sought
from infway.pipeline.queue import End, Patience, Queue
from infway.pipeline.reply import Reply
from infway.pipeline.settler import Settler
from infway.pipeline.tried import Attempt

_BUSY = (Fault.RATE_LIMITED, Fault.OVERLOADED)
_UNCOUNTED = (*_BUSY, Fault.UNTRANSLATABLE)  # what is no attempt of `attempts.max`
_COME_BACK = 5.0  # seconds until a full queue is worth another try: about one answer's time

Watch = Callable[[str, int, float], None]


class Lines(NamedTuple):
    """What ranks and what attempts, under the settings in force."""

    router: Router
    attempts: Replies


class QueuedAttempts:
    """Walks as the attempts inside do, after waiting.

    `watch` is told of each stay how it ended, its position, and the seconds waited so far.
    """

    def __init__(
        self,
        queue: Queue,
        lines: Lines,
        decisions: Decisions,
        now: Callable[[], float],
        watch: Watch,
    ) -> None:
        self._queue = queue
        self._lines = lines
        self._decisions = decisions
        self._now = now
        self._watch = watch

    @property
    def active(self) -> int:
        """How many requests wait for their reply to begin, those in the queue among them."""
        return self._lines.attempts.active + self._queue.waiting()

    @property
    def most(self) -> int:
        """How many attempts one request has at most, those refused as too much not counted."""
        return self._lines.attempts.most

    def swap(self, lines: Lines) -> None:
        """Use other settings; who waits is asked again what for, and keeps its place."""
        self._lines = lines
        self._queue.regroup()

    @property
    def rescues(self) -> bool:
        """Whether answers that break off are finished elsewhere."""
        return self._lines.attempts.rescues

    async def first_reply(
        self, course: Course, order: Sequence[Offer], failure: Failure | None = None
    ) -> Reply:
        """Return the first reply that begins; raises GatewayError where none does.

        Who goes on with an answer that broke off (`failure`) does not queue again.
        """
        place = course.ask.place
        if place is None or failure is not None:
            return await self._lines.attempts.first_reply(course, order, failure)
        rank = self._queue.arrive(place.priority, _tenant(course.settlement.who))
        while True:
            course = await self._turn(course, rank, place)
            try:
                return await self._lines.attempts.first_reply(course, await self._paid(course))
            except UpstreamError as error:
                course = self._ranked(course)
                if not self._goes_back(course, error):
                    raise

    async def _turn(self, course: Course, rank: Rank, place: Place) -> Course:
        """Return the course, ranked anew, at its turn; raises GatewayError where it never comes."""
        queue, sought = self._queue, self._sought(course)
        waited = place.waited or 0.0
        if queue.passes(rank, sought):
            place.waited = waited
            self._watch(End.AT_ONCE.value, place.position, waited)
            return course
        place.position = place.position or 1 + queue.before(rank, sought)
        place.waited = None
        began, end = self._now(), End.LEFT
        try:
            end = await self._wait(course, rank, queue.patience.timeout - waited)
            if end is End.SERVED:
                course = self._ranked(course)
        except GatewayError:
            end = End.LOST
            raise
        finally:
            place.waited = waited + self._now() - began
            self._watch(end.value, place.position, place.waited)
        if end is not End.SERVED:
            raise _refusal(end, place.waited)
        return course

    async def _wait(self, course: Course, rank: Rank, left: float) -> End:
        """Stay in the queue, which is told of all that happens to offers as long as any stay."""
        bell = self._lines.router.health.bell
        bell.ring = self._queue.look
        try:
            return await self._queue.wait(rank, lambda: self._sought(self._ranked(course)), left)
        finally:
            if not self._queue.waiting():
                bell.ring = None

    def _ranked(self, course: Course) -> Course:
        """Decide anew, by the settings in force, among what the request can pay for."""
        router, settlement = self._lines.router, course.settlement
        decision = router.decide(settlement.ask, settlement.who, self._now())
        funding = settlement.funding
        if funding is not None:
            decision.order[:] = [offer for offer in decision.order if funding.allows(offer)]
        self._decisions.add(Course(settlement.ask, router, decision, settlement))
        return course._replace(router=router, decision=decision)

    def _sought(self, course: Course) -> Sought:
        slots = course.router.health.slots
        offers = _candidates(course)
        return Sought(
            frozenset(offer.index for offer in offers),
            frozenset(offer.upstream.name for offer in offers),
            [slots[offer.index] for offer in offers],
        )

    def _order(self, course: Course) -> list[Offer]:
        """Return what can take a request now, best first."""
        slots, now = course.router.health.slots, self._now()
        free = [offer for offer in _candidates(course) if not slots[offer.index].closed(now)]
        open_ones = {offer.index for offer in free}
        return [offer for offer in course.decision.order if offer.index in open_ones] or free

    async def _paid(self, course: Course) -> list[Offer]:
        """Return what can take a request now and can be paid for; raises CallerError where nothing can."""
        order, settlement = self._order(course), course.settlement
        funding = settlement.funding
        if funding is None:
            return order
        for place, offer in enumerate(order):
            if await funding.secures(settlement.attempts, offer):
                return order[place:]
        raise funding.refusal()

    def _goes_back(self, course: Course, error: UpstreamError) -> bool:
        """Tell whether a request that failed waits again: where waiting may cure it."""
        consequence = CONSEQUENCES[error.failure.fault]
        attempts = course.settlement.attempts
        counted = [one for one in attempts if one.failure and one.failure.fault not in _UNCOUNTED]
        if not (consequence.elsewhere or consequence.again):
            return False
        if len(counted) >= self._lines.attempts.most or not _candidates(course):
            return False
        tried = {attempt.offer.id for attempt in attempts}
        free = self._order(course)
        return not free or any(offer.id not in tried for offer in free)


class QueueGateway(Gateway):
    """The line of chats with a queue before it. It has the chats' own router and attempts."""

    def __init__(self, chats: Gateway, settler: Settler, patience: Patience, watch: Watch) -> None:
        now = chats.clock.monotonic
        self.queue = Queue(now, patience)
        lines = Lines(chats.router, chats.attempts)
        self._queued = QueuedAttempts(self.queue, lines, chats.decisions, now, watch)
        super().__init__(chats.router, self._queued, settler, chats.decisions, chats.clock)

    def swap(self, chats: Gateway, patience: Patience) -> None:
        """Use other settings; who waits keeps its place."""
        self.queue.patience = patience
        self.router = chats.router
        self._queued.swap(Lines(chats.router, chats.attempts))

    def waiting(self) -> Mapping[str, int]:
        """Return how many wait, by what for: a time that is known, or an attempt to end."""
        resting = self.queue.resting()
        return {"resting": resting, "at_ceiling": self.queue.waiting() - resting}


def _candidates(course: Course) -> Sequence[Offer]:
    """Return what a request may still be served by, shut or not."""
    decision, attempts = course.decision, course.settlement.attempts
    offers: Sequence[Offer] = decision.order
    if _is_narrowed(decision):
        tried = {attempt.offer.id for attempt in attempts}
        offers = [one for one in decision.ground.chosen.offers if not tried or one.id in tried]
    given_up = _given_up(attempts)
    return [offer for offer in offers if offer.id not in given_up] if given_up else offers


def _is_narrowed(decision: Decision) -> bool:
    """Tell whether its order is the one offer that was best at that moment, as the caller wished."""
    said = decision.ground.chosen.said
    pins = (pin for field in decision.ground.fields for pin in field.pins or ())
    return not said.allow_fallbacks and all(pin >= len(said.order) for pin in pins)


def _given_up(attempts: Sequence[Attempt]) -> set[str]:
    """Return the offers that failed a request, and not for being busy: no waiting cures them."""
    faults = [(one.offer.id, one.failure.fault) for one in attempts if one.failure is not None]
    failed = [(offer, fault) for offer, fault in faults if fault not in _BUSY]
    times = Counter(offer for offer, _ in failed)
    return {offer for offer, fault in failed if times[offer] > 1 or not CONSEQUENCES[fault].again}


def _tenant(who: Principal) -> str:
    """Return who shares the queue with others: an organisation, or else a project, or else a key."""
    account = who.account or Account()
    if account.organisation:
        return f"organisation:{account.organisation}"
    return f"project:{account.project}" if account.project else f"key:{who.name}"


def _refusal(end: End, waited: float) -> UnavailableError:
    """Return what is said to a request that was not served."""
    if end is End.TIMED_OUT:
        message = f"No offer of the model was free in the {waited:.0f} s that this request waited."
        return UnavailableError(408, "request_timeout", message, retryable=False)
    message = "Too many requests wait in the queue already."
    return UnavailableError(429, "concurrent_requests_exceeded", message, retry_after=_COME_BACK)
