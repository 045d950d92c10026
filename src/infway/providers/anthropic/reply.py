"""Replies of the Messages API: one message, whole or event by event.

Every event of a stream is one object, in whatever framing it came.
https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from collections.abc import Mapping

from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import (
    Annotation,
    Broken,
    Detail,
    Event,
    Facts,
    Finish,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
)
from infway.kernel.faults import Failure, Fault
from infway.providers.anthropic.citations import annotation_of
from infway.providers.anthropic.faults import inband_fault
from infway.providers.anthropic.messages import FORMAT
from infway.providers.anthropic.usage import usage_of
from infway.providers.objects import Reader
from infway.providers.shapes import (
    Object,
    as_count,
    as_object,
    as_objects,
    as_text,
    is_object,
    write,
)

FINISHES: Mapping[str, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",  # a turn of server tools that the caller may have continued
    "compaction": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}
_TIERS: Mapping[str, str] = {"standard": "default"}  # OpenAI's word for it


def whole_message(message: Object) -> list[Event]:
    """Return the events of a whole reply; raises UpstreamFailed where it is none."""
    error = message.get("error")
    if message.get("type") == "error" or is_object(error):
        raise UpstreamFailed(inband_fault(as_object(error)))
    content = message.get("content")
    if not isinstance(content, list) or not (content or message.get("stop_reason")):
        raise UpstreamFailed(Failure(Fault.EMPTY_CHOICES, 200))
    reader = MessageReader()
    events = reader.read({"type": "message_start", "message": message})
    events += reader.read({"type": "message_delta", "delta": message})
    return events + reader.read({"type": "message_stop"})


class _Block:
    """One content block as it grows. `position`: of a tool call; `start`: of a text."""

    __slots__ = (
        "citations",
        "has_arguments",
        "kind",
        "position",
        "said",
        "signature",
        "start",
        "texts",
    )

    def __init__(self, said: Object, start: int, position: int) -> None:
        self.said = said
        self.kind = as_text(said.get("type"))
        self.start = start
        self.position = position
        self.has_arguments = False
        self.texts = [as_text(said.get("thinking"))]
        self.signature = as_text(said.get("signature"))
        self.citations = as_objects(said.get("citations"))


class MessageReader(Reader):
    """Reads the events of one message."""

    def __init__(self) -> None:
        super().__init__()
        self._blocks: dict[int, _Block] = {}
        self._front: list[Event] = []  # facts, which wait for the first piece of the answer
        self._length = 0  # characters of the answer
        self._calls = 0
        self._usage: dict[str, object] = {}
        self._id = ""
        self._end: Object = {}

    def read(self, event: Object) -> list[Event]:
        """Return what one event says; kinds of events that are not known say nothing."""
        events = self._read(event)
        if events and not self.has_content and not isinstance(events[0], Broken):
            self.has_content = True
            events = self._front + events
        return events

    def _read(self, event: Object) -> list[Event]:
        events: list[Event] = []
        match event.get("type"):
            case "content_block_delta":
                events = self._delta(event)
            case "content_block_start":
                events = self._open(_index(event), as_object(event.get("content_block")))
            case "content_block_stop":
                events = self._close(_index(event))
            case "message_start":
                events = self._begin(as_object(event.get("message")))
            case "message_delta":
                self._end = as_object(event.get("delta"))
                self._count(event.get("usage"))
            case "message_stop":
                events = self._finish()
            case "error":
                events = self.fail(inband_fault(as_object(event.get("error"))))
            case _:
                pass
        return events

    def _begin(self, message: Object) -> list[Event]:
        self._id = as_text(message.get("id"))
        self._count(message.get("usage"))
        events: list[Event] = []
        for place, block in enumerate(as_objects(message.get("content"))):
            events += self._open(place, block) + self._close(place)
        return events

    def _count(self, said: object) -> None:
        """Take counts: those of a later event are cumulative and take the place of earlier ones."""
        counts = {name: count for name, count in as_object(said).items() if count is not None}
        self._usage |= counts
        tier = as_text(counts.get("service_tier"))
        if tier:
            self._front = [Facts({"service_tier": _TIERS.get(tier, tier)})]

    def _open(self, index: int, said: Object) -> list[Event]:
        block = self._blocks[index] = _Block(said, self._length, self._calls)
        match block.kind:
            case "text":
                return self._text(as_text(said.get("text")))
            case "thinking":
                return [Reasoning(text) for text in block.texts if text]
            case "tool_use":
                self._calls += 1
                id_ = as_text(said.get("id")) or f"call_{block.position}_{self._id[-8:]}"
                return [ToolCall(block.position, "", id_, as_text(said.get("name")))]
            case _:
                return []  # what the vendor's own tools do is neither text nor a call

    def _delta(self, event: Object) -> list[Event]:
        block = self._blocks.get(_index(event))
        if block is None:
            return self.fail(Failure(Fault.BAD_EVENT, 200))
        delta = as_object(event.get("delta"))
        match delta.get("type"):
            case "text_delta":
                return self._text(as_text(delta.get("text")))
            case "thinking_delta":
                text = as_text(delta.get("thinking"))
                block.texts.append(text)
                return [Reasoning(text)] if text else []
            case "input_json_delta":
                return self._arguments(block, as_text(delta.get("partial_json")))
            case "signature_delta":
                block.signature += as_text(delta.get("signature"))
            case "citations_delta":
                block.citations.append(as_object(delta.get("citation")))
            case _:
                pass
        return []

    def _text(self, text: str) -> list[Event]:
        self._length += len(text)
        return [Text(text)] if text else []

    @staticmethod
    def _arguments(block: _Block, piece: str) -> list[Event]:
        if block.kind != "tool_use" or not piece:
            return []
        block.has_arguments = True
        return [ToolCall(block.position, piece)]

    def _close(self, index: int) -> list[Event]:
        block = self._blocks.pop(index, None)
        if block is None:
            return []
        match block.kind:
            case "text":
                span = block.start, self._length
                return [Annotation(annotation_of(one, *span)) for one in block.citations]
            case "thinking" if block.signature:
                item = {"type": "reasoning.text", "text": "".join(block.texts)}
                return [Detail({**item, "signature": block.signature, "format": FORMAT})]
            case "redacted_thinking":
                data = as_text(block.said.get("data"))
                return [Detail({"type": "reasoning.encrypted", "data": data, "format": FORMAT})]
            case "tool_use" if not block.has_arguments:
                arguments = write(as_object(block.said.get("input"))).decode()
                return [ToolCall(block.position, arguments)]
            case _:
                return []

    def _finish(self) -> list[Event]:
        self.done = True
        events: list[Event] = []
        for index in list(self._blocks):
            events += self._close(index)
        native = as_text(self._end.get("stop_reason")) or None
        explained = as_text(as_object(self._end.get("stop_details")).get("explanation"))
        if native == "refusal" and explained:
            events.append(Refusal(explained))
        reason = FINISHES.get(native or "", "stop")
        if reason == "stop" and self._calls:
            reason = "tool_calls"
        usage = usage_of(self._usage)
        return [*events, Finish(0, reason, native), *([] if usage is None else [usage])]


def _index(event: Object) -> int:
    return as_count(event.get("index"))
