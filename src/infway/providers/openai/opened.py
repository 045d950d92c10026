"""Replies of the OpenAI dialect taken apart, for callers of other dialects.

The adapter passes whole frames on; here they become pieces: text, reasoning, tool calls.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from infway.kernel.chat import ChatRequest, HttpCall, Offer
from infway.kernel.events import (
    Annotation,
    Chunk,
    Detail,
    Event,
    Facts,
    Image,
    Logprobs,
    Piece,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Verbatim,
)
from infway.providers.adapter import Adapter, Decoder
from infway.providers.shapes import (
    Object,
    as_object,
    as_objects,
    as_text,
    as_word,
    read_object,
    value_of,
    write,
)
from infway.providers.sse import frames

_FACTS = ("service_tier", "system_fingerprint")


class Opened:
    """An adapter whose frames are opened; what it asks and how it fails stay the same."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self.limits = adapter.limits
        self.fault = adapter.fault

    def request(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the call."""
        return self._adapter.request(ask, offer)

    def whole(self, body: bytes) -> list[Event]:
        """Return the events of a whole reply; raises UpstreamFailed where it is none."""
        return Opener("message").open(self._adapter.whole(body))

    def decoder(self) -> Decoder:
        """Return a new decoder."""
        return _Decoder(self._adapter.decoder())


class _Decoder:
    def __init__(self, inner: Decoder) -> None:
        self._inner = inner
        self._opener = Opener("delta")

    @property
    def done(self) -> bool:
        """Whether the reply is over."""
        return self._inner.done

    def feed(self, data: bytes) -> list[Event]:
        """Return the pieces in `data`."""
        return self._opener.open(self._inner.feed(data))

    def close(self) -> list[Event]:
        """Return what the end of the bytes means."""
        return self._inner.close()


class _Place(NamedTuple):
    position: int
    id: str | None


class Opener:
    """Opens the chunks of one reply; facts are told once, and calls keep their places.

    `key`: where a choice says its part. Some vendors give `message` and `delta` side by side.
    """

    def __init__(self, key: str) -> None:
        self._key = key
        self._facts: dict[str, object] = {}
        self._calls: dict[tuple[int, int], _Place] = {}
        self._again: list[int] = []  # choices in which a place was given to one more call

    def open(self, events: Iterable[Event]) -> list[Event]:
        """Return events without frames and chunks."""
        opened: list[Event] = []
        for event in events:
            if isinstance(event, Verbatim):
                for frame in frames(event.block):
                    fields = read_object(frame.data) or {}
                    opened += self._choices(as_objects(fields.get("choices")))
            elif isinstance(event, Chunk):
                opened += self._chunk(event)
            else:
                opened.append(event)
        return opened

    def _chunk(self, chunk: Chunk) -> Iterator[Event]:
        facts = {name: value_of(chunk.fields[name]) for name in _FACTS if name in chunk.fields}
        facts = {name: said for name, said in facts.items() if said is not None}
        if not facts.items() <= self._facts.items():
            self._facts |= facts
            yield Facts(facts)
        yield from self._choices(chunk.choices)
        yield from chunk.finishes
        if chunk.usage is not None:
            yield chunk.usage

    def _choices(self, choices: Iterable[Mapping[str, object]]) -> Iterator[Piece]:
        for place, choice in enumerate(choices):
            number = value_of(choice.get("index"))
            index = number if isinstance(number, int) else place
            said = value_of(choice.get(self._key))
            yield from self._said(as_object(said), index)
            tokens = as_objects(as_object(value_of(choice.get("logprobs"))).get("content"))
            if tokens:
                yield Logprobs(tokens, index)

    def _said(self, part: Object, index: int) -> Iterator[Piece]:
        thought = as_text(part.get("reasoning_content")) or as_text(part.get("reasoning"))
        if thought:
            yield Reasoning(thought, index)
        for detail in as_objects(part.get("reasoning_details")):
            yield Detail(detail, index)
        text, refusal = as_text(part.get("content")), as_text(part.get("refusal"))
        if text:
            yield Text(text, index)
        if refusal:
            yield Refusal(refusal, index)
        yield from self._calls_in(part, index)
        yield from _beside(part, index)

    def _calls_in(self, part: Object, index: int) -> Iterator[ToolCall]:
        for place, call in enumerate(as_objects(part.get("tool_calls"))):
            yield self._call(call, place, index)
        old = as_object(part.get("function_call"))
        if old:
            yield self._call({"id": None, "function": old}, 0, index)

    def _call(self, call: Object, place: int, index: int) -> ToolCall:
        """Return a piece of a call; places are counted anew, some servers skip or repeat them."""
        function, custom = as_object(call.get("function")), as_object(call.get("custom"))
        google = as_object(as_object(call.get("extra_content")).get("google"))
        said, name = call.get("index"), as_word(call.get("id"))
        key = index, said if isinstance(said, int) else place
        known = self._calls.get(key)
        if known is None or (name and known.id and known.id != name):
            taken = sum(one == index for one, _ in self._calls) + self._again.count(index)
            if known is not None:
                self._again.append(index)
            known = _Place(taken, name)
        known = _Place(known.position, known.id or name)
        self._calls[key] = known
        return ToolCall(
            known.position,
            _arguments(function.get("arguments", custom.get("input"))),
            name,
            as_word(function.get("name")) or as_word(custom.get("name")),
            index,
            as_word(google.get("thought_signature")),
        )


def _arguments(said: object) -> str:
    """Return arguments as text; some servers give the object itself."""
    return write(said).decode() if isinstance(said, dict) else as_text(said)


def _beside(part: Object, index: int) -> Iterator[Piece]:
    for item in as_objects(part.get("annotations")):
        yield Annotation(item, index)
    for image in as_objects(part.get("images")):
        url = as_text(as_object(image.get("image_url")).get("url"))
        if url:
            yield Image(url, index)
