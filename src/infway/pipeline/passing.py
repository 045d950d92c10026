"""Work that is neither a chat nor embeddings: one call per attempt, and its reply passed on.

JSON is whole before it is passed on; sounds and events are passed on as they come, from their
first bytes on, and until then any fault may fall back.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from random import Random
from typing import NamedTuple

from infway.ims.rank import Router
from infway.kernel.chat import ChatRequest, Feature, Offer, Principal
from infway.kernel.clock import Clock
from infway.kernel.errors import UpstreamFailed, leaving
from infway.kernel.events import WHOLE
from infway.kernel.faults import Failure, Fault
from infway.pipeline.answered import Begun, settle_failed
from infway.pipeline.attempt import Ended, Walk
from infway.pipeline.decisions import Decisions
from infway.pipeline.gateway import Admission
from infway.pipeline.heads import check_head, read_error
from infway.pipeline.itinerary import Persistence
from infway.pipeline.settle import Settlement
from infway.pipeline.settler import Settler
from infway.pipeline.stall import StallGuard
from infway.pipeline.tried import Attempt
from infway.providers.passing.measures import guess
from infway.providers.passing.passer import Passer, Whole
from infway.providers.passing.watching import Watch
from infway.upstream.client import Client, Response

EVENTS = "text/event-stream"
_LARGEST = 128 * 1024 * 1024  # bytes of a whole reply: ten large pictures in base64
_LONG = 1024 * 1024  # bytes that take milliseconds to read: other requests need not wait for them


class Stream(NamedTuple):
    """A reply that comes in pieces. `watch`: what looks at its events, None for plain bytes."""

    response: Response
    watch: Watch | None
    first: bytes
    kind: str


class Passage:
    """A reply that has begun: `whole`, or a stream whose first bytes are here.

    `broken`: how a stream failed after it had begun. `at_end` is told how it ended, once.
    """

    def __init__(self, attempt: Attempt, ended: Ended, reply: Whole | Stream, until: float) -> None:
        self.attempt = attempt
        self.reply = reply
        self.broken: Failure | None = None
        self.at_end: Callable[[Failure | None], None] | None = None
        self._ended = ended
        self._until = until

    async def pieces(self, stream: Stream) -> AsyncGenerator[bytes, None]:
        """Yield the bytes as they come; `broken` tells whether they are all.

        An error that comes as an event ends them, and is not among them: what an upstream says
        of it may be the operator's own.
        Must be closed (`aclosing`): leaving it early ends the upstream's reply at once.
        """
        left: Failure | None = Failure(Fault.CLIENT_GONE)
        idle = self.attempt.offer.upstream.timeouts.idle
        try:
            yield stream.first
            with StallGuard(idle, self._until) as guard:
                while True:
                    guard.listen()
                    data = await stream.response.read_some()
                    guard.heard()
                    ready = _passed(stream.watch, data)
                    if ready:
                        yield ready
                    if stream.watch is not None and stream.watch.failure is not None:
                        raise UpstreamFailed(stream.watch.failure)
                    if not data:
                        break
            left = None
        except UpstreamFailed as failed:
            left = self.broken = _cut(failed.failure)
        except asyncio.CancelledError as gone:
            left = self.broken = leaving(gone)
            raise
        except Exception:
            left = Failure(Fault.OWN_FAULT)
            raise
        finally:
            self._end(stream, left)

    def _end(self, stream: Stream, left: Failure | None) -> None:
        if stream.watch is not None and stream.watch.usage is not None:
            self.attempt.see([stream.watch.usage])
        self._ended(self.attempt, left)
        if self.at_end is not None:
            self.at_end(left)
        if left is not None:
            stream.response.close()


def _passed(watch: Watch | None, data: bytes) -> bytes:
    if watch is None:
        return data
    return watch.feed(data) if data else watch.close()


def _cut(failure: Failure) -> Failure:
    """Return what a reply that ended before its end is called once a part was passed on."""
    if failure.fault is Fault.TRUNCATED_BODY:
        return Failure(Fault.STREAM_CUT, failure.status)
    return failure


class PassingAttempts(Walk[Passage]):
    """Attempts at such work."""

    def __init__(
        self,
        client: Client,
        passers: Mapping[str, Passer],
        now: Callable[[], float],
        persistence: Persistence,
        chance: Random,
    ) -> None:
        super().__init__(client, now, persistence, chance)
        self._passers = passers

    async def _begin(
        self, ask: ChatRequest, attempt: Attempt, ended: Ended, deadline: float
    ) -> Passage:
        offer = attempt.offer
        passer = self._passers[offer.upstream.dialect]
        call = passer.request(ask, offer)
        attempt.dropped = call.dropped
        response = await self._client.send(call, offer.upstream.timeouts)
        attempt.limits = passer.limits(response.headers)
        try:
            reply = await _read(passer, response, ask, offer)
        except BaseException:
            response.close()
            raise
        attempt.first = self._now()
        attempt.finish = WHOLE
        if isinstance(reply, Stream):
            attempt.see([guess(ask, offer)])
            return Passage(attempt, ended, reply, deadline)
        attempt.see([reply.usage])
        ended(attempt, None)
        return Passage(attempt, ended, reply, deadline)


async def _read(
    passer: Passer, response: Response, ask: ChatRequest, offer: Offer
) -> Whole | Stream:
    """Return a reply, or its beginning where it comes in pieces; raises UpstreamFailed."""
    if response.status != 200:
        body = await read_error(response)
        raise UpstreamFailed(passer.fault(response.status, response.headers, body))
    check_head(response, stream=ask.stream)
    kind = response.headers.get("content-type", "")
    if EVENTS in kind:
        watch = Watch(ask)
        return Stream(response, watch, await _first(response, watch), kind)
    if Feature.SPEECH in ask.features and "json" not in kind:
        return Stream(response, None, await _first(response, None), kind)
    body = await response.read(_LARGEST)
    if len(body) > _LONG:
        return await asyncio.to_thread(passer.whole, body, response.headers, ask, offer)
    return passer.whole(body, response.headers, ask, offer)


async def _first(response: Response, watch: Watch | None) -> bytes:
    """Wait for the first bytes; raises UpstreamFailed where they are an error, or never come."""
    while True:
        data = await response.read_some()
        ready = _passed(watch, data)
        if watch is not None and watch.failure is not None:
            raise UpstreamFailed(watch.failure)
        if ready:
            return ready
        if not data:
            raise UpstreamFailed(Failure(Fault.EMPTY_STREAM, 200))


class Passed(Begun):
    """The answer to one request, which has begun."""

    def __init__(self, passage: Passage, settlement: Settlement) -> None:
        super().__init__(passage.attempt, settlement)
        self.passage = passage
        passage.at_end = self.settle_stream


class PassingGateway(Admission):
    """The line of one trade. `attempts` is swapped as `router` is."""

    def __init__(
        self,
        router: Router,
        attempts: PassingAttempts,
        settler: Settler,
        decisions: Decisions,
        clock: Clock,
    ) -> None:
        super().__init__(router, settler, decisions, clock)
        self.attempts = attempts

    async def ask(self, ask: ChatRequest, who: Principal) -> Passed:
        """Return the answer once it has begun; raises GatewayError where there is none."""
        course = self.begin(ask, who)
        settlement = course.settlement
        try:
            if who.account is not None:
                await self.fund(course)
            passage = await self.attempts.first_reply(course, course.decision.order)
        except BaseException as error:
            settle_failed(settlement, error)
            raise
        return Passed(passage, settlement)
