"""Responses over a WebSocket: turns of a conversation without a request each.

https://developers.openai.com/api/docs/guides/websocket-mode, and the transport of Open Responses.
"""

import asyncio
import logging
from typing import Annotated, NamedTuple

import msgspec

from infway.api.bulk import read_beside
from infway.api.errors import Header, own_fault
from infway.api.exchange import ClientLeftError, Exchange
from infway.api.gate import check_shape, read_members
from infway.api.intake import goes_on
from infway.api.line import relay
from infway.api.reading import refuse
from infway.api.responses.asking import read_draft
from infway.api.responses.connection import Connection, Limits, Refused, Work
from infway.api.responses.conversation import Item
from infway.api.responses.endpoint import ResponsesEndpoint, keep_in
from infway.api.responses.recent import Recent
from infway.api.responses.talk import ResponsesTalk
from infway.api.responses.texts import Texts
from infway.api.routes import Desk
from infway.api.talk import Times
from infway.api.unreadable import not_json
from infway.kernel.chat import Principal
from infway.kernel.errors import CallerError, GatewayError, stopped_by

_log = logging.getLogger(__name__)
_CREATE = "response.create"
_NOTHING: Item = {"type": "message", "role": "user", "content": ""}
# Fields of the message that are not of the request in it
_ENVELOPE = ("type", "stream_id", "generate", "background", "stream")


class _Lane(msgspec.Struct):
    """The name that a client gives a turn, and that its events repeat."""

    stream_id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.-]{1,256}$")] | None = None


class CreateEvent(_Lane, kw_only=True):
    """What a message says beside the request.

    `generate` False: nothing is made yet, but the next turn may go on from this one.
    """

    type: str
    generate: bool | None = None
    background: bool | None = None
    previous_response_id: str | None = None


class Create(NamedTuple):
    """One message: what it says, and the body of the request in it."""

    event: CreateEvent
    body: bytes


_read_lane = msgspec.json.Decoder(_Lane).decode
_read_event = msgspec.json.Decoder(CreateEvent).decode
_write = msgspec.json.Encoder().encode


class SocketEndpoint(ResponsesEndpoint):
    """Answers requests for responses: a plain POST as its parent does, and WebSockets."""

    async def connect(self, exchange: Exchange, desk: Desk) -> None:
        """Serve one connection to its end; raises CallerError before it is accepted."""
        self.who(exchange)
        await exchange.receive()
        exchange.started = True
        await exchange.send({"type": "websocket.accept", "headers": _named(exchange)})
        rules = self.rules
        recent = Recent(self._keeper, rules.body_limit)

        async def answer(data: bytes) -> None:
            turn = desk.turn(exchange)
            try:
                await self._turn(turn, data, recent, desk)
            finally:
                if turn.visit is not None:
                    turn.visit.leave()

        async def reject(refused: Refused) -> None:
            out = Texts(exchange.send, refused.lane)
            await _refuse(out, refused.error, desk.turn(exchange), desk)

        limits = Limits(rules.body_limit, rules.socket_idle)
        work = Work(answer, reject, read_lane)
        await Connection(exchange.receive, exchange.send, work, limits, self.clock).serve()

    async def _turn(self, turn: Exchange, data: bytes, recent: Recent, desk: Desk) -> None:
        """Answer one message; raises ClientLeftError."""
        out = Texts(turn.send)
        previous: str | None = None
        try:
            create = await read_beside(data, lambda: read_create(data))
            out.lane, previous = create.event.stream_id, create.event.previous_response_id
            who = self.known(turn)  # the key may have been taken back since
            talk = await self._read_turn(turn, create, who, recent)
            if turn.visit is not None:
                await turn.visit.enter(None if create.event.generate is False else talk.ask)
            if create.event.generate is False:
                out.headers = _named(turn)
                await out.write(self._warmed(talk, who))
            else:
                await self._relay_turn(turn, talk, who, out)
        except GatewayError as error:
            recent.drop(previous)
            out.lane = out.lane or read_lane(data)
            await _refuse(out, error, turn, desk)
        except asyncio.CancelledError as ended:
            stopped = stopped_by(ended)
            if stopped is None or not goes_on(ended):
                raise
            await _refuse(out, stopped, turn, desk)
        except ClientLeftError:
            raise
        except Exception:  # noqa: BLE001 - our own bugs end the turn, not the connection
            _log.exception("request %s failed inside infway", turn.request_id)
            recent.drop(previous)
            await _refuse(out, own_fault(), turn, desk)

    async def _read_turn(
        self, turn: Exchange, create: Create, who: Principal, recent: Recent
    ) -> ResponsesTalk:
        """Return the request of a message; raises CallerError."""
        body, is_warming = create.body, create.event.generate is False
        draft = await read_beside(body, lambda: read_draft(body, may_be_bare=is_warming))
        told = await self._recall(draft, who, recent)
        said, stores = self._said(turn.request_id, draft, who), self._stores(draft)
        if stores:
            recent.follow(said)
        keep = keep_in(self._keeper.keep if stores else recent.keep, said, told.items)
        if is_warming and not (told.items or told.earlier):
            told = told._replace(items=[_NOTHING])
        return await read_beside(body, lambda: self._talk(turn.request_id, draft, told, keep))

    def _warmed(self, talk: ResponsesTalk, who: Principal) -> bytes:
        """Return the events of a turn that makes nothing; raises GatewayError where none could."""
        now = self.gateway.clock.monotonic()
        model = self.gateway.router.decide(talk.ask, who, now).order[0].model
        return talk.warmed(model, int(self.clock.wall()))

    async def _relay_turn(
        self, turn: Exchange, talk: ResponsesTalk, who: Principal, out: Texts
    ) -> None:
        answer = await self.gateway.chat(talk.ask, who)
        out.headers = [*_named(turn), *self._headers(turn, talk, [answer])]
        last = await relay(answer, talk, Times(self.clock, turn.began), out)
        try:
            await out.write(last)
        finally:
            await answer.finish()


def read_lane(data: bytes) -> str | None:
    """Return the name that a message gives its turn, None where it gives none that may be."""
    try:
        return _read_lane(data).stream_id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def read_create(data: bytes) -> Create:
    """Return a message; raises CallerError with the field."""
    try:
        data.decode()
        check_shape(data)
        event, fields = _read_event(data), read_members(data)
    except msgspec.ValidationError as error:
        refuse(error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise not_json(data, error) from error
    if event.type != _CREATE:
        raise CallerError(400, "invalid_field", f"type: {_CREATE} alone is taken here.", "type")
    if event.background:
        message = "background: what is asked for over a WebSocket is answered there."
        raise CallerError(400, "invalid_field", message, "background")
    body = {name: value for name, value in fields.items() if name not in _ENVELOPE}
    return Create(event, _write({**body, "stream": True}))


def _named(exchange: Exchange) -> list[Header]:
    limits = [] if exchange.visit is None else exchange.visit.headers()
    return [(b"x-request-id", exchange.request_id.encode()), *limits]


async def _refuse(out: Texts, error: GatewayError, turn: Exchange, desk: Desk) -> None:
    if turn.visit is not None:
        error = await turn.visit.instead_of(error)
        out.headers = _named(turn)
    desk.refused(error.code)
    error.request_id = turn.request_id
    await out.refuse(error)
