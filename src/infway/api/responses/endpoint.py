"""Responses: one request in, one response out: whole, as a stream, or later."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from infway.accounts.keys import Keyring
from infway.api.bulk import read_beside
from infway.api.exchange import Exchange
from infway.api.line import LineEndpoint, Rules
from infway.api.presence import Presence
from infway.api.responses.asking import Draft, read_ask, read_draft
from infway.api.responses.conversation import Item
from infway.api.responses.envelope import settings_of, summary_of
from infway.api.responses.job import ResponseJob
from infway.api.responses.kept import Past, earlier_items, kept, resolved
from infway.api.responses.results import check_results
from infway.api.responses.talk import Keep, ResponsesTalk, Wishes
from infway.api.stream import EventStream
from infway.api.talk import Times
from infway.kernel.chat import Principal
from infway.kernel.clock import Clock
from infway.kernel.errors import CallerError
from infway.ledger.responses import Kept
from infway.pipeline.background import Background
from infway.pipeline.gateway import Gateway

_BEGUN = (
    (b"content-type", b"application/json"),
    (b"cache-control", b"private, no-store"),
)


class Told(NamedTuple):
    """What a request is about: its own items, and those of the turns before it."""

    items: Sequence[Item]
    earlier: Sequence[Item] = ()


class Received(NamedTuple):
    """A request as far as it is the same for all endpoints. `body`: its JSON."""

    who: Principal
    body: bytes
    draft: Draft
    told: Told


class ResponsesEndpoint(LineEndpoint):
    """Answers requests for responses. `background`: what makes those that come later."""

    def __init__(
        self,
        gateway: Gateway,
        keyring: Keyring,
        rules: Rules,
        clock: Clock,
        background: Background,
    ) -> None:
        super().__init__(gateway, keyring, rules, clock)
        self._background = background
        self._keeper = background.keeper

    async def answer(
        self,
        exchange: Exchange,
        path_model: str | None,  # noqa: ARG002 - no path of this dialect names a model
    ) -> None:
        """Answer one exchange; raises GatewayError where the edge has to."""
        who, body, draft, told = await self._received(exchange)
        said = self._said(exchange.request_id, draft, who)
        is_later, stores = bool(draft.body.background), self._stores(draft)
        if is_later and not stores:
            message = "background: this gateway keeps no responses, so none can come later."
            raise CallerError(400, "invalid_field", message, "background")
        keep = keep_in(self._keeper.keep, said, told.items) if stores and not is_later else None
        talk = await read_beside(body, lambda: self._talk(exchange.request_id, draft, told, keep))
        if exchange.visit is not None:
            await exchange.visit.enter(talk.ask)
        way = self.way(talk)
        if is_later:
            times = Times(self.clock, exchange.began)
            job = ResponseJob(self.gateway, talk, who, times, said, told.items)
            await self._later(exchange, talk, job)
        else:
            await way(exchange, talk, who)

    def known(self, exchange: Exchange) -> Principal:
        """Return who asks, whose limits hold from now on; raises CallerError."""
        who, _ = self.who(exchange)
        if who.account is not None:
            exchange.visit = self.visits.of(who, exchange.request_id)
        return who

    def read(
        self,
        exchange: Exchange,
        header: bytes,  # noqa: ARG002 - the dialect is the same under every header
        body: bytes,
        path_model: str | None,  # noqa: ARG002 - no path of this dialect names a model
    ) -> ResponsesTalk:
        """Return a request that refers to nothing and is not kept; raises CallerError."""
        draft = read_draft(body)
        return self._talk(exchange.request_id, draft, Told(draft.items()), None)

    async def _received(self, exchange: Exchange, *, may_be_bare: bool = False) -> Received:
        """Return who asks, and what for; `may_be_bare`: it needs no input. Raises CallerError."""
        exchange.check_size(self.rules.body_limit)
        who = self.known(exchange)
        body = await exchange.read_json(self.rules.body_limit)
        draft = await read_beside(body, lambda: read_draft(body, may_be_bare=may_be_bare))
        told = await self._recall(draft, who, self._keeper)
        return Received(who, body, draft, told)

    async def _recall(self, draft: Draft, who: Principal, past: Past) -> Told:
        """Return the items of a request, with those of the past it refers to; raises CallerError."""
        limit = self.rules.body_limit
        items = await resolved(past, draft.items(), who.name, limit)
        previous = draft.body.previous_response_id
        if previous is None:
            return Told(items)
        earlier = await earlier_items(past, previous, who.name, limit)
        check_results(items, earlier)
        return Told(items, earlier)

    def _talk(self, request_id: str, draft: Draft, told: Told, keep: Keep | None) -> ResponsesTalk:
        body = draft.body
        ask = read_ask(draft, told.items, told.earlier, request_id)
        wishes = Wishes(
            settings=settings_of(body, store=self._stores(draft)),
            created=int(self.clock.wall()),
            summed=summary_of(body) is not None,
            cost=body.usage is not None and bool(body.usage.include),
            keep=keep,
        )
        return ResponsesTalk(ask, wishes)

    def _stores(self, draft: Draft) -> bool:
        return self._keeper.rules.store and draft.body.store is not False

    def _said(self, request_id: str, draft: Draft, who: Principal) -> Kept:
        """Return what is known of a response before it is made."""
        now, previous = self.clock.wall(), draft.body.previous_response_id
        return Kept(f"resp_{request_id}", who.name, now, now, "queued", previous, b"", b"")

    async def _later(self, exchange: Exchange, talk: ResponsesTalk, job: ResponseJob) -> None:
        """Answer at once with a response that is still to be made."""
        begun = await self._background.start(job, exchange.visit)
        if talk.ask.stream:
            await self._relay(exchange, talk, job)
        else:
            await exchange.reply(200, [*self.traces(exchange.began), *_BEGUN], begun.response)

    async def _relay(self, exchange: Exchange, talk: ResponsesTalk, job: ResponseJob) -> None:
        """Pass on what is made in the background; it is made to its end whoever listens."""
        out = EventStream(
            exchange, self.rules.heartbeat, lambda: self._stream_head(exchange, talk, [])
        )
        with Presence(exchange) as presence, job.listener, out:
            async for data in job.listener:
                await out.write(data)
        if not presence.left:
            await out.end(b"")


def keep_in(store: Callable[[Kept], None], said: Kept, items: Sequence[Item]) -> Keep:
    """Return what keeps a response in a store. `said`: what is known of it before."""
    return lambda status, body: store(kept(said, items, status, body))
