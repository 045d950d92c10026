"""The endpoint of one request down the line: read, answered whole or as a stream, written.

What the dialect of the caller is, `Talk` knows.
"""

import asyncio
import logging
import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from infway.accounts.keys import Keyring
from infway.api.auth import know
from infway.api.bulk import read_beside
from infway.api.errors import Header, error_body, own_fault
from infway.api.exchange import ID_HEADERS, Exchange, too_large
from infway.api.intake import goes_on
from infway.api.presence import Presence
from infway.api.stream import EventStream
from infway.api.talk import Talk, Times
from infway.ims.candidates import candidates
from infway.kernel.chat import ChatRequest, Principal
from infway.kernel.clock import Clock
from infway.kernel.errors import CallerError, GatewayError, leaving, stopped_by
from infway.kernel.events import Broken
from infway.pipeline.admit import Visits
from infway.pipeline.gateway import Answer, Gateway
from infway.pipeline.handed import Handed
from infway.pipeline.several import Result, answer_several
from infway.pipeline.tried import trail

_log = logging.getLogger(__name__)
_UNPRINTABLE = re.compile(r"[^ -~]")
_LONGEST_LIST = 2000  # bytes of a header


@dataclass(frozen=True, slots=True)
class Rules:
    """What the configuration says of all endpoints. Sizes in bytes, times in seconds."""

    body_limit: int = 20 * 1024 * 1024
    heartbeat: float = 15.0
    region: str | None = None
    require_model: bool = False
    always_usage_chunk: bool = False
    socket_idle: float = 600.0


