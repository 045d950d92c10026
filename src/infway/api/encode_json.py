"""Events to one JSON body."""

from collections.abc import Mapping, Sequence

import msgspec

from infway.api.dialect import usage_object
from infway.api.stamp import Stamp
from infway.kernel.events import (
    Chunk,
    Event,
    Finish,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Usage,
)

_write = msgspec.json.Encoder().encode


def whole_body(
    events: Sequence[Event],
    stamp: Stamp,
    usage: Usage,
    end: int,
    *,
    flat: bool,
    extras: Mapping[str, object],
) -> bytes:
    """Return the body of a whole reply: the upstream's own object where there is one."""
    first = events[0]
    fields: dict[str, object] = {"object": "chat.completion", "created": stamp.created}
    fields = stamp.root(first.fields if isinstance(first, Chunk) else fields)
    fields["choices"] = choices_of(events, stamp, end)
    fields["usage"] = usage_object(usage, flat=flat)
    fields.update(extras)
    return _write(fields)


class _Message:
    """One choice as its events add up."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.reasoning: list[str] = []
        self.refusal: list[str] = []
        self.calls: dict[int, dict[str, str]] = {}
        self.finish: Finish | None = None

    def add(self, event: Event) -> None:
        """Take one event of this choice."""
        match event:
            case Text():
                self.text.append(event.text)
            case Reasoning():
                self.reasoning.append(event.text)
            case Refusal():
                self.refusal.append(event.text)
            case ToolCall():
                call = self.calls.setdefault(event.position, {"id": "", "name": "", "args": ""})
                call["id"] = event.id or call["id"]
                call["name"] = event.name or call["name"]
                call["args"] += event.arguments
            case Finish():
                self.finish = event
            case _:
                pass

    def object(self) -> dict[str, object]:
        """Return the message in OpenAI's shape."""
        content = "".join(self.text)
        message: dict[str, object] = {"role": "assistant", "content": content or None}
        if not self.calls and not self.refusal:
            message["content"] = content
        if self.refusal:
            message["refusal"] = "".join(self.refusal)
        if self.reasoning:
            message["reasoning"] = message["reasoning_content"] = "".join(self.reasoning)
        if self.calls:
            message["tool_calls"] = [
                {
                    "id": call["id"],
                    "type": "function",
                    "function": {"name": call["name"], "arguments": call["args"]},
                }
                for _, call in sorted(self.calls.items())
            ]
        return message


def choices_of(events: Sequence[Event], stamp: Stamp, end: int) -> Sequence[Mapping[str, object]]:
    """Return the choices of a whole reply, with what infway adds to each."""
    first = events[0]
    if isinstance(first, Chunk):
        return stamp.choices(first, end)
    messages: dict[int, _Message] = {}
    for event in events:
        if isinstance(event, Text | Reasoning | Refusal | ToolCall | Finish):
            messages.setdefault(event.index, _Message()).add(event)
    choices: list[Mapping[str, object]] = []
    for index, message in sorted(messages.items()):
        finish = message.finish or Finish(index, "stop", None)
        choice = {"index": index, "message": message.object(), **stamp.ending(finish, end)}
        choices.append(stamp.plain(choice) if stamp.text else choice)
    return choices
