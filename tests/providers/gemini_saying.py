"""Replies of Gemini as tests say them."""

import json

from tests.providers.reading import decode, pieces

from infway.kernel.events import Event
from infway.providers.gemini.adapter import Gemini

ADAPTER = Gemini()
USAGE = {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}


def saying(*parts: dict, finish: str | int | None = "STOP", **said) -> dict:
    """A candidate."""
    candidate = {"content": {"role": "model", "parts": list(parts)}, **said}
    return candidate | ({"finishReason": finish} if finish is not None else {})


def reply(*candidates: dict, usage: dict | None = USAGE, **said) -> dict:
    """A whole reply, or one frame of a stream."""
    counted = {"usageMetadata": usage} if usage else {}
    return {"candidates": list(candidates), **counted, "responseId": "r-1", **said}


def frame(said: object) -> bytes:
    return b"data: " + json.dumps(said).encode() + b"\r\n\r\n"


def whole(said: object) -> list[Event]:
    return ADAPTER.whole(json.dumps(said).encode())


def stream(*said: object, size: int = 10**6) -> list[Event]:
    return decode(ADAPTER.decoder(), pieces(b"".join(map(frame, said)), size))


def both(said: dict) -> list[Event]:
    """The events of a reply, which are the same when it comes in one frame."""
    events = whole(said)
    assert stream(said, size=3) == events
    return events


def only(kind: type, events: list[Event]) -> list:
    return [event for event in events if isinstance(event, kind)]
