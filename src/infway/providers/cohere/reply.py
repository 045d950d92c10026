"""Replies of Cohere's v2 chat: one message, whole or event by event.

https://docs.cohere.com/docs/streaming. A plan of tools and thoughts are both reasoning.
"""

from collections.abc import Mapping

from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import (
    Annotation,
    Event,
    Finish,
    Logprobs,
    Reasoning,
    Text,
    ToolCall,
)
from infway.kernel.faults import Failure, Fault
from infway.providers.cohere.citations import annotations_of
from infway.providers.cohere.faults import inband_fault
from infway.providers.cohere.usage import usage_of
from infway.providers.objects import Reader
from infway.providers.shapes import (
    Object,
    as_count,
    as_list,
    as_object,
    as_objects,
    as_text,
    is_object,
)

FINISHES: Mapping[str, str] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "ERROR_LIMIT": "length",
    "TOOL_CALL": "tool_calls",
    "ERROR_TOXIC": "content_filter",
    "ERROR": "error",
    "TIMEOUT": "error",
    "USER_CANCEL": "error",
}


def whole_message(reply: Object) -> list[Event]:
    """Return the events of a whole reply; raises UpstreamFailed where it is none."""
    message = reply.get("message")
    if reply.get("error") or (isinstance(message, str) and message):
        raise UpstreamFailed(inband_fault(reply))
    if not is_object(message) or not (reply.get("finish_reason") or message.get("content")):
        raise UpstreamFailed(Failure(Fault.EMPTY_CHOICES, 200))
    reader = MessageReader()
    events = reader.read({"type": "message-start", "id": reply.get("id")})
    events += reader.read(_event("tool-plan-delta", message))
    for index, block in enumerate(as_objects(message.get("content"))):
        events += reader.read(_event("content-start", {"content": block}, index))
    for index, call in enumerate(as_objects(message.get("tool_calls"))):
        events += reader.read(_event("tool-call-start", {"tool_calls": call}, index))
        events += reader.read(_event("tool-call-end", {}, index))
    events += reader.read(_event("citation-start", message))
    events += _logprobs(as_objects(reply.get("logprobs")))
    return events + reader.read({"type": "message-end", "delta": reply})


def _event(kind: str, message: Object, index: int = 0) -> Object:
    """Return what a stream would say at once."""
    return {"type": kind, "index": index, "delta": {"message": message}}


class MessageReader(Reader):
    """Reads the events of one message."""

    def __init__(self) -> None:
        super().__init__()
        self._id = ""
        self._length = 0  # characters of the answer
        self._starts: dict[int, int] = {}  # of content blocks, in the answer
        self._calls: dict[int, int] = {}  # their positions, by Cohere's index
        self._bare: set[int] = set()  # calls without arguments so far

    def read(self, event: Object) -> list[Event]:
        """Return what one event says; kinds of events that are not known say nothing."""
        events = self._read(event)
        if events:
            self.has_content = True
        return events

    def _read(self, event: Object) -> list[Event]:
        delta = as_object(event.get("delta"))
        message = as_object(delta.get("message"))
        match event.get("type"):
            case "content-delta" | "content-start":
                return self._content(event, message)
            case "tool-plan-delta":
                plan = as_text(message.get("tool_plan"))
                return [Reasoning(plan)] if plan else []
            case "tool-call-start" | "tool-call-delta":
                return self._call(_index(event), as_object(message.get("tool_calls")))
            case "citation-start":
                return self._cite(message.get("citations"))
            case kind:
                return self._turn(kind, event, delta)

    def _turn(self, kind: object, event: Object, delta: Object) -> list[Event]:
        """Read where something begins or ends, and what is no event of a message: an error."""
        self._id = self._id or as_text(event.get("id"))
        if kind == "tool-call-end":
            return self._end_call(_index(event))
        if kind == "message-end":
            return self._finish(delta)
        if event.get("error") or (event.get("message") and kind is None):
            return self.fail(inband_fault(event))
        return []

    def _content(self, event: Object, message: Object) -> list[Event]:
        block = as_object(message.get("content"))
        if event["type"] == "content-start":
            self._starts[_index(event)] = self._length
        events: list[Event] = []
        thought, text = as_text(block.get("thinking")), as_text(block.get("text"))
        if thought:
            events.append(Reasoning(thought))
        if text:
            self._length += len(text)
            events.append(Text(text))
        if "logprobs" in event:
            events += _logprobs([as_object(event["logprobs"])])
        return events

    def _call(self, index: int, said: Object) -> list[Event]:
        function = as_object(said.get("function"))
        arguments = as_text(function.get("arguments"))
        position = self._calls.get(index)
        if position is not None:
            self._bare -= {index} if arguments else set()
            return [ToolCall(position, arguments)] if arguments else []
        position = self._calls[index] = len(self._calls)
        if not arguments:
            self._bare.add(index)
        id_ = as_text(said.get("id")) or f"call_{position}_{self._id[-8:]}"
        return [ToolCall(position, arguments, id_, as_text(function.get("name")))]

    def _end_call(self, index: int) -> list[Event]:
        if index not in self._bare:
            return []
        self._bare.remove(index)
        return [ToolCall(self._calls[index], "{}")]

    def _cite(self, said: object) -> list[Event]:
        citations = [said] if is_object(said) else as_objects(said)
        return [
            Annotation(item)
            for citation in citations
            for item in annotations_of(citation, self._starts)
        ]

    def _finish(self, delta: Object) -> list[Event]:
        if delta.get("error"):
            return self.fail(inband_fault(delta))
        self.done = True
        events = [event for index in sorted(self._bare) for event in self._end_call(index)]
        native = as_text(delta.get("finish_reason")) or None
        reason = FINISHES.get((native or "").upper(), "stop")
        if reason == "stop" and self._calls:
            reason = "tool_calls"
        usage = usage_of(as_object(delta.get("usage")))
        return [*events, Finish(0, reason, native), *([] if usage is None else [usage])]


def _logprobs(items: list[dict[str, object]]) -> list[Event]:
    """Return the probability of each piece of text: the sum of the logarithms of its tokens."""
    tokens: list[Mapping[str, object]] = []
    for item in items:
        numbers = [one for one in as_list(item.get("logprobs")) if isinstance(one, int | float)]
        if numbers:
            text = as_text(item.get("text"))
            spelled = list(text.encode())
            tokens.append({"token": text, "logprob": sum(numbers), "bytes": spelled})
    return [Logprobs(tokens)] if tokens else []


def _index(event: Object) -> int:
    return as_count(event.get("index"))
