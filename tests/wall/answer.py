"""What the wall says when nothing is wrong: 60 words, whole or as frames, and their usage."""

import json

WORDS = tuple(f"word{n}" for n in range(60))
ANSWER = " ".join(WORDS)
USAGE = {"prompt_tokens": 25, "completion_tokens": 60, "total_tokens": 85}
TEXT_OF = {n: " ".join(WORDS[:n]) for n in range(61)}  # what was said before a fault @n


def frame(delta: dict[str, object], finish: str | None = None, **more: object) -> bytes:
    """Return one chunk as a vendor writes it, `choices` last but for `more`."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    root = {"id": "chatcmpl-wall", "object": "chat.completion.chunk", "created": 1700000000}
    return event({**root, "model": "wall-1", "choices": [choice], **more})


def event(value: object) -> bytes:
    return b"data: " + json.dumps(value, separators=(",", ":")).encode() + b"\n\n"


def words(upto: int) -> list[bytes]:
    """Return the frames of a stream as far as the first `upto` words (all where negative)."""
    said = WORDS if upto < 0 else WORDS[:upto]
    texts = [word if i == 0 else f" {word}" for i, word in enumerate(said)]
    return [frame({"role": "assistant", "content": ""}), *(frame({"content": t}) for t in texts)]


def error(status: int, keys: dict[str, str]) -> dict[str, object]:
    said = {
        "message": f"The wall says {status}.",
        "type": "wall_error",
        "param": None,
        "code": None,
    }
    return {"error": said | {k: keys[k] for k in ("message", "type", "code") if k in keys}}


def reply(usage: bool = True) -> bytes:
    """Return the whole reply in JSON."""
    message = {"role": "assistant", "content": ANSWER, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    root = {"id": "chatcmpl-wall", "object": "chat.completion", "created": 1700000000}
    counted = {"usage": USAGE} if usage else {}
    return json.dumps({**root, "model": "wall-1", "choices": [choice], **counted}).encode()


USAGE_CHUNK = event({"id": "chatcmpl-wall", "object": "chat.completion.chunk", "created": 1,
                     "model": "wall-1", "choices": [], "usage": USAGE})  # fmt: skip

DONE = b"data: [DONE]\n\n"
FINISH = frame({}, "stop")
