"""`generateContent` and `streamGenerateContent`: one request in, one reply or one stream out."""

from collections.abc import Sequence
from urllib.parse import parse_qsl

from infway.accounts.keys import Keyring
from infway.api.auth import know
from infway.api.errors import Header
from infway.api.exchange import Exchange
from infway.api.gemini.errors import refusal_of
from infway.api.gemini.paths import model_of
from infway.api.gemini.reading import Wishes, read_generate
from infway.api.gemini.reply import (
    Events,
    Framing,
    GeminiWriter,
    Listing,
    MirrorWriter,
    Stamp,
    mirrored_body,
    whole_body,
)
from infway.api.line import LineEndpoint, Rules
from infway.api.talk import Talk, Times, Writer
from infway.kernel.chat import ChatRequest, Principal
from infway.kernel.clock import Clock
from infway.kernel.errors import GatewayError
from infway.pipeline.gateway import Answer, Gateway

# Google's SDK for Python takes a comment for an answer: blank lines keep a stream alive
_SILENCE = b"\n\n"


class GenerateEndpoint(LineEndpoint):
    """Answers requests for content. `stream`: piece by piece."""

    walks = True

    def __init__(
        self, gateway: Gateway, keyring: Keyring, rules: Rules, clock: Clock, *, stream: bool
    ) -> None:
        super().__init__(gateway, keyring, rules, clock)
        self._is_stream = stream

    def who(self, exchange: Exchange) -> tuple[Principal, bytes]:
        """Return who asks; the key may be in the address, where Google's clients put it."""
        return know(self.keyring, exchange.headers, exchange.query)

    def read(
        self,
        exchange: Exchange,
        header: bytes,  # noqa: ARG002 - all keys are alike here
        body: bytes,
        path_model: str | None,
    ) -> "GeminiTalk":
        """Return the request; raises CallerError with the path of the field."""
        model = model_of(path_model)
        ask, wishes = read_generate(body, exchange.request_id, model, stream=self._is_stream)
        return GeminiTalk(ask, wishes, is_listed=self._is_stream and not wants_events(exchange))

    def refusal(self, error: GatewayError) -> bytes:
        """Return the body of an error in Google's shape."""
        return refusal_of(error)

    def _stream_head(
        self, exchange: Exchange, talk: Talk, answers: Sequence[Answer]
    ) -> list[Header]:
        head = super()._stream_head(exchange, talk, answers)
        if not (isinstance(talk, GeminiTalk) and talk.is_listed):
            return head
        return [
            (b"content-type", b"application/json") if h[0] == b"content-type" else h for h in head
        ]


class GeminiTalk(Talk):
    """One request for content. `is_listed`: its stream is a JSON array."""

    comment = _SILENCE

    def __init__(self, ask: ChatRequest, wishes: Wishes, *, is_listed: bool) -> None:
        super().__init__(ask)
        self.wishes = wishes
        self.is_listed = is_listed
        self._framing: Framing = Listing() if is_listed else Events()

    def whole(self, answer: Answer, times: Times) -> bytes:  # noqa: ARG002 - no time is told
        """Return the body of a whole reply."""
        if answer.attempt.mirrored:
            return mirrored_body(answer)
        return whole_body(answer, self._stamp(answer), self.wishes)

    def writer(self, answer: Answer, times: Times) -> Writer:  # noqa: ARG002 - no time is told
        """Return what writes a stream."""
        if answer.attempt.mirrored:
            return MirrorWriter(self._framing)
        return GeminiWriter(answer, self._stamp(answer), self._framing, self.wishes)

    def late(self, error: GatewayError, times: Times) -> bytes:  # noqa: ARG002 - no time is told
        """Return the error, and the end."""
        return self._framing.frame(refusal_of(error)) + self._framing.end()

    def _stamp(self, answer: Answer) -> Stamp:
        return Stamp(self.ask.id, answer.offer.model)


def wants_events(exchange: Exchange) -> bool:
    """Tell whether a stream of server-sent events is asked for."""
    asked = parse_qsl(exchange.query.decode("latin-1"))
    return ("alt", "sse") in asked
