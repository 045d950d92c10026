"""Attempts at chats: each asks one offer in its dialect, and its reply begins with its first events."""

from collections.abc import Awaitable, Callable
from random import Random

from infway.kernel.chat import ChatRequest
from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Failure, Fault
from infway.pipeline.attempt import Ended, Walk
from infway.pipeline.course import Course
from infway.pipeline.heads import read_error
from infway.pipeline.hedge import race, wait_of
from infway.pipeline.itinerary import Itinerary, Persistence
from infway.pipeline.opening import EVENTS, JSON, first_words, turned
from infway.pipeline.reply import Reply, check_first
from infway.pipeline.rescue_asking import refused
from infway.pipeline.speakers import Speakers
from infway.pipeline.tried import Attempt
from infway.pipeline.worst import most_tokens
from infway.providers.adapter import Adapter
from infway.upstream.client import Client, Response


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

    def _hurried(self, course: Course, itinerary: Itinerary, deadline: float) -> Awaitable[Reply]:
        """Try for a stream; a second offer may be asked beside one that says nothing."""
        said = self._persistence.hedge
        first = super()._hurried(course, itinerary, deadline)
        if said is None:
            return first
        slot = course.router.health.slots[itinerary.offer.index]

        def second() -> Awaitable[Reply] | None:
            shut = course.decision.shut
            if not itinerary.has_beside(shut) or not self._budget.hedges(self._now()):
                return None
            offer, settlement = itinerary.beside(), course.settlement
            funding = settlement.funding
            if funding is not None and not funding.covers(settlement.attempts, offer):
                return None
            return self._try(course, offer, deadline)

        return race(first, wait_of(said, slot), second, Reply.drop)

    async def _begin(
        self, ask: ChatRequest, attempt: Attempt, ended: Ended, deadline: float
    ) -> Reply:
        offer = attempt.offer
        speaker = self._speakers.of(ask, offer)
        adapter = speaker.adapter
        call = adapter.request(ask, offer)
        attempt.mirrored = speaker.mirrored
        attempt.tactic = speaker.tactic
        attempt.dropped = call.dropped
        if ask.native is not None and not speaker.mirrored:
            attempt.dropped += ask.native.lost
        response = await self._client.send(call, offer.upstream.timeouts)
        attempt.limits = adapter.limits(response.headers)
        try:
            if response.status != 200:
                raise UpstreamFailed(await _refusal(response, adapter, ask, attempt))
            kind = response.headers.get("content-type", "")
            if kind.startswith(JSON if ask.stream else EVENTS) and not speaker.streams_json:
                opened = self._speakers.opened(speaker, offer)
                events = await turned(response, opened, mirrored=speaker.mirrored)
            elif "html" in kind:
                raise UpstreamFailed(Failure(Fault.WRONG_CONTENT_TYPE, 200))
            elif ask.stream:
                decoder = adapter.decoder()
                first = await first_words(response, decoder)
                attempt.see(first)
                check_first(first)
                attempt.first = self._now()
                attempt.most = most_tokens(ask, offer)
                return Reply(attempt, first, (response, decoder), ended, deadline)
            else:
                events = adapter.whole(await response.read())
        except BaseException:
            response.close()
            raise
        attempt.first = self._now()
        attempt.see(events)
        ended(attempt, None)
        return Reply(attempt, events, None, ended, deadline)


async def _refusal(
    response: Response, adapter: Adapter, ask: ChatRequest, attempt: Attempt
) -> Failure:
    """Return what an error reply means."""
    failure = adapter.fault(response.status, response.headers, await read_error(response))
    return refused(ask, attempt, failure)
