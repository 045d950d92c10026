"""Chat completions: one request in, one JSON body or one stream out."""

from collections.abc import Sequence

from infway.api.choice import CHOICES, check_choice
from infway.api.dialect import is_infuzu
from infway.api.encode_json import whole_body
from infway.api.encode_several import several_body
from infway.api.encode_sse import DONE, SseEncoder, late_error
from infway.api.exchange import Exchange
from infway.api.line import LineEndpoint
from infway.api.reading import Wishes, read_chat
from infway.api.stamp import Stamp, bill_fields, closing_fields
from infway.api.talk import Talk, Times
from infway.kernel.chat import ChatRequest
from infway.kernel.errors import CallerError, GatewayError
from infway.kernel.events import Event
from infway.pipeline.gateway import Answer
from infway.pipeline.several import Result


class ChatEndpoint(LineEndpoint):
    """Answers chat requests."""

    def read(
        self, exchange: Exchange, header: bytes, body: bytes, path_model: str | None
    ) -> "ChatTalk":
        """Return the request and what its reply should look like; raises CallerError."""
        ask, wishes = read_chat(body, exchange.request_id, path_model)
        if CHOICES & ask.parameters:
            check_choice(ask)
        if self.rules.require_model and ask.selection.model is None and not ask.selection.llms:
            raise CallerError(400, "missing_required_field", "model is required.", "model")
        if is_infuzu(header, exchange.path, wishes):
            wishes = wishes._replace(flat=True)
        if self.rules.always_usage_chunk and not wishes.usage_chunk:
            wishes = wishes._replace(usage_chunk=True)
        return ChatTalk(ask, wishes)


class ChatTalk(Talk):
    """One chat request. `wishes`: what the reply should look like."""

    has_several = True

    def __init__(self, ask: ChatRequest, wishes: Wishes) -> None:
        super().__init__(ask)
        self.wishes = wishes

    def whole(self, answer: Answer, times: Times) -> bytes:
        """Return the body of a whole reply."""
        wishes = self.wishes
        end, usage = times.now(), answer.attempt.usage
        extras = _extras(answer, wishes) if wishes.cost or wishes.warnings else {}
        stamp = self.stamp(answer, times)
        return whole_body(answer.first, stamp, usage, end, flat=wishes.flat, extras=extras)

    def several(self, answers: Sequence[Answer], failed: Sequence[Result], times: Times) -> bytes:
        """Return the body of several answers, best first, and of the models that failed."""
        parts = [(answer, self.stamp(answer, times)) for answer in answers]
        ends = [times.elapsed(answer.attempt.ended) for answer in answers]
        return several_body(parts, ends, failed, _extras(answers[0], self.wishes))

    def writer(self, answer: Answer, times: Times) -> "ChatWriter":
        """Return what writes a stream."""
        wishes = self.wishes
        stamp = self.stamp(answer, times)
        encoder = SseEncoder(stamp, times.now, flat=wishes.flat, usage_chunk=wishes.usage_chunk)
        return ChatWriter(encoder, answer, wishes)

    def late(self, error: GatewayError, times: Times) -> bytes:
        """Return the error, and the sentinel."""
        root: dict[str, object] = {
            "id": f"chatcmpl-{self.ask.id}",
            "object": "chat.completion.chunk",
            "created": times.created(),
            "model": self.ask.selection.model or "",
        }
        return late_error(error, root, flat=self.wishes.flat, text=self.wishes.text)

    def stamp(self, answer: Answer, times: Times) -> Stamp:
        """Return what is written into the reply."""
        return Stamp(
            id=f"chatcmpl-{self.ask.id}",
            created=int(times.clock.wall()),
            offer=answer.offer,
            rank=answer.rank,
            text=self.wishes.text,
            start=times.elapsed(answer.attempt.first),
        )


class ChatWriter:
    """Writes one stream of chat completion chunks."""

    def __init__(self, encoder: SseEncoder, answer: Answer, wishes: Wishes) -> None:
        self._encoder = encoder
        self._answer = answer
        self._wishes = wishes

    def encode(self, events: Sequence[Event]) -> bytes:
        """Return the frames of events."""
        return self._encoder.encode(events)

    def close(self) -> bytes:
        """Return usage where it belongs, and the sentinel."""
        answer = self._answer
        extras = closing_fields(answer.settlement, self._wishes)
        return self._encoder.close(answer.usage, extras)

    def cut(self) -> bytes:
        """Return the sentinel."""
        return DONE


def _extras(answer: Answer, wishes: Wishes) -> dict[str, object]:
    """Return what stands beside the answer at the root of a whole reply."""
    extras: dict[str, object] = bill_fields(answer.settlement.bill()) if wishes.cost else {}
    if wishes.flat and wishes.warnings:
        extras["warnings"] = [{"code": c, "message": m} for c, m in wishes.warnings]
    return extras
