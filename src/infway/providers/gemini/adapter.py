"""Google's Gemini dialect, `generateContent`, as AI Studio and Vertex AI serve it.

https://ai.google.dev/api/generate-content. A stream has no mark of its end: it is whole where it
ends after every candidate that began has finished.
"""

from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from infway.kernel.chat import ChatRequest, HttpCall, Offer
from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Broken, Event
from infway.kernel.faults import Failure, Fault
from infway.providers.conversation.parts import Conversation
from infway.providers.conversation.reading import read
from infway.providers.gemini.config import generation_config
from infway.providers.gemini.contents import prompt_of
from infway.providers.gemini.faults import fault_of
from infway.providers.gemini.models import traits_of
from infway.providers.gemini.reply import Reply
from infway.providers.gemini.tools import tool_config, tools_of
from infway.providers.gemini.wire import Frame
from infway.providers.shapes import Object, as_object, write
from infway.providers.sse import MAX_EVENT, Framer, frames

HEADERS: Mapping[str, str] = {"content-type": "application/json"}
_WHOLE, _STREAM = "generateContent", "streamGenerateContent?alt=sse"
_TIERS: Mapping[object, str] = {"default": "standard", "flex": "flex", "priority": "priority"}
VERTEX = "/publishers/"
"""What is in the address of every model on Vertex AI."""
_BLANK = b" \t\r\n\xef\xbb\xbf"  # with the byte order mark

_read_frame = msgspec.json.Decoder(Frame).decode
_read_frames = msgspec.json.Decoder(list[Frame]).decode
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Gemini:
    """The adapter of the dialect."""

    def request(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the call. Raises UpstreamFailed(untranslatable) where Gemini has no words."""
        upstream = offer.upstream
        talk = read(ask, upstream)
        body = _body(talk, offer)
        for name, value in upstream.defaults.items():
            mine = body.get(name)
            body[name] = {**as_object(value), **mine} if isinstance(mine, dict) else mine or value
        url = address(upstream.chat_url, offer.native, stream=ask.stream)
        return HttpCall(
            upstream.name, url, upstream.headers or HEADERS, write(body), talk.dropped()
        )

    def whole(self, body: bytes) -> list[Event]:
        """Return the events of a whole reply; raises UpstreamFailed where it is none."""
        reply = Reply()
        events: list[Event] = []
        try:
            listed = body.lstrip(_BLANK)[:1] == b"["
            for frame in _read_frames(body) if listed else [_read_frame(body)]:
                events += reply.read(frame)
        except _UNREADABLE as error:
            raise UpstreamFailed(Failure(Fault.INVALID_JSON, 200)) from error
        if reply.is_empty:
            raise UpstreamFailed(Failure(Fault.EMPTY_CHOICES, 200))
        return events + reply.end()

    def decoder(self) -> "Decoder":
        """Return a new decoder."""
        return Decoder()

    def limits(self, headers: Mapping[str, str]) -> None:
        """Know no limits: Google says none in headers."""

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        """Name an error reply by the vendor's reason, then its status, then the text."""
        return fault_of(status, headers, body)


class Decoder:
    """Reads one streamed reply: events, or the list that comes without `alt=sse`, at its end."""

    def __init__(self) -> None:
        self.done = False
        self._reply = Reply()
        self._framer = Framer()
        self._head = b""
        self._list: bytearray | None = None
        self._is_known = False

    def feed(self, data: bytes) -> list[Event]:
        """Return the events of the frames that are complete with `data`."""
        if self.done:
            return []
        if not self._is_known:
            data = self._look(data)
        if self._list is None:
            return self._read([frame.data for frame in frames(self._framer.feed(data))])
        self._list += data
        if len(self._list) > MAX_EVENT:
            raise UpstreamFailed(Failure(Fault.TOO_LARGE))
        return []

    def close(self) -> list[Event]:
        """Return how the reply ended, or `Broken` where a candidate that began has not finished."""
        if self.done:
            return []
        events = [] if self._list is None else self._read([bytes(self._list)])
        if self.done:
            return events
        self.done = True
        if self._reply.is_whole:
            return events + self._reply.end()
        fault = Fault.STREAM_CUT if self._reply.begun else Fault.EMPTY_STREAM
        return [*events, Broken(Failure(fault, 200))]

    def _look(self, data: bytes) -> bytes:
        """Find out by the first letter what comes; return what there is to read so far."""
        self._head += data
        begins = self._head.lstrip(_BLANK)[:1]
        if not begins:
            return b""
        self._is_known = True
        self._list = bytearray() if begins == b"[" else None
        return self._head

    def _read(self, texts: list[bytes]) -> list[Event]:
        events: list[Event] = []
        for text in texts:
            try:
                for frame in _parse(text):
                    events += self._reply.read(frame)
            except UpstreamFailed as failed:
                return self._break(events, failed.failure)
            except _UNREADABLE:
                return self._break(events, Failure(Fault.BAD_EVENT, 200))
        return events

    def _break(self, events: list[Event], failure: Failure) -> list[Event]:
        self.done = True
        return [*events, Broken(failure)]


def address(url: str, native: str, *, stream: bool) -> str:
    """Return where a model is asked, whole or as a stream."""
    model = quote(native.removeprefix("models/"), safe="")
    return url.replace("{model}", model).replace("{action}", _STREAM if stream else _WHOLE)


def _parse(text: bytes) -> list[Frame]:
    """Return the frames of a text: one, several in a list, or none where it is empty."""
    text = text.strip(_BLANK)
    if not text:
        return []
    return _read_frames(text) if text.startswith(b"[") else [_read_frame(text)]


def _body(talk: Conversation, offer: Offer) -> dict[str, object]:
    traits = traits_of(offer.native)
    vertex = VERTEX in offer.upstream.chat_url
    prompt = prompt_of(talk, traits, vertex=vertex)
    said: dict[str, Object | list[Object] | str | None] = {
        "systemInstruction": {"parts": prompt.system} if prompt.system else None,
        "contents": prompt.contents,
        "tools": tools_of(talk),
        "toolConfig": tool_config(talk, traits, vertex=vertex),
        "generationConfig": generation_config(talk, traits, offer.max_output, vertex=vertex),
        "serviceTier": _tier(talk, vertex=vertex),
    }
    return {name: value for name, value in said.items() if value}


def _tier(talk: Conversation, *, vertex: bool) -> str | None:
    """Return the tier in AI Studio's words; Vertex AI is told in a header, if at all."""
    asked = talk.take("service_tier")
    tier = None if vertex else _TIERS.get(asked)
    if asked not in (None, "auto") and tier is None:
        talk.drop("service_tier")
    return tier
