"""Amazon Bedrock's Converse and ConverseStream: one API for the models of many makers.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from infway.kernel.chat import ChatRequest, HttpCall, Offer
from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Broken, Event
from infway.kernel.faults import Failure, Fault
from infway.providers.bedrock.faults import exception_in, fault_of, inband_fault, is_error
from infway.providers.bedrock.reply import Blocks, read_message, read_tail
from infway.providers.bedrock.request import body_of
from infway.providers.conversation.parts import cannot_say
from infway.providers.conversation.reading import read
from infway.providers.eventstream import Message, MessageFramer
from infway.providers.shapes import as_count, as_object, as_word, is_object, read_object, write

_HEADERS: Mapping[str, str] = {"content-type": "application/json"}


class Bedrock:
    """The adapter of the dialect."""

    def request(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the call; the model's id or ARN stands in the path, coded wholly.

        Raises UpstreamFailed(untranslatable) for what has no words in it.
        """
        upstream = offer.upstream
        talk = read(ask, upstream)
        try:
            body = write(body_of(talk, offer))
        except RecursionError:
            cannot_say("messages", "nested too deeply.")
        url = upstream.chat_url.replace("{model}", quote(offer.native, safe=""))
        url = url.replace("{action}", "converse-stream" if ask.stream else "converse")
        return HttpCall(upstream.name, url, upstream.headers or _HEADERS, body, talk.dropped())

    def whole(self, body: bytes) -> list[Event]:
        """Return the events of a whole reply; raises UpstreamFailed where it is none."""
        said = read_object(body)
        if said is None:
            raise UpstreamFailed(Failure(Fault.INVALID_JSON, 200))
        if is_error(said):
            raise UpstreamFailed(inband_fault("", said))
        message = as_object(said.get("output")).get("message")
        if not is_object(message):
            raise UpstreamFailed(Failure(Fault.EMPTY_CHOICES, 200))
        blocks = Blocks()
        events = read_message(blocks, message)
        return [*events, *blocks.finish(as_word(said.get("stopReason"))), *read_tail(said)]

    def decoder(self) -> "Decoder":
        """Return a new decoder."""
        return Decoder()

    def limits(self, headers: Mapping[str, str]) -> None:
        """Bedrock says nothing of what is left."""

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        """Name an error reply by the exception's name, then the status, then the text."""
        return fault_of(status, headers, body)


class _Piece(msgspec.Struct):
    text: str | None = None


class _Delta(msgspec.Struct):
    """What most messages of a stream are: a piece of text."""

    delta: _Piece
    contentBlockIndex: int = 0  # noqa: N815 - the vendor's own name


_read_delta = msgspec.json.Decoder(_Delta).decode


class Decoder:
    """Reads one streamed reply: whole after `messageStop`, over after the `metadata` behind it."""

    def __init__(self) -> None:
        self.done = False
        self._framer = MessageFramer()
        self._blocks = Blocks()
        self._begun = False
        self._stopped = False

    def feed(self, data: bytes) -> list[Event]:
        """Return the events of the messages that are whole with `data`."""
        events: list[Event] = []
        if self.done:
            return events
        try:
            for message in self._framer.feed(data):
                events += self._read(message)
                if self.done:
                    break
        except UpstreamFailed as failed:
            self.done = True
            events.append(Broken(failed.failure))
        return events

    def close(self) -> list[Event]:
        """A stream that was not stopped was cut; one without any content never was an answer."""
        if self.done:
            return []
        self.done = True
        if self._stopped:
            return []
        fault = Fault.STREAM_CUT if self._begun else Fault.EMPTY_STREAM
        return [Broken(Failure(fault, 200))]

    def _read(self, message: Message) -> list[Event]:
        headers = message.headers
        name = headers.get(":event-type")
        if name == "contentBlockDelta":
            return self._piece(message.payload)
        if headers.get(":message-type") != "event":
            raise UpstreamFailed(exception_in(message))
        said = _object(message.payload)
        place = as_count(said.get("contentBlockIndex"))
        match name:
            case "contentBlockStart":
                self._begun = True
                return self._blocks.begin(place, as_object(said.get("start")))
            case "contentBlockStop":
                return self._blocks.end(place)
            case "messageStop":
                self._stopped = True
                return self._blocks.finish(as_word(said.get("stopReason")))
            case "metadata":
                self.done = self._stopped
                return read_tail(said)
            case _:
                return []

    def _piece(self, payload: bytes) -> list[Event]:
        self._begun = True
        try:
            said = _read_delta(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            said = None
        if said is not None and said.delta.text is not None:
            return self._blocks.say(said.contentBlockIndex, said.delta.text)
        other = _object(payload)
        place = as_count(other.get("contentBlockIndex"))
        return self._blocks.add(place, as_object(other.get("delta")))


def _object(payload: bytes) -> dict[str, object]:
    """Return the object of an event; raises UpstreamFailed(bad_event) where it is none."""
    said = read_object(payload)
    if said is None:
        raise UpstreamFailed(Failure(Fault.BAD_EVENT, 200))
    return said
