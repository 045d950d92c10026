"""Small replies of Bedrock Converse, and AWS's event streams."""

import base64
import json
import struct
import zlib
from collections.abc import Mapping

from tests.conformance.small_words import ARGUMENTS, HALVES, TEXT, TEXTS, THOUGHT


def aws(*messages: tuple[str, object]) -> bytes:
    """Return an AWS event stream of events: their names and payloads."""
    return b"".join(_aws_message(name, json.dumps(said).encode()) for name, said in messages)


def _aws_message(name: str, payload: bytes) -> bytes:
    headers = b"".join(
        struct.pack(">B", len(key)) + key.encode() + struct.pack(">BH", 7, len(value)) + value
        for key, value in (
            (":event-type", name.encode()),
            (":content-type", b"application/json"),
            (":message-type", b"event"),
        )
    )
    start = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    message = start + struct.pack(">I", zlib.crc32(start)) + headers + payload
    return message + struct.pack(">I", zlib.crc32(message))


def packed(event: Mapping[str, object]) -> tuple[str, object]:
    """Return an event of InvokeModel: Anthropic's own, in base64."""
    return "chunk", {"bytes": base64.b64encode(json.dumps(event).encode()).decode()}


_USAGE = {"inputTokens": 15, "cacheReadInputTokens": 10, "cacheWriteInputTokens": 5,
                   "outputTokens": 12, "totalTokens": 42}  # fmt: skip
_USE = {"toolUseId": "tooluse_7", "name": "weather"}
WHOLE = {
    "output": {"message": {"role": "assistant", "content": [
        {"reasoningContent": {"reasoningText": {"text": THOUGHT, "signature": "kept=="}}},
        {"text": TEXT},
        {"toolUse": {**_USE, "input": ARGUMENTS}},
    ]}},
    "stopReason": "tool_use", "usage": _USAGE, "metrics": {"latencyMs": 1},
}  # fmt: skip


def _delta(index: int, delta: object) -> tuple[str, object]:
    return "contentBlockDelta", {"contentBlockIndex": index, "delta": delta}


STREAM = aws(
    ("messageStart", {"role": "assistant"}),
    _delta(0, {"reasoningContent": {"text": THOUGHT}}),
    _delta(0, {"reasoningContent": {"signature": "kept=="}}),
    ("contentBlockStop", {"contentBlockIndex": 0}),
    *(_delta(1, {"text": text}) for text in TEXTS),
    ("contentBlockStop", {"contentBlockIndex": 1}),
    ("contentBlockStart", {"contentBlockIndex": 2, "start": {"toolUse": _USE}}),
    *(_delta(2, {"toolUse": {"input": half}}) for half in HALVES),
    ("contentBlockStop", {"contentBlockIndex": 2}),
    ("messageStop", {"stopReason": "tool_use"}),
    ("metadata", {"usage": _USAGE, "metrics": {"latencyMs": 1}}),
)
