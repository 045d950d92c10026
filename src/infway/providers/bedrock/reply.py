"""What Amazon Bedrock's Converse says, as events: content blocks, the end, the tokens.

A whole message is read as the stream that would have said it.
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html
"""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from infway.kernel.events import (
    Annotation,
    Detail,
    Event,
    Facts,
    Finish,
    Image,
    Reasoning,
    Text,
    ToolCall,
    Usage,
)
from infway.providers.shapes import (
    Object,
    as_count,
    as_object,
    as_objects,
    as_text,
    as_word,
    is_object,
    write,
)

FINISHES: Mapping[str, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
    "refusal": "content_filter",
    "malformed_model_output": "error",
    "malformed_tool_use": "error",
}
# Whose signature a reasoning block bears: Claude's are the same at Anthropic, hidden blocks are not
SIGNED, HIDDEN = "anthropic-claude-v1", "amazon-bedrock-v1"
_SERVER = "server_tool_use"


@dataclass(slots=True)
class _Block:
    """One content block. `start`: how many characters were said before it.

    `call`: the place of its tool call, None where it is none.
    """

    start: int
    call: int | None = None
    has_text: bool = False
    has_arguments: bool = False
    thoughts: list[str] = field(default_factory=list[str])
    signature: list[str] = field(default_factory=list[str])
    hidden: list[str] = field(default_factory=list[str])
    citations: list[Object] = field(default_factory=list[Object])
    image: str = ""
    pixels: list[str] = field(default_factory=list[str])


class Blocks:
    """Reads the content blocks of one reply, piece by piece."""

    def __init__(self) -> None:
        self._open: dict[int, _Block] = {}
        self._calls = 0
        self._said = 0
        self._last_text = 0  # where the last block with text began

    def say(self, place: int, text: str) -> list[Event]:
        """Read a piece of text of the block at `place`."""
        if not text:
            return []
        block = self._block(place)
        if not block.has_text:
            block.has_text = True
            block.start = self._last_text = self._said
        self._said += len(text)
        return [Text(text)]

    def begin(self, place: int, start: Object) -> list[Event]:
        """Begin a block that says what it is: a tool call or a picture.

        What the vendor's own tools do is neither text nor a call.
        """
        block = self._open[place] = _Block(self._said)
        block.image = as_text(as_object(start.get("image")).get("format"))
        call = start.get("toolUse")
        if not is_object(call) or call.get("type") == _SERVER:
            return []
        block.call = self._calls
        self._calls += 1
        name, id_ = as_text(call.get("name")), as_text(call.get("toolUseId"))
        return [ToolCall(block.call, "", id_ or f"call_{block.call}", name)]

    def add(self, place: int, delta: Object) -> list[Event]:
        """Read a piece of a block."""
        block = self._block(place)
        if is_object(delta.get("citation")):
            block.citations.append(as_object(delta["citation"]))
        block.pixels += _texts(as_object(as_object(delta.get("image")).get("source")), "bytes")
        text = as_text(delta.get("text"))
        return [
            *self.say(place, text),
            *_thought(block, as_object(delta.get("reasoningContent"))),
            *_arguments(block, as_text(as_object(delta.get("toolUse")).get("input"))),
        ]

    def end(self, place: int) -> list[Event]:
        """End a block: what is told of it only once it is whole."""
        block = self._open.pop(place, None)
        if block is None:
            return []
        events: list[Event] = [*_details(block), *self._citations(block)]
        if block.call is not None and not block.has_arguments:
            events.append(ToolCall(block.call, "{}"))
        pixels = _joined(block.pixels)
        if pixels:
            events.append(Image(f"data:image/{block.image or 'png'};base64,{pixels}"))
        return events

    def finish(self, native: str | None) -> list[Event]:
        """End the reply, and every block that is still open."""
        events = [event for place in sorted(self._open) for event in self.end(place)]
        reason = FINISHES.get((native or "").lower(), "stop")
        if reason == "stop" and self._calls:
            reason = "tool_calls"
        return [*events, Finish(0, reason, native)]

    def _block(self, place: int) -> _Block:
        return self._open.setdefault(place, _Block(self._said))

    def _citations(self, block: _Block) -> Iterator[Event]:
        """Say what a block rests on; one without text speaks of the text before it."""
        start = block.start if block.has_text else self._last_text
        for citation in block.citations:
            yield Annotation(_annotation(citation, start, self._said))


