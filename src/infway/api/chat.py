"""Chat completions: one request in, one JSON body or one stream out."""

import logging
import re
from contextlib import aclosing
from dataclasses import dataclass

from infway.accounts.keys import Keyring
from infway.api.auth import know
from infway.api.dialect import is_infuzu
from infway.api.encode_json import whole_body
from infway.api.encode_several import several_body
from infway.api.encode_sse import DONE, SseEncoder, late_error
from infway.api.errors import Header, own_fault
from infway.api.exchange import Exchange
from infway.api.presence import Presence
from infway.api.reading import Wishes, read_chat
from infway.api.stamp import Stamp, bill_fields
from infway.api.stream import EventStream
from infway.kernel.chat import ChatRequest, Principal
from infway.kernel.clock import Clock
from infway.kernel.errors import GatewayError
from infway.kernel.events import Broken
from infway.kernel.money import usd_text
from infway.pipeline.gateway import Answer, Bill, Gateway
from infway.pipeline.several import Result, answer_several

_log = logging.getLogger(__name__)
_UNPRINTABLE = re.compile(r"[^ -~]")
_LONGEST_LIST = 2000  # bytes of a header


@dataclass(frozen=True, slots=True)
class ChatRules:
    """What the configuration says of this endpoint. Sizes in bytes, times in seconds."""

    body_limit: int = 20 * 1024 * 1024
    heartbeat: float = 15.0
    region: str | None = None
    require_model: bool = False
    always_usage_chunk: bool = False


