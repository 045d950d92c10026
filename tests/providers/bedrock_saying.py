"""Replies of Bedrock's Converse as tests say them, whole and in pieces."""

import json

from tests.providers.eventstream_saying import event
from tests.providers.reading import decode, flat, pieces

from infway.kernel.events import Event, ToolCall
from infway.providers.bedrock.adapter import Bedrock

ADAPTER = Bedrock()
COUNTS = {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}
BEGIN = event("messageStart", {"role": "assistant"})
METADATA = event("metadata", {"usage": COUNTS, "metrics": {"latencyMs": 1}})
SIGNED = {
    "type": "reasoning.text",
    "text": "Hm. Yes.",
    "signature": "ab",
    "format": "anthropic-claude-v1",
}


def start(place: int, **said) -> bytes:
    return event("contentBlockStart", {"contentBlockIndex": place, "start": said})


def delta(place: int, **said) -> bytes:
    return event("contentBlockDelta", {"contentBlockIndex": place, "delta": said, "p": "abc"})


def stop(place: int) -> bytes:
    return event("contentBlockStop", {"contentBlockIndex": place})


def end(reason: str = "end_turn") -> bytes:
    return event("messageStop", {"stopReason": reason})


def streamed(*messages: bytes, reason: str = "end_turn") -> list[Event]:
    stream = b"".join([BEGIN, *messages, end(reason), METADATA])
    events = decode(ADAPTER.decoder(), [stream])
    assert flat(decode(ADAPTER.decoder(), pieces(stream, 5))) == flat(events)
    return events


def whole(*blocks: dict, reason: str = "end_turn", **said) -> list[Event]:
    message = {"role": "assistant", "content": list(blocks)}
    body = {"output": {"message": message}, "stopReason": reason, "usage": COUNTS, **said}
    return ADAPTER.whole(json.dumps(body).encode())


def of(events: list[Event], kind: type) -> list:
    return [one for one in events if isinstance(one, kind)]


def calls(events: list[Event]) -> list[tuple]:
    found: dict[int, list] = {}
    for one in of(events, ToolCall):
        call = found.setdefault(one.position, [one.id, one.name, ""])
        call[2] += one.arguments
    return [tuple(call) for call in found.values()]
