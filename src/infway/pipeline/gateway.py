"""One request down the line: admit, rank, attempt. What it returns relays and settles itself."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from infway.ims.rank import Router
from infway.kernel.chat import ChatRequest, Offer, Principal
from infway.kernel.clock import Clock
from infway.kernel.errors import GatewayError, UnavailableError
from infway.kernel.events import Event
from infway.kernel.faults import CONSEQUENCES, Failure, Fault
from infway.pipeline.cost import Cost
from infway.pipeline.course import Course
from infway.pipeline.decisions import Decisions
from infway.pipeline.reply import Reply
from infway.pipeline.settle import Settlement, Settler

GONE = Fault.CLIENT_GONE.value
GONE_STATUS = CONSEQUENCES[Fault.CLIENT_GONE].status
OWN_FAULT = ("internal_server_error", 500)


@dataclass(frozen=True, slots=True)
class Bill:
    """What an answer cost its caller, all attempts together, in 10^-12 USD."""

    cost: Cost
    total: int


class Answer:
    """An answer to one request that has begun.

    `first`: the events that came first; for a whole reply, all of them. `rank` counts from 1.
    """

    def __init__(self, reply: Reply, settlement: Settlement, rank: int = 1) -> None:
        self._reply = reply
        self.offer = reply.offer
        self.attempt = reply.attempt
        self.first = reply.first
        self.settlement = settlement
        self.rank = rank

    def batches(self) -> AsyncGenerator[list[Event], None]:
        """Return the events of a stream as they come; it settles at its end, however it ends.

        Must be closed (`aclosing`).
        """
        self._reply.at_end = self._streamed
        return self._reply.batches()

    def _streamed(self, failure: Failure | None) -> None:
        if failure is None:
            self.settlement.close("ok", 200)
        else:
            gone = failure.fault is Fault.CLIENT_GONE
            self.settlement.close(failure.fault.value, GONE_STATUS if gone else 200)

    def settle(self) -> None:
        """Settle a whole reply that is about to be sent."""
        self.settlement.close("ok", 200)

    async def finish(self) -> None:
        """Give the upstream's connection back, after the last event has been passed on."""
        await self._reply.finish()

    def bill(self) -> Bill:
        """Return the cost so far: that of this answer, and the sum over all attempts."""
        attempts = self.settlement.attempts
        return Bill(self.attempt.cost, sum(attempt.cost.total for attempt in attempts))


class Admission:
    """Where every line begins. `router` is swapped as a whole when settings are read again."""

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
            raise UnavailableError(
                503, "accounting_unavailable", "Usage cannot be recorded now.", retry_after=1
            )
        began = self.clock.monotonic()
        router = self.router
        native = ask.native and ask.native._replace(fields={})
        bare = ask._replace(fields={}, native=native, form=None)
        decision = router.decide(bare, who, began)
        settlement = Settlement(bare, who, began, self._settler)
        self.decisions.add(Course(bare, router, decision, settlement))
        return Course(ask, router, decision, settlement)


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

    async def first_reply(self, course: Course, order: Sequence[Offer]) -> Reply:
        """Return the first reply that begins; raises GatewayError where none does."""
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
            reply = await self.attempts.first_reply(course, course.decision.order)
        except GatewayError as error:
            settlement.close(_outcome(settlement, error), error.status)
            raise
        except asyncio.CancelledError:
            settlement.close(GONE, GONE_STATUS)
            raise
        except Exception:
            settlement.close(*OWN_FAULT)
            raise
        return Answer(reply, settlement)


def _outcome(settlement: Settlement, error: GatewayError) -> str:
    failure: Failure | None = settlement.attempts[-1].failure if settlement.attempts else None
    return error.code if failure is None else failure.fault.value