class ChatEndpoint:
    """Answers chat requests. `keyring` and `rules` are swapped when settings are read again."""

    def __init__(self, gateway: Gateway, keyring: Keyring, rules: ChatRules, clock: Clock) -> None:
        self.gateway = gateway
        self.keyring = keyring
        self.rules = rules
        self._clock = clock

    async def answer(self, exchange: Exchange, path_model: str | None) -> None:
        """Answer one exchange; raises GatewayError where the edge has to."""
        exchange.check_size(self.rules.body_limit)
        who, header = know(self.keyring, exchange.headers)
        body = await exchange.read_json(self.rules.body_limit)
        ask, wishes = read_chat(body, exchange.request_id, path_model)
        if self.rules.require_model and ask.selection.model is None and not ask.selection.llms:
            raise GatewayError(400, "missing_required_field", "model is required.", param="model")
        if is_infuzu(header, exchange.path, wishes):
            wishes = wishes._replace(flat=True)
        if wishes.stream:
            await self._stream(exchange, ask, who, wishes)
        elif ask.selection.imsn > 1:
            await self._several(exchange, ask, who, wishes)
        else:
            await self._whole(exchange, ask, who, wishes)

    async def _whole(
        self, exchange: Exchange, ask: ChatRequest, who: Principal, wishes: Wishes
    ) -> None:
        answer: Answer | None = None
        with Presence(exchange.receive):
            answer = await self.gateway.chat(ask, who)
        if answer is None:
            return
        answer.settle()
        end = self._milliseconds(exchange)
        bill = answer.bill()
        extras = _extras(bill, wishes)
        usage = answer.attempt.usage
        stamp = self._stamp(exchange, answer, wishes)
        body = whole_body(answer.first, stamp, usage, end, flat=wishes.flat, extras=extras)
        await exchange.reply(200, self._whole_head(exchange, [answer], bill.total), body)

    async def _stream(
        self, exchange: Exchange, ask: ChatRequest, who: Principal, wishes: Wishes
    ) -> None:
        answers: list[Answer] = []
        out = EventStream(
            exchange, self.rules.heartbeat, lambda: self._stream_head(exchange, answers)
        )
        last = b""
        with Presence(exchange.receive) as presence, out:
            try:
                answers.append(await self.gateway.chat(ask, who))
                last = await self._relay(exchange, answers[0], out, wishes)
            except GatewayError as error:
                if not exchange.started:
                    raise
                last = self._late(exchange, ask, wishes, error)
            except Exception:
                if not exchange.started:
                    raise
                _log.exception("request %s failed inside infway", exchange.request_id)
                last = self._late(exchange, ask, wishes, own_fault())
        if not presence.left:
            await out.end(last)
        if answers:
            await answers[0].finish()

    def _late(
        self, exchange: Exchange, ask: ChatRequest, wishes: Wishes, error: GatewayError
    ) -> bytes:
        """Return what ends a stream whose head was sent: the error, and the sentinel."""
        root: dict[str, object] = {
            "id": f"chatcmpl-{exchange.request_id}",
            "object": "chat.completion.chunk",
            "created": int(self._clock.wall()),
            "model": ask.selection.model or "",
        }
        return late_error(error, root, flat=wishes.flat, text=wishes.text)

    async def _relay(
        self, exchange: Exchange, answer: Answer, out: EventStream, wishes: Wishes
    ) -> bytes:
        """Pass the events on as they come; return the bytes that end the stream."""
        usage_chunk = wishes.usage_chunk or self.rules.always_usage_chunk
        stamp = self._stamp(exchange, answer, wishes)
        encoder = SseEncoder(
            stamp, lambda: self._milliseconds(exchange), flat=wishes.flat, usage_chunk=usage_chunk
        )
        async with aclosing(answer.batches()) as batches:
            async for events in batches:
                data = encoder.encode(events)
                if isinstance(events[-1], Broken):
                    return data + DONE
                if data:
                    await out.write(data)
        usage = answer.attempt.usage
        return encoder.close(usage, bill_fields(answer.bill()) if wishes.cost else {})

    async def _several(
        self, exchange: Exchange, ask: ChatRequest, who: Principal, wishes: Wishes
    ) -> None:
        results: list[Result] = []
        with Presence(exchange.receive):
            results = await answer_several(self.gateway, ask, who)
        if not results:
            return
        answers = [result.answer for result in results if result.answer is not None]
        parts = [(answer, self._stamp(exchange, answer, wishes)) for answer in answers]
        failed = [result for result in results if result.answer is None]
        ends = [self._elapsed(exchange, answer.attempt.ended) for answer in answers]
        bill = answers[0].bill()
        body = several_body(parts, ends, failed, _extras(bill, wishes))
        await exchange.reply(200, self._whole_head(exchange, answers, bill.total), body)

    def _stamp(self, exchange: Exchange, answer: Answer, wishes: Wishes) -> Stamp:
        return Stamp(
            id=f"chatcmpl-{exchange.request_id}",
            created=int(self._clock.wall()),
            offer=answer.offer,
            rank=answer.rank,
            text=wishes.text,
            start=self._elapsed(exchange, answer.attempt.first),
        )

    def _elapsed(self, exchange: Exchange, until: float | None) -> int:
        return 0 if until is None else round((until - exchange.began) * 1000)

    def _milliseconds(self, exchange: Exchange) -> int:
        return self._elapsed(exchange, self._clock.monotonic())

    def traces(self, began: float) -> list[Header]:
        """Return what every reply tells of itself: how long it took since `began`, and where."""
        took = round((self._clock.monotonic() - began) * 1000)
        headers: list[Header] = [(b"openai-processing-ms", b"%d" % took)]
        if self.rules.region is not None:
            headers.append((b"x-infe-region", self.rules.region.encode()))
        return headers

    def _headers(self, exchange: Exchange, answers: list[Answer]) -> list[Header]:
        """Return the headers that tell where an answer came from."""
        headers = self.traces(exchange.began)
        if answers:
            attempts = answers[0].settlement.attempts
            told = ", ".join(
                f"{a.offer.upstream.name}:{'ok' if a.failure is None else a.failure.fault.value}"
                for a in attempts
            )
            headers.append((b"x-gateway-provider", answers[0].offer.upstream.name.encode()))
            headers.append((b"x-gateway-attempts", told.encode()))
            if answers[0].attempt.dropped:
                headers.append((b"x-gateway-dropped", listed(answers[0].attempt.dropped)))
        return headers

    def _whole_head(self, exchange: Exchange, answers: list[Answer], cost: int) -> list[Header]:
        return [
            *self._headers(exchange, answers),
            (b"content-type", b"application/json"),
            (b"cache-control", b"private, no-store"),
            (b"infe-unit-cost", usd_text(cost, 6).encode()),
        ]

    def _stream_head(self, exchange: Exchange, answers: list[Answer]) -> list[Header]:
        return [
            *self._headers(exchange, answers),
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-cache"),
            (b"x-accel-buffering", b"no"),
        ]


def _extras(bill: Bill, wishes: Wishes) -> dict[str, object]:
    """Return what stands beside the answer at the root of a whole reply."""
    extras: dict[str, object] = bill_fields(bill) if wishes.cost else {}
    if wishes.flat and wishes.warnings:
        extras["warnings"] = [{"code": c, "message": m} for c, m in wishes.warnings]
    return extras


def listed(names: tuple[str, ...]) -> bytes:
    """Return what was not carried as the value of a header: names that callers made up are tamed."""
    return _UNPRINTABLE.sub("?", ", ".join(names))[:_LONGEST_LIST].encode()
