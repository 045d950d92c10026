"""Replies of Claude as tests say them: whole messages, and the frames of streams."""

import json

from tests.providers.reading import broken, decode, pieces

from infway.kernel.events import Event
from infway.kernel.faults import Fault
from infway.providers.anthropic.adapter import Anthropic

ADAPTER = Anthropic()
USAGE = {"input_tokens": 5, "output_tokens": 1}


def whole(*blocks: dict, **said) -> list[Event]:
    message = {"id": "msg_12345678", "type": "message", "stop_reason": "end_turn", "usage": USAGE}
    return ADAPTER.whole(json.dumps({**message, "content": list(blocks), **said}).encode())


def frame(kind: str, **said) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **said})}\n\n".encode()


def begin(**usage) -> bytes:
    message = {"id": "msg_12345678", "content": [], "usage": {**USAGE, **usage}}
    return frame("message_start", message=message)


def block(index: int, said: dict, *deltas: dict) -> bytes:
    grown = [frame("content_block_delta", index=index, delta=delta) for delta in deltas]
    start = frame("content_block_start", index=index, content_block=said)
    return b"".join([start, *grown, frame("content_block_stop", index=index)])


def end(reason: str = "end_turn", usage: dict | None = None, **said) -> bytes:
    delta = {"stop_reason": reason, **said}
    counts = {"output_tokens": 7} if usage is None else usage
    return frame("message_delta", delta=delta, usage=counts) + frame("message_stop")


def say(*words: str) -> bytes:
    deltas = [{"type": "text_delta", "text": word} for word in words]
    return block(0, {"type": "text", "text": ""}, *deltas)


def streamed(*parts: bytes, size: int = 10**6) -> list[Event]:
    return decode(ADAPTER.decoder(), pieces(b"".join(parts), size))


def of(kind: type, events: list[Event]) -> list:
    return [event for event in events if isinstance(event, kind)]


def fault(events: list[Event]) -> Fault:
    last = broken(events)
    assert last is not None
    return last.failure.fault
