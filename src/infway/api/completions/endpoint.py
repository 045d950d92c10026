"""Text completions: one request in, one JSON body or one stream out."""

from collections.abc import Sequence

import msgspec

from infway.api.completions.encode import OBJECT, Echo, TextEncoder, TextStamp, whole_text
from infway.api.completions.reading import TextRequest, read_text
from infway.api.dialect import is_infuzu, usage_object
from infway.api.encode_sse import DONE, late_error
from infway.api.errors import Header, error_body
from infway.api.exchange import Exchange
from infway.api.line import LineEndpoint
from infway.api.reading import missing
from infway.api.stamp import bill_fields, closing_fields
from infway.api.talk import Talk, Times
from infway.kernel.errors import GatewayError
from infway.kernel.events import Event
from infway.pipeline.gateway import Answer

_write = msgspec.json.Encoder().encode


class CompletionsEndpoint(LineEndpoint):
    """Answers text completion requests."""

    walks = True

    def read(
        self, exchange: Exchange, header: bytes, body: bytes, path_model: str | None
    ) -> "TextTalk":
        """Return the request and what its reply should look like; raises CallerError."""
        read = read_text(body, exchange.request_id, path_model)
        selection, wishes = read.ask.selection, read.wishes
        if self.rules.require_model and selection.model is None and not selection.llms:
            raise missing("model")
        wishes = wishes._replace(
            flat=is_infuzu(header, exchange.path, wishes),
            usage_chunk=wishes.usage_chunk or self.rules.always_usage_chunk,
        )
        return TextTalk(read._replace(wishes=wishes))

    def refusal(self, error: GatewayError) -> bytes:
        """Return the body of an error."""
        return error_body(_in_our_words(error))


class TextTalk(Talk):
    """One text completion request."""

    def __init__(self, request: TextRequest) -> None:
        super().__init__(request.ask)
        self.wishes = request.wishes
        self._request = request

    def whole(self, answer: Answer, times: Times) -> bytes:
        """Return the body of a whole reply."""
        echo = self.echo()
        events = answer.first if echo is None else echo.whole(answer.first)
        body = whole_text(events, self.stamp(answer, times), times.now())
        body["usage"] = usage_object(answer.usage, flat=self.wishes.flat)
        return _write(body | self.cost(answer))

    def writer(self, answer: Answer, times: Times) -> "TextWriter":
        """Return what writes a stream."""
        wishes = self.wishes
        stamp = self.stamp(answer, times)
        encoder = TextEncoder(stamp, times.now, flat=wishes.flat, usage_chunk=wishes.usage_chunk)
        return TextWriter(encoder, answer, self)

    def late(self, error: GatewayError, times: Times) -> bytes:
        """Return the error, and the sentinel."""
        root: dict[str, object] = {
            "id": f"cmpl-{self.ask.id}",
            "object": OBJECT,
            "created": times.created(),
            "model": self.ask.selection.model or "",
        }
        return late_error(_in_our_words(error), root, flat=self.wishes.flat, text=True)

    def headers(self, answer: Answer) -> list[Header]:
        """Tell where a chat carried the prompt."""
        return [] if answer.attempt.mirrored else [(b"x-gateway-carried", b"chat")]

    def stamp(self, answer: Answer, times: Times) -> TextStamp:
        """Return what is written into the reply."""
        return TextStamp(
            id=f"cmpl-{self.ask.id}",
            created=times.created(),
            offer=answer.offer,
            rank=answer.rank,
            text=False,
            start=times.elapsed(answer.attempt.first),
        )

    def echo(self) -> Echo | None:
        """Return what repeats the prompts, where that was asked and no upstream has to do it."""
        said = self._request
        return Echo(said.echo, said.n) if said.echo else None

    def cost(self, answer: Answer) -> dict[str, object]:
        """Return what the reply says of its cost."""
        return bill_fields(answer.settlement.bill()) if self.wishes.cost else {}


class TextWriter:
    """Writes one stream of text completions."""

    def __init__(self, encoder: TextEncoder, answer: Answer, talk: TextTalk) -> None:
        self._encoder = encoder
        self._answer = answer
        self._talk = talk
        self._echo = talk.echo()

    def encode(self, events: Sequence[Event]) -> bytes:
        """Return the frames of events."""
        echo = self._echo
        return self._encoder.encode(events if echo is None else list(echo.before(events)))

    def close(self) -> bytes:
        """Return usage where it belongs, and the sentinel."""
        answer = self._answer
        return self._encoder.close(
            answer.usage, closing_fields(answer.settlement, self._talk.wishes)
        )

    def cut(self) -> bytes:
        """Return the sentinel."""
        return DONE


def _in_our_words(error: GatewayError) -> GatewayError:
    """Return an error whose field is the prompt where it was the messages of a chat."""
    if error.param is not None and error.param.startswith("messages"):
        error.param = "prompt"
    return error
