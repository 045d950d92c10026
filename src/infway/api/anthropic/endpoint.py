"""The Messages API: one request in, one message or one stream out."""

from collections.abc import Sequence

from infway.api.anthropic.blocks import Blocks
from infway.api.anthropic.message import (
    ID_HEADERS,
    Frames,
    Whole,
    frame,
    stop_of,
    usage_object,
)
from infway.api.anthropic.mirrored import renamed_body, renamed_start
from infway.api.anthropic.reading import read_request
from infway.api.anthropic.refusals import broken_frame, late_frame, refusal_body
from infway.api.exchange import Exchange
from infway.api.line import LineEndpoint
from infway.api.reading import missing
from infway.api.talk import Talk, Times, Writer
from infway.api.withheld import before_failure
from infway.kernel.chat import ChatRequest
from infway.kernel.errors import GatewayError
from infway.kernel.events import (
    Broken,
    Chunk,
    Event,
    Facts,
    Finish,
    Held,
    Joint,
    Raw,
    Usage,
    Verbatim,
)
from infway.pipeline.gateway import Answer
from infway.providers.shapes import write


class MessagesEndpoint(LineEndpoint):
    """Answers Messages requests."""

    walks = True
    id_headers = ID_HEADERS

    def read(
        self,
        exchange: Exchange,
        header: bytes,  # noqa: ARG002 - every key is the same here
        body: bytes,
        path_model: str | None,  # noqa: ARG002 - no path of this dialect names a model
    ) -> "MessagesTalk":
        """Return the request; raises CallerError."""
        ask, said = read_request(body, exchange.headers, exchange.request_id)
        if self.rules.require_model and ask.selection.model is None and not ask.selection.llms:
            raise missing("model")
        thinking = said.thinking
        return MessagesTalk(ask, shows=thinking is None or thinking.display != "omitted")

    def refusal(self, error: GatewayError) -> bytes:
        """Return the body of an error."""
        return refusal_body(error)


class MessagesTalk(Talk):
    """One Messages request. `shows`: its caller wants to read what the model thinks."""

    def __init__(self, ask: ChatRequest, *, shows: bool) -> None:
        super().__init__(ask)
        self.shows = shows

    def whole(self, answer: Answer, times: Times) -> bytes:  # noqa: ARG002 - no time is told
        """Return the message."""
        own = self.own(answer)
        raw = [event.data for event in answer.first if isinstance(event, Raw)]
        if answer.attempt.mirrored:
            return renamed_body(b"".join(raw), own)
        sink = Whole()
        growing = _Growing(Blocks(sink, f"toolu_{self.ask.id}", shows_thoughts=self.shows))
        for event in answer.first:
            growing.take(event)
        growing.blocks.end()
        return write(
            {
                **self.root(own),
                "content": sink.content,
                **growing.stop(),
                "usage": usage_object(answer.usage, growing.tier),
            }
        )

    def writer(self, answer: Answer, times: Times) -> Writer:  # noqa: ARG002 - no time is told
        """Return what writes a stream."""
        if answer.attempt.mirrored:
            return _Passing(self.own(answer), self.ask.id)
        return _Writing(self, answer)

    def late(self, error: GatewayError, times: Times) -> bytes:  # noqa: ARG002 - no time is told
        """Return the error."""
        return late_frame(error, self.ask.id)

    def own(self, answer: Answer) -> dict[str, str]:
        """Return the root fields that are infway's own in every reply."""
        return {"id": f"msg_{self.ask.id}", "model": answer.offer.model}

    @staticmethod
    def root(own: dict[str, str]) -> dict[str, object]:
        """Return how a message begins."""
        return {"id": own["id"], "type": "message", "role": "assistant", "model": own["model"]}


class _Growing:
    """What an answer said beside its blocks: how it ended, and its tier."""

    def __init__(self, blocks: Blocks) -> None:
        self.blocks = blocks
        self.tier: object = None
        self._finish: Finish | None = None

    def take(self, event: Event) -> None:
        """Take an event; of several choices the first is the message."""
        match event:
            case Facts():
                self.tier = event.fields.get("service_tier", self.tier)
            case Finish():
                self._finish = event if event.index == 0 else self._finish
            case Usage() | Raw() | Verbatim() | Chunk() | Joint() | Held() | Broken():
                pass  # counted elsewhere, or never sent to a caller of another dialect
            case _:
                if event.index == 0:
                    self.blocks.add(event)

    def stop(self) -> dict[str, object]:
        """Return why it ended."""
        return stop_of(self._finish, "".join(self.blocks.refusal))


class _Writing:
    """Writes a stream of blocks."""

    def __init__(self, talk: MessagesTalk, answer: Answer) -> None:
        self._talk = talk
        self._answer = answer
        self._frames = Frames()
        blocks = Blocks(self._frames, f"toolu_{talk.ask.id}", shows_thoughts=talk.shows)
        self._growing = _Growing(blocks)
        self._begun = False

    def encode(self, events: Sequence[Event]) -> bytes:
        """Return the frames of events."""
        broken = b""
        for event in events:
            if isinstance(event, Broken):
                broken = broken_frame(event.failure, self._talk.ask.id)
            else:
                self._growing.take(event)
        return self._beginning() + self._frames.take() + broken

    def close(self) -> bytes:
        """Return the rest of the blocks, why the answer ended, and the usage."""
        self._growing.blocks.end()
        usage = usage_object(self._answer.usage, self._growing.tier)
        del usage["service_tier"], usage["cache_creation"]
        return b"".join(
            (
                self._beginning(),
                self._frames.take(),
                frame("message_delta", delta=self._growing.stop(), usage=usage),
                frame("message_stop"),
            )
        )

    def cut(self) -> bytes:
        """Return what ends a stream after an error: nothing, clients stop at it."""
        return b""

    def _beginning(self) -> bytes:
        """Return the first event, once; the tokens in it are an estimate that the last corrects."""
        if self._begun:
            return b""
        self._begun = True
        talk = self._talk
        usage = usage_object(Usage(talk.ask.input_tokens, 0, 0), self._growing.tier)
        stop = {"stop_reason": None, "stop_sequence": None}
        message: dict[str, object] = talk.root(talk.own(self._answer))
        message |= {"content": (), **stop, "usage": usage}
        return frame("message_start", message=message)


class _Passing:
    """Passes on a stream of the same dialect."""

    def __init__(self, own: dict[str, str], request_id: str) -> None:
        self._own = own
        self._request_id = request_id
        self._is_renamed = False

    def encode(self, events: Sequence[Event]) -> bytes:
        """Return the frames as they came, but for the first and for errors."""
        data = b"".join([event.data for event in events if isinstance(event, Raw)])
        if not self._is_renamed:
            data, self._is_renamed = renamed_start(data, self._own)
        last = events[-1]
        if isinstance(last, Broken):
            return before_failure(data) + broken_frame(last.failure, self._request_id)
        return data

    def close(self) -> bytes:
        """Return nothing: the upstream ended its stream itself."""
        return b""

    def cut(self) -> bytes:
        """Return nothing: clients stop at an error."""
        return b""
