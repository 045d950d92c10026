"""Events made comparable: frames become parsed objects, one each, however they travelled."""

import json
from collections.abc import Iterable, Iterator
from functools import reduce
from itertools import pairwise

import msgspec

from infway.kernel.events import Broken, Chunk, Event, Finish, Text, Usage, Verbatim
from infway.providers.adapter import Decoder


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def cut_at(data: bytes, places: Iterable[int]) -> list[bytes]:
    edges = [0, *sorted(places), len(data)]
    cuts = [data[a:b] for a, b in pairwise(edges)]
    return [piece for piece in cuts if piece]


def decode(decoder: Decoder, cuts: Iterable[bytes]) -> list[Event]:
    """Every event of a reply that comes in these pieces, as `pipeline` reads them."""
    events: list[Event] = []
    for piece in cuts:
        events += decoder.feed(piece)
        if decoder.done:
            return events
    return events + decoder.close()


def plain(value: object) -> object:
    return json.loads(bytes(value)) if isinstance(value, msgspec.Raw) else value


def objects(event: Verbatim | Chunk) -> list[dict[str, object]]:
    """The objects of the OpenAI dialect that an event carries."""
    if isinstance(event, Chunk):
        return [{key: plain(value) for key, value in event.fields.items()}]
    *frames, rest = (frame.lstrip(b"\n") for frame in event.block.split(b"\n\n"))
    assert rest == b""
    assert len(frames) == event.frames
    assert all(frame.startswith(event.prefix) for frame in frames)
    return [json.loads(frame.removeprefix(b"data: ")) for frame in frames]


def flat(events: Iterable[Event]) -> list[object]:
    """The same list for the same reply, whatever its cuts."""
    seen: list[object] = []
    for event in events:
        seen += objects(event) if isinstance(event, (Verbatim, Chunk)) else [event]
    return seen


def choices(events: Iterable[Event]) -> Iterator[dict]:
    for event in events:
        if isinstance(event, (Verbatim, Chunk)):
            for one in objects(event):
                yield from one.get("choices") or []


def text(events: Iterable[Event], index: int = 0) -> str:
    """What choice `index` says."""
    events = list(events)
    said = [event.text for event in events if isinstance(event, Text) and event.index == index]
    for choice in choices(events):
        if choice.get("index", 0) == index:
            part = choice.get("delta") or choice.get("message") or {}
            content = part.get("content")
            said.append(content if isinstance(content, str) else "")
    return "".join(said)


def finishes(events: Iterable[Event]) -> list[Finish]:
    found: list[Finish] = []
    for event in events:
        found += event.finishes if isinstance(event, Chunk) else []
        found += [event] if isinstance(event, Finish) else []
    return found


def usage(events: Iterable[Event]) -> Usage | None:
    found = [event.usage if isinstance(event, Chunk) else event for event in events]
    return reduce(lambda last, one: one if isinstance(one, Usage) else last, found, None)


def broken(events: Iterable[Event]) -> Broken | None:
    events = list(events)
    assert not any(isinstance(event, Broken) for event in events[:-1]), "Broken is the last"
    return events[-1] if events and isinstance(events[-1], Broken) else None
