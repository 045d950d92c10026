"""What replicas tell one another, so that all know of a failure, a limit or a warm cache at once.

Several times a second, beside the requests: none waits for it, and what a replica learns itself
never depends on it. Who comes, or comes back, asks the others for what they know.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from infway.beside import beside
from infway.ims.affinity import Warm
from infway.ims.breaker import Probing
from infway.ims.rank import Router
from infway.pipeline.telling import (
    MOST,
    MOST_WARM,
    NOTHING,
    Message,
    ToldOpen,
    ToldWarm,
    UnreadableError,
    decode,
    encode,
    outcomes_of,
    terms_of,
    told_outcomes,
    told_terms,
)
from infway.state.board import Board, Probes

_log = logging.getLogger(__name__)

PAUSE = 0.2  # seconds between two trades
_QUIET = 60.0  # seconds between two log lines about messages that cannot be read


class Sharing:
    """Keeps a replica's book and the board in touch.

    `router`: returns the one in use now; a reload puts another one in its place. `now`: monotonic
    seconds. `probes`: who may ask offers that failed; None: each replica decides for itself.
    """

    def __init__(
        self,
        board: Board,
        router: Callable[[], Router],
        now: Callable[[], float],
        probes: Probes | None = None,
    ) -> None:
        self._board = board
        self._router = router
        self._now = now
        self._probes = probes
        self._quiet_until = float("-inf")
        self._has_joined = False
        self._was_asked = False

    @property
    def probing(self) -> Probing | None:
        """Whom a router asks before it probes."""
        return self._probes

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Share while the block runs."""
        try:
            async with beside(self.run):
                yield
        finally:
            await self._board.close()
            if self._probes is not None:
                await self._probes.close()

    async def run(self) -> None:
        """Trade until cancelled."""
        while True:
            await self.trade()
            await asyncio.sleep(PAUSE)

    async def trade(self) -> None:
        """Tell what was seen since the last time, and learn what others saw."""
        mine = self._news()
        for message in await self._board.trade(None if mine == NOTHING else encode(mine)):
            self._learn(message)
            await asyncio.sleep(0)  # a message takes milliseconds at most: requests come between
        self._has_joined = self._board.works
        if self._probes is not None:
            await self._probes.keep(self._waiting)

    def _news(self) -> Message:
        """Return what is new here, or all that is known where somebody asked for it."""
        router, now, whole = self._router(), self._now(), self._was_asked
        self._was_asked = False
        health = router.health
        terms = [(name, one.terms(now, whole=whole)) for name, one in health.accounts.items()]
        news = router.affinity.news(MOST_WARM)
        warm = router.affinity.latest(MOST_WARM) if whole else news
        offers = router.catalog.offers
        shut = [(name, slot.breaker) for name, slot in health.by_id.items()] if whole else []
        return Message(
            told_outcomes(health.drain()[-MOST:]),
            [told_terms(name, one) for name, one in terms if one is not None],
            [
                ToldWarm(value, offers[one.offer].id, one.tokens, max(0.0, now - one.at))
                for value, one in warm
            ],
            [ToldOpen(name, max(0.0, one.shut - now)) for name, one in shut if one.tripped],
            not self._has_joined,
            whole,
        )

    def _learn(self, text: bytes) -> None:
        try:
            message = decode(text)
        except UnreadableError as error:
            if self._now() >= self._quiet_until:
                _log.warning("a message of another replica cannot be read, dropped: %s", error)
                self._quiet_until = self._now() + _QUIET
            return
        router, now = self._router(), self._now()
        health = router.health
        self._was_asked |= message.asks
        for one in message.open:
            health.trip(one.offer, now, one.wait)
        health.absorb(outcomes_of(message), now)
        for told in message.terms:
            account = health.accounts.get(told.upstream)
            if account is not None:
                account.learn(now, terms_of(told), whole=message.whole)
        for warm in message.warm:
            offer = router.place_of.get(warm.offer)
            if offer is not None:
                router.affinity.learn(warm.value, Warm(offer, now - warm.age, warm.tokens))

    def _waiting(self, offer: str) -> float | None:
        """Return the seconds for which an offer is left alone after its probe, None while it runs."""
        slot = self._router().health.by_id.get(offer)
        if slot is None or not slot.breaker.tripped:
            return 0.0
        return None if slot.breaker.leased else max(0.0, slot.breaker.shut - self._now())
