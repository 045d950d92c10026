"""One request down the line: admit, rank, attempt. What it returns relays and settles itself."""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from infway.ims.rank import Router
from infway.kernel.chat import ChatRequest, Offer, Principal
from infway.kernel.clock import Clock
from infway.kernel.events import Event, Usage
from infway.kernel.faults import Failure
from infway.pipeline.answered import Begun, settle_failed
from infway.pipeline.billing import AS_IT_COSTS, Tariff, highest_of
from infway.pipeline.course import Course
from infway.pipeline.decisions import Decisions
from infway.pipeline.escrow import Escrow
from infway.pipeline.funding import fund
from infway.pipeline.reply import Reply
from infway.pipeline.rescue import Rescue, may_rescue
from infway.pipeline.settle import Settlement, unrecorded
from infway.pipeline.settler import Settler


class Answer(Begun):
    """An answer to one request that has begun.

    `first`: the events that came first; for a whole reply, all of them. `rank` counts from 1.
    """

    def __init__(self, reply: Reply, settlement: Settlement, rank: int = 1) -> None:
        super().__init__(reply.attempt, settlement)
        self._reply = reply
        self._rescue: Rescue | None = None
        self.first = reply.first
        self.rank = rank

    def batches(self) -> AsyncGenerator[list[Event], None]:
        """Return the events of a stream as they come; it settles at its end, however it ends.

        Must be closed (`aclosing`).
        """
        self._reply.at_end = self.settle_stream
        return self._reply.batches()

    @property
    def usage(self) -> Usage:
        """What the answer used, as its caller got it: over a joint, of both its parts."""
        return self.attempt.usage if self._rescue is None else self._rescue.usage()

    def rescue_by(self, rescue: Rescue) -> None:
        """Have the answer finished elsewhere where it breaks off, unless its frames are the caller's."""
        if not self.attempt.mirrored:
            self._rescue = self._reply.rescuer = rescue
            self._reply.at_joint = self._joined

    def _joined(self, reply: Reply) -> None:
        self.attempt, self.offer = reply.attempt, reply.offer

    async def finish(self) -> None:
        """Give the upstream's connection back, after the last event has been passed on."""
        await self._reply.finish()


class Admission:
    """Where every line begins. `router` is swapped as a whole when settings are read again.

    `escrow`: what keeps to the budgets of accounts; None: there are none. `tariff`: how callers
    are charged.
    """

    escrow: Escrow | None = None
    tariff: Tariff = AS_IT_COSTS

    def __init__(
        self, router: Router, settler: Settler, decisions: Decisions, clock: Clock
    ) -> None:
        self.router = router
        self.decisions = decisions
        self.clock = clock
        self._settler = settler

    def begin(self, ask: ChatRequest, who: Principal) -> Course:
        """Admit a request and rank its offers; raises GatewayError where it may not go on.

        What is kept of it, to settle and to explain it, holds no body: that may be megabytes.
        """
        if self._settler.is_full:
            raise unrecorded()
        began = self.clock.monotonic()
        router = self.router
        native = ask.native and ask.native._replace(fields={})
        bare = ask._replace(fields={}, native=native, form=None)
        decision = router.decide(bare, who, began)
        settlement = Settlement(bare, who, began, self._settler)
        settlement.model = decision.order[0].model if decision.order else ""
        settlement.tariff = tariff = self.tariff
        if tariff.highest:
            settlement.tariff = tariff._replace(rates=highest_of(decision.order))
        self.decisions.add(Course(bare, router, decision, settlement))
        return Course(ask, router, decision, settlement)

    async def fund(self, course: Course) -> None:
        """Set aside what a request of an account may cost; raises GatewayError where it cannot pay."""
        if self.escrow is not None:
            await fund(self.escrow, course.ask, course.decision, course.settlement)


class Replies(Protocol):
    """What walks an order until an offer answers."""

    @property
    def active(self) -> int:
        """How many requests wait for their reply to begin."""
        ...

    @property
    def most(self) -> int:
        """How many attempts one request has at most."""
        ...

    @property
    def rescues(self) -> bool:
        """Whether answers that break off are finished elsewhere."""
        ...

    async def first_reply(
        self, course: Course, order: Sequence[Offer], failure: Failure | None = None
    ) -> Reply:
        """Return the next reply that begins; raises GatewayError where none does.

        `failure`: how the last attempt broke off after it had begun, if any.
        """
        ...


class Gateway(Admission):
    """The line itself, of chats. `attempts` is swapped as `router` is."""

    def __init__(
        self,
        router: Router,
        attempts: Replies,
        settler: Settler,
        decisions: Decisions,
        clock: Clock,
    ) -> None:
        super().__init__(router, settler, decisions, clock)
        self.attempts = attempts

    async def chat(self, ask: ChatRequest, who: Principal) -> Answer:
        """Return the answer once it has begun; raises GatewayError where there is none."""
        course = self.begin(ask, who)
        settlement = course.settlement
        try:
            if who.account is not None:
                await self.fund(course)
            reply = await self.attempts.first_reply(course, course.decision.order)
        except BaseException as error:
            settle_failed(settlement, error)
            raise
        answer = Answer(reply, settlement)
        if ask.stream and self.attempts.rescues and may_rescue(ask, who):
            answer.rescue_by(Rescue(self.attempts, course, reply.attempt))
        return answer
