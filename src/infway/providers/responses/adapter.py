"""OpenAI Responses as an upstream, for models that are served in no other way.

https://platform.openai.com/docs/api-reference/responses and its streaming events. Spoken by
OpenAI, Azure, xAI, OpenRouter, Copilot, Bedrock, DeepSeek and others.
"""

from collections.abc import Mapping

import msgspec

from infway.kernel.chat import ChatRequest, HttpCall, Offer
from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Broken, Event, Facts, Finish
from infway.kernel.faults import Failure, Fault
from infway.providers.openai.limits import limits_of
from infway.providers.responses.faults import fault_inside, fault_of
from infway.providers.responses.items import ARGUMENTS, REFUSAL, SUMMARY, TEXT, THOUGHT, Channel
from infway.providers.responses.reply import Reply
from infway.providers.responses.request import request
from infway.providers.responses.usage import ending_of, usage_of
from infway.providers.shapes import Object, as_object, as_objects, as_text, as_word, read_object
from infway.providers.sse import Frame, Framer, frames

_DELTAS: Mapping[str, Channel] = {
    "response.output_text.delta": TEXT,
    "response.refusal.delta": REFUSAL,
    "response.reasoning_summary_text.delta": SUMMARY,
    "response.reasoning_text.delta": THOUGHT,
    "response.function_call_arguments.delta": ARGUMENTS,
}
# Events that say the whole of a part, and where
_WHOLES: Mapping[str, tuple[Channel, str]] = {
    "response.output_text.done": (TEXT, "text"),
    "response.refusal.done": (REFUSAL, "refusal"),
    "response.reasoning_summary_text.done": (SUMMARY, "text"),
    "response.reasoning_text.done": (THOUGHT, "text"),
    "response.function_call_arguments.done": (ARGUMENTS, "arguments"),
}
# Events that end a stream, with the status they mean
_ENDS: Mapping[str, str] = {
    "response.completed": "completed",
    "response.done": "completed",
    "response.incomplete": "incomplete",
    "response.failed": "failed",
    "response.cancelled": "cancelled",
}
_FAILED = frozenset({"failed", "cancelled"})


class _Event(msgspec.Struct):
    """What most events are read for; any field may be of any kind."""

    type: object = None
    delta: object = None
    output_index: object = None
    item_id: object = None
    content_index: object = None
    summary_index: object = None
    logprobs: object = None

    def key(self) -> object:
        """Return what tells the items apart: their place, or their name where there is no place."""
        for name in (self.output_index, self.item_id):
            if isinstance(name, (int, str)):
                return name
        return None

    def place(self) -> int:
        """Return which part of its item it is about."""
        for place in (self.content_index, self.summary_index):
            if isinstance(place, int):
                return place
        return 0


_read_event = msgspec.json.Decoder(_Event).decode


class Responses:
    """The adapter of the dialect."""

    def request(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the call; raises UpstreamFailed(untranslatable) where the dialect has no words."""
        return request(ask, offer)

    def whole(self, body: bytes) -> list[Event]:
        """Return the events of a whole reply; raises UpstreamFailed where it is none."""
        response = read_object(body)
        if response is None:
            raise UpstreamFailed(Failure(Fault.INVALID_JSON, 200))
        return _ending(Reply(), response, "completed")

    def decoder(self) -> "Decoder":
        """Return a new decoder."""
        return Decoder()

    def limits(self, headers: Mapping[str, str]) -> tuple[float, float] | None:
        """Return what the rate-limit headers leave; they are those of Chat Completions."""
        return limits_of(headers)

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        """Name an error reply by the server's code, then the status, then the text."""
        return fault_of(status, headers, body)


class Decoder:
    """Reads one streamed reply."""

    def __init__(self) -> None:
        self.done = False
        self._framer = Framer()
        self._reply = Reply()

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that are complete with `data`."""
        events: list[Event] = []
        if self.done:
            return events
        try:
            for frame in frames(self._framer.feed(data)):
                events.extend(self._read(frame))
                if self.done:
                    break
        except UpstreamFailed as failed:
            self.done = True
            events.append(Broken(failed.failure))
        return events

    def close(self) -> list[Event]:
        """A stream that no response event ends was cut."""
        if self.done:
            return []
        self.done = True
        return [Broken(self._cut())]

    def _cut(self) -> Failure:
        return Failure(Fault.STREAM_CUT if self._reply.items else Fault.EMPTY_STREAM, 200)

    def _read(self, frame: Frame) -> list[Event]:
        if not frame.data.strip():
            return []  # only keeps the line open
        if frame.data.strip() == b"[DONE]":
            raise UpstreamFailed(self._cut())
        try:
            event = _read_event(frame.data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UpstreamFailed(Failure(Fault.BAD_EVENT, 200)) from error
        kind = as_text(event.type) or frame.event.decode(errors="replace")
        channel = _DELTAS.get(kind)
        if channel is None:
            return self._other(kind, event, frame.data)
        events = list(self._reply.hear(channel, event.key(), event.place(), as_text(event.delta)))
        if event.logprobs:
            events += self._reply.weigh(event.key(), as_objects(event.logprobs))
        return events

    def _other(self, kind: str, event: _Event, data: bytes) -> list[Event]:
        """Read an event that is no piece; those that nobody needs are left out."""
        fields = read_object(data)
        if fields is None:
            raise UpstreamFailed(Failure(Fault.BAD_EVENT, 200))
        if kind == "error" or (fields.get("error") and not kind.startswith("response.")):
            raise UpstreamFailed(fault_inside(fields))
        if kind in _ENDS:
            self.done = True
            return _ending(self._reply, as_object(fields.get("response")), _ENDS[kind])
        if kind in _WHOLES:
            channel, name = _WHOLES[kind]
            text = as_text(fields.get(name))
            return list(self._reply.complete(channel, event.key(), event.place(), text))
        return self._about_item(kind, event, fields)

    def _about_item(self, kind: str, event: _Event, fields: Object) -> list[Event]:
        reply, key = self._reply, event.key()
        match kind:
            case "response.created":
                reply.id = as_text(as_object(fields.get("response")).get("id"))
                return []
            case "response.output_item.added":
                return list(reply.open(key, as_object(fields.get("item"))))
            case "response.output_item.done":
                return list(reply.close(key, as_object(fields.get("item"))))
            case "response.output_text.annotation.added":
                source = as_object(fields.get("annotation"))
                return list(reply.cite(key, event.place(), source))
            case _:
                return []


def _ending(reply: Reply, response: Object, word: str) -> list[Event]:
    """Return what is new in the finished response, and how it ended; raises UpstreamFailed."""
    reason, native = ending_of(response, word)
    if native in _FAILED or response.get("error"):
        raise UpstreamFailed(fault_inside(response))
    reply.id = as_text(response.get("id")) or reply.id
    events = list(reply.settle(as_objects(response.get("output"))))
    if not reply.items and reason != "length":
        blocked = reason == "content_filter"
        raise UpstreamFailed(Failure(Fault.CONTENT_FILTER if blocked else Fault.EMPTY_CHOICES, 200))
    tier = as_word(response.get("service_tier"))
    if tier is not None:
        events.append(Facts({"service_tier": tier}))
    if reason == "stop" and reply.calls:
        reason = "tool_calls"
    events.append(Finish(0, reason, native))
    usage = usage_of(response)
    if usage is not None:
        events.append(usage)
    return events