def read_message(blocks: Blocks, message: Object) -> list[Event]:
    """Return the events of a whole message but for its end, which `Blocks.finish` says."""
    events: list[Event] = []
    for place, block in enumerate(as_objects(message.get("content"))):
        events += blocks.begin(place, block)
        for delta in _deltas(block):
            events += blocks.add(place, delta)
        events += blocks.end(place)
    return events


def read_tail(said: Object) -> list[Event]:
    """Return what is told beside the message: the tier that served it, and the tokens."""
    events: list[Event] = []
    tier = as_word(as_object(said.get("serviceTier")).get("type"))
    if tier is not None:
        events.append(Facts({"service_tier": tier}))
    if is_object(said.get("usage")):
        events.append(_usage(as_object(said["usage"])))
    return events


def _usage(said: Object) -> Usage:
    """Return the tokens; what came from the cache or went into it is not in `inputTokens`."""
    cached = as_count(said.get("cacheReadInputTokens"))
    written = as_count(said.get("cacheWriteInputTokens"))
    prompt = as_count(said.get("inputTokens")) + cached + written
    completion = as_count(said.get("outputTokens"))
    long = [as_count(one.get("inputTokens")) for one in as_objects(said.get("cacheDetails"))
            if one.get("ttl") == "1h"]  # fmt: skip
    return Usage(
        prompt,
        completion,
        as_count(said.get("totalTokens")) or prompt + completion,
        cached=cached,
        cache_write=written,
        cache_write_long=min(sum(long), written),
    )


def _deltas(block: Object) -> Iterator[Object]:
    """Yield the pieces in which a stream would say a whole block."""
    if is_object(block.get("toolUse")):
        call = as_object(block["toolUse"])
        yield {"toolUse": {"input": write(as_object(call.get("input"))).decode()}}
    thought = as_object(block.get("reasoningContent"))
    yield {**block, "reasoningContent": {**thought, **as_object(thought.get("reasoningText"))}}
    cited = as_object(block.get("citationsContent"))
    yield from as_objects(cited.get("content"))
    for citation in as_objects(cited.get("citations")):
        yield {"citation": citation}


def _thought(block: _Block, said: Object) -> Iterator[Event]:
    """Read a piece of reasoning; what has to be given back is said at the block's end."""
    block.hidden += _texts(said, "redactedContent")
    block.signature += _texts(said, "signature")
    for text in _texts(said, "text"):
        block.thoughts.append(text)
        yield Reasoning(text)


def _details(block: _Block) -> Iterator[Event]:
    if block.signature:
        text, signature = "".join(block.thoughts), "".join(block.signature)
        item = {"type": "reasoning.text", "text": text, "signature": signature, "format": SIGNED}
        yield Detail(item)
    if block.hidden:
        data = _joined(block.hidden)
        yield Detail({"type": "reasoning.encrypted", "data": data, "format": HIDDEN})


def _arguments(block: _Block, piece: str) -> list[Event]:
    if block.call is None or not piece:
        return []
    block.has_arguments = True
    return [ToolCall(block.call, piece)]


def _annotation(citation: Object, start: int, end: int) -> Object:
    """Return a citation in OpenAI's words: an address that was read, or a document that was sent."""
    location = as_object(citation.get("location"))
    web = as_object(location.get("web"))
    source, title = as_text(citation.get("source")), as_word(citation.get("title"))
    address = as_word(web.get("url")) or (source if source.startswith("http") else None)
    quote = "".join(as_text(one.get("text")) for one in as_objects(citation.get("sourceContent")))
    said: dict[str, object] = {"start_index": start, "end_index": end}
    if quote:
        said["quote"] = quote
    if address is not None:
        named = {"url": address, "title": title or as_word(web.get("domain")) or address}
        return {"type": "url_citation", "url_citation": {**named, **said}}
    about: dict[str, object] = {"title": title or source, "location": location}
    return {"type": "file_citation", "file_citation": about | said}


def _texts(said: Object, name: str) -> list[str]:
    text = as_text(said.get(name))
    return [text] if text else []


def _joined(pieces: list[str]) -> str:
    """Join what was coded in base64 piece by piece."""
    if len(pieces) < 2:
        return "".join(pieces)
    try:
        return base64.b64encode(b"".join(base64.b64decode(one) for one in pieces)).decode()
    except ValueError:
        return "".join(pieces)
