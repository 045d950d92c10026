"""The bytes on the wire: what a client asks and what the mock upstream answers.

Sizes are those of the yardstick in the performance budget: a 0.6 kB JSON reply and an SSE reply
of 64 content chunks (68 frames with role, finish, usage and the end mark).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

MODEL = "gpt-4o-mini"
CONTENT_CHUNKS = 64
PATH = "/v1/chat/completions"
SYSTEM = "You are a concise assistant."
USER = "Say hello in one short sentence."

_IDENTITY = {
    "id": "chatcmpl-abc123",
    "created": 1717430000,
    "model": MODEL,
    "service_tier": "default",
    "system_fingerprint": "fp_1",
}


def chat_body(*, stream: bool) -> bytes:
    """A short chat request as an SDK sends it."""
    body = {
        "model": MODEL,
        "messages": [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": USER},
        ],
    }
    return json.dumps(body | ({"stream": True} if stream else {}), separators=(",", ":")).encode()


def http_request(body: bytes, *, key: str) -> bytes:
    """One whole HTTP/1.1 request, head and body."""
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@dataclass(frozen=True, slots=True)
class Replies:
    """What the upstream writes; `frames` are the SSE frames, each one HTTP chunk."""

    whole: bytes
    stream_head: bytes
    frames: tuple[bytes, ...]
    stream_end: bytes


def replies() -> Replies:
    """Both replies, encoded once so that the upstream costs as little as it can."""
    body = json.dumps(_completion()).encode()
    head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return Replies(
        whole=(head % len(body)).encode() + body,
        stream_head=(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        ),
        frames=tuple(_http_chunk(frame) for frame in _frames()),
        stream_end=b"0\r\n\r\n",
    )


def other_replies() -> Replies:
    """The same stream in Anthropic's dialect, which has to be translated."""
    usage = {"input_tokens": 24, "output_tokens": 1}
    message: dict[str, object] = {"id": "msg_01", "type": "message", "role": "assistant"}
    message |= {"model": MODEL, "content": [], "stop_reason": None, "usage": usage}
    ending = {"stop_reason": "end_turn", "stop_sequence": None}
    block = {"type": "text", "text": ""}
    texts = [{"type": "text_delta", "text": f" token{number}"} for number in range(CONTENT_CHUNKS)]
    events: list[dict[str, object]] = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": block},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in texts),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": ending, "usage": {"output_tokens": CONTENT_CHUNKS}},
        {"type": "message_stop"},
    ]
    frames = (
        f"event: {event['type']}\ndata: {json.dumps(event, separators=(',', ':'))}\n\n"
        for event in events
    )
    ours = replies()
    chunks = tuple(_http_chunk(frame.encode()) for frame in frames)
    return Replies(ours.whole, ours.stream_head, chunks, ours.stream_end)


def vector_replies() -> Replies:
    """Two vectors of 64 numbers in place of a chat completion."""
    ours = replies()
    rows = [
        {"object": "embedding", "index": index, "embedding": [0.015625 * n for n in range(64)]}
        for index in range(2)
    ]
    usage = {"prompt_tokens": 14, "total_tokens": 14}
    said = {"object": "list", "data": rows, "model": "vectors", "usage": usage}
    body = json.dumps(said, separators=(",", ":")).encode()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return Replies(head % len(body) + body, ours.stream_head, ours.frames, ours.stream_end)


def _completion() -> dict[str, object]:
    message = {
        "role": "assistant",
        "content": "Hello! How can I help you today? " * 8,
        "refusal": None,
    }
    return {
        **_IDENTITY,
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": 24,
            "completion_tokens": 9,
            "total_tokens": 33,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    }


def _frames() -> list[bytes]:
    opening = {"role": "assistant", "content": "", "refusal": None}
    tokens = [_choice({"content": f" token{number}"}) for number in range(CONTENT_CHUNKS)]
    usage = {
        "prompt_tokens": 24,
        "completion_tokens": CONTENT_CHUNKS,
        "total_tokens": 24 + CONTENT_CHUNKS,
    }
    events: list[dict[str, object]] = [
        _choice(opening),
        *tokens,
        _choice({}, finish_reason="stop"),
        {"choices": [], "usage": usage},
    ]
    return [*map(_sse_frame, events), b"data: [DONE]\n\n"]


def _choice(delta: Mapping[str, object], *, finish_reason: str | None = None) -> dict[str, object]:
    choice = {
        "index": 0,
        "delta": delta,
        "logprobs": None,
        "finish_reason": finish_reason,
    }
    return {"choices": [choice], "usage": None}


def _sse_frame(event: dict[str, object]) -> bytes:
    chunk = {**_IDENTITY, "object": "chat.completion.chunk", **event}
    return b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n"


def _http_chunk(payload: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(payload), payload)
