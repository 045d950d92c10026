"""Events to one JSON body."""

from collections.abc import Mapping, Sequence

import msgspec

from infway.api.dialect import usage_object
from infway.api.pieces import logprobs_of, messages_of
from infway.api.stamp import Stamp
from infway.kernel.events import Chunk, Event, Facts, Finish, Usage

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
    fields = stamp.root(first.fields if isinstance(first, Chunk) else root_of(events, stamp))
    fields["choices"] = choices_of(events, stamp, end)
    fields["usage"] = usage_object(usage, flat=flat)
    fields.update(extras)
    return _write(fields)


def choices_of(events: Sequence[Event], stamp: Stamp, end: int) -> Sequence[Mapping[str, object]]:
    """Return the choices of a whole reply, with what infway adds to each."""
    first = events[0]
    if isinstance(first, Chunk):
        return stamp.choices(first, end)
    choices: list[Mapping[str, object]] = []
    for index, message in messages_of(events):
        finish = message.finish or Finish(index, "stop", None)
        choice = {"index": index, "message": message.object(), **stamp.ending(finish, end)}
        if message.logprobs:
            choice["logprobs"] = logprobs_of(message.logprobs)
        choices.append(stamp.plain(choice) if stamp.text else choice)
    return choices


def root_of(events: Sequence[Event], stamp: Stamp) -> dict[str, object]:
    """Return the root fields of a translated reply but for those that every reply gets."""
    fields: dict[str, object] = {"object": "chat.completion", "created": stamp.created}
    for event in events:
        if isinstance(event, Facts):
            fields |= event.fields
    return fields