class LineEndpoint(ABC):
    """Answers requests. `keyring` and `rules` are swapped when settings are read again.

    `visits`: what keeps to the limits of keys. `walks`: its reader goes through the body in Python, which takes long where that is long.
    """

    walks = False
    visits: Visits
    id_headers: tuple[bytes, ...] = ID_HEADERS

    def __init__(self, gateway: Gateway, keyring: Keyring, rules: Rules, clock: Clock) -> None:
        self.gateway = gateway
        self.keyring = keyring
        self.rules = rules
        self.clock = clock

    async def answer(self, exchange: Exchange, path_model: str | None) -> None:
        """Answer one exchange; raises GatewayError where the edge has to."""
        if exchange.length > self.rules.body_limit:
            raise too_large(self.rules.body_limit)
        who, header = self.who(exchange)
        if who.account is not None:
            exchange.visit = self.visits.of(who, exchange.request_id)
        body = await exchange.read_json(self.rules.body_limit)
        if self.walks:
            talk = await read_beside(body, lambda: self.read(exchange, header, body, path_model))
        else:
            talk = self.read(exchange, header, body, path_model)
        if exchange.visit is not None:
            await exchange.visit.enter(talk.ask, self._models(talk.ask, who))
        await self.way(talk)(exchange, talk, who)

    def _models(self, ask: ChatRequest, who: Principal) -> int:
        """Return how many models answer at most: as many as are asked for, and there are."""
        most = ask.selection.imsn
        if ask.stream or most == 1:
            return 1
        try:
            found = candidates(self.gateway.router.catalog, ask, who)
        except GatewayError:  # the line says why, and asks nobody
            return 1
        return min(most, len({offer.model for offer in found.offers}))

    def who(self, exchange: Exchange) -> tuple[Principal, bytes]:
        """Return who asks, and the name of the header that held the key; raises CallerError."""
        return know(self.keyring, exchange.headers)

    @abstractmethod
    def read(self, exchange: Exchange, header: bytes, body: bytes, path_model: str | None) -> Talk:
        """Return the request; `header` is the name of the one that held the key.

        Raises CallerError with the path of the field that is wrong.
        """

    def refusal(self, error: GatewayError) -> bytes:
        """Return the body of an error in the caller's dialect."""
        return error_body(error)

    def way(self, talk: Talk) -> Callable[[Exchange, Talk, Principal], Awaitable[None]]:
        """Return what answers a request that was read."""
        if talk.ask.stream:
            return self._stream
        if talk.ask.selection.imsn == 1:
            return self._whole
        if not talk.has_several:
            message = "model.imsn: only chats have room for the answers of several models."
            raise CallerError(400, "invalid_field", message, "model.imsn")
        return self._several

    async def _whole(self, exchange: Exchange, talk: Talk, who: Principal) -> None:
        answer: Answer | None = None
        with Presence(exchange):
            answer = await self.gateway.chat(talk.ask, who)
        if answer is None:
            return
        answer.settle()
        body = talk.whole(answer, Times(self.clock, exchange.began))
        await exchange.reply(200, self._whole_head(exchange, talk, [answer]), body)

    async def _several(self, exchange: Exchange, talk: Talk, who: Principal) -> None:
        results: list[Result] = []
        with Presence(exchange):
            results = await answer_several(self.gateway, talk.ask, who)
        if not results:
            return
        answers = [result.answer for result in results if result.answer is not None]
        failed = [result for result in results if result.answer is None]
        body = talk.several(answers, failed, Times(self.clock, exchange.began))
        await exchange.reply(200, self._whole_head(exchange, talk, answers), body)

    async def _stream(self, exchange: Exchange, talk: Talk, who: Principal) -> None:
        answers: list[Answer] = []
        out = EventStream(
            exchange,
            self.rules.heartbeat,
            lambda: self._stream_head(exchange, talk, answers),
            talk.comment,
        )
        times = Times(self.clock, exchange.began)
        last = b""
        with Presence(exchange) as presence, out:
            try:
                answers.append(await self.gateway.chat(talk.ask, who))
                last = await relay(answers[0], talk, times, out)
            except (GatewayError, asyncio.CancelledError) as ended:
                last = _late(ended, talk, times) if exchange.started else b""
                if not last:
                    raise
            except Exception:
                if not exchange.started:
                    raise
                _log.exception("request %s failed inside infway", exchange.request_id)
                last = talk.late(own_fault(), times)
        if not presence.left:
            await out.end(last)
        if answers:
            await answers[0].finish()

    def traces(self, began: float) -> list[Header]:
        """Return what every reply tells of itself: how long it took since `began`, and where."""
        took = round((self.clock.monotonic() - began) * 1000)
        headers: list[Header] = [(b"openai-processing-ms", b"%d" % took)]
        if self.rules.region is not None:
            headers.append((b"x-infe-region", self.rules.region.encode()))
        return headers

    def _whole_head(
        self, exchange: Exchange, talk: Talk, answers: Sequence[Answer]
    ) -> list[Header]:
        return [
            *self._headers(exchange, talk, answers),
            (b"content-type", b"application/json"),
            (b"cache-control", b"private, no-store"),
            (b"infe-unit-cost", answers[0].settlement.credits.encode()),
        ]

    def _stream_head(
        self, exchange: Exchange, talk: Talk, answers: Sequence[Answer]
    ) -> list[Header]:
        return [
            *self._headers(exchange, talk, answers),
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"private, no-store"),
            (b"x-accel-buffering", b"no"),
        ]

    def _headers(self, exchange: Exchange, talk: Talk, answers: Sequence[Answer]) -> list[Header]:
        """Return the headers that tell where an answer came from."""
        headers = self.traces(exchange.began)
        if answers:
            best = answers[0]
            headers.append((b"x-gateway-provider", best.offer.upstream.name.encode()))
            headers.append((b"x-gateway-attempts", trail(best.settlement.attempts).encode()))
            if best.attempt.dropped:
                headers.append((b"x-gateway-dropped", listed(best.attempt.dropped)))
            headers += talk.headers(best)
        return headers


def _late(ended: GatewayError | asyncio.CancelledError, talk: Talk, times: Times) -> bytes:
    """Return what ends a stream that had only begun with comments; nothing where nobody is there."""
    if isinstance(ended, GatewayError):
        return talk.late(ended, times)
    stopped = stopped_by(ended)
    return b"" if stopped is None or not goes_on(ended) else talk.late(stopped, times)


class Outlet(Protocol):
    """Where the bytes of a stream go."""

    async def write(self, data: bytes) -> None:
        """Send bytes."""
        ...


async def relay(answer: Answer, talk: Talk, times: Times, out: Outlet) -> bytes:
    """Pass the events on as they come; return the bytes that end the stream."""
    writer = talk.writer(answer, times)
    try:
        async with Handed(answer.batches()) as batches:
            async for events in batches:
                data = writer.encode(events)
                if isinstance(events[-1], Broken):
                    return data + writer.cut()
                if data:
                    await out.write(data)
    except asyncio.CancelledError as ended:
        if not goes_on(ended):
            raise
        return writer.encode([Broken(leaving(ended))]) + writer.cut()
    return writer.close()


def listed(names: tuple[str, ...]) -> bytes:
    """Return what was not carried as the value of a header: names that callers made up are tamed."""
    return _UNPRINTABLE.sub("?", ", ".join(names))[:_LONGEST_LIST].encode()
