"""The endpoint of one kind of work: read, asked for, passed on."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from infway.accounts.keys import Keyring
from infway.api.auth import know
from infway.api.errors import Header, broken_object
from infway.api.exchange import FORM, Exchange
from infway.api.intake import goes_on
from infway.api.line import Rules, listed
from infway.api.multipart import read_form
from infway.api.passing.reading import Caller, Read, Wanted, read_work_form
from infway.api.presence import Presence
from infway.api.served import ServedEndpoint
from infway.api.stamp import bill_fields
from infway.api.stream import EventStream
from infway.kernel.chat import Feature, Principal
from infway.kernel.errors import CallerError
from infway.kernel.faults import Failure
from infway.pipeline.handed import Handed
from infway.pipeline.passing import EVENTS, Passed, PassingGateway, Stream
from infway.providers.passing.passer import Whole

_write = msgspec.json.Encoder().encode


class Job(NamedTuple):
    """What one endpoint does. `read`: reads its JSON, None where it takes forms alone.

    `forms`: it takes forms with files.
    """

    work: Feature
    read: Read | None
    forms: bool = False


class PassingEndpoint(ServedEndpoint[PassingGateway]):
    """Answers requests for one kind of work."""

    def __init__(
        self,
        job: Job,
        gateway: PassingGateway,
        keyring: Keyring,
        rules: Rules,
        traces: Callable[[float], list[Header]],
    ) -> None:
        super().__init__(gateway, keyring, rules, traces)
        self._job = job
        kinds = [FORM.decode()] * job.forms + ["application/json"] * (job.read is not None)
        self._takes = " or ".join(kinds)

    async def answer(self, exchange: Exchange, path_model: str | None) -> None:
        """Answer one exchange; raises GatewayError where the edge has to."""
        exchange.check_size(self.rules.body_limit)
        who, _ = know(self.keyring, exchange.headers)
        if who.account is not None:
            exchange.visit = self.visits.of(who, exchange.request_id)
        wanted = await self._read(exchange, path_model)
        if exchange.visit is not None:
            await exchange.visit.enter(wanted.ask)
        self._check(wanted)
        passed: Passed | None = None
        with Presence(exchange):
            passed = await self._pass(exchange, wanted, who)
        if passed is None:
            return
        whole = passed.passage.reply
        if isinstance(whole, Whole):
            body = whole.body
            if wanted.tells_cost and whole.fields is not None:
                body = _write({**whole.fields, **bill_fields(passed.settlement.bill())})
            passed.settle()
            await exchange.reply(200, self._whole_head(exchange, passed, whole), body)

    async def _read(self, exchange: Exchange, path_model: str | None) -> Wanted:
        job, rules = self._job, self.rules
        caller = Caller(exchange.request_id, path_model, rules.require_model)
        kind = exchange.kind()
        form = job.read is None or (job.forms and kind.lower().startswith(FORM))
        body = await exchange.read_json(rules.body_limit, form=form, takes=self._takes)
        if job.read is None or form:
            return read_work_form(job.work, read_form(kind, body), caller)
        return job.read(job.work, body, caller)

    def _check(self, wanted: Wanted) -> None:
        """Raise CallerError where the model is left open and there is none to choose."""
        if not self.gateway.router.catalog.resolve(wanted.ask.selection.model).offers:
            message = "No upstream here has a model for this work."
            raise CallerError(404, "model_not_found", message, "model")

    async def _pass(self, exchange: Exchange, wanted: Wanted, who: Principal) -> Passed:
        """Return the answer; a stream has been passed on by then."""
        passed = await self.gateway.ask(wanted.ask, who)
        reply = passed.passage.reply
        if isinstance(reply, Stream):
            if reply.watch is None:
                await self._sound(exchange, passed, reply)
            else:
                await self._events(exchange, passed, reply)
        return passed

    async def _events(self, exchange: Exchange, passed: Passed, reply: Stream) -> None:
        """Pass events on; between them comments keep a silent connection alive."""
        head = self._stream_head(exchange, passed, reply)
        out = EventStream(exchange, self.rules.heartbeat, lambda: head)
        with out:
            try:
                async with Handed(passed.passage.pieces(reply)) as pieces:
                    async for piece in pieces:
                        await out.write(piece)
            except asyncio.CancelledError as ended:
                if not goes_on(ended):
                    raise
        broken = passed.passage.broken
        await out.end(b"" if broken is None else _late(broken))

    async def _sound(self, exchange: Exchange, passed: Passed, reply: Stream) -> None:
        """Pass a sound on; one that is cut ends without the end that HTTP gives a whole one.

        The head goes with the first piece: only pieces that have begun settle when they are left.
        """
        async with Handed(passed.passage.pieces(reply)) as pieces:
            async for piece in pieces:
                if not exchange.started:
                    await exchange.start(200, self._stream_head(exchange, passed, reply))
                await exchange.send(
                    {"type": "http.response.body", "body": piece, "more_body": True}
                )
        if passed.passage.broken is None:
            await exchange.send({"type": "http.response.body", "body": b""})

    def _whole_head(self, exchange: Exchange, passed: Passed, reply: Whole) -> list[Header]:
        return [
            *self._headers(exchange, passed),
            (b"content-type", reply.kind.encode("latin-1", "replace")),
            (b"cache-control", b"private, no-store"),
            (b"infe-unit-cost", passed.settlement.credits.encode()),
        ]

    def _stream_head(self, exchange: Exchange, passed: Passed, reply: Stream) -> list[Header]:
        kind = f"{EVENTS}; charset=utf-8" if reply.watch is not None else reply.kind
        return [
            *self._headers(exchange, passed),
            (b"content-type", kind.encode("latin-1", "replace")),
            (b"cache-control", b"private, no-store"),
            (b"x-accel-buffering", b"no"),
        ]

    def _headers(self, exchange: Exchange, passed: Passed) -> list[Header]:
        """Return the headers that tell where an answer came from."""
        told = ", ".join(
            f"{one.offer.upstream.name}:{'ok' if one.failure is None else one.failure.fault.value}"
            for one in passed.settlement.attempts
        )
        headers = self.traces(exchange.began)
        headers.append((b"x-gateway-provider", passed.offer.upstream.name.encode()))
        headers.append((b"x-gateway-attempts", told.encode()))
        if passed.attempt.dropped:
            headers.append((b"x-gateway-dropped", listed(passed.attempt.dropped)))
        return headers


def _late(failure: Failure) -> bytes:
    """Return the event that ends a stream which broke; OpenAI's SDKs raise it as an error."""
    return b"event: error\ndata: %b\n\n" % _write({"error": broken_object(failure)})
