"""Small replies of Cohere and of Ollama."""

import json

from tests.conformance.small_words import ARGUMENTS, CALL, HALVES, TEXT, TEXTS, THOUGHT, named

_USAGE = {
    "billed_units": {"input_tokens": 9, "output_tokens": 8},
    "tokens": {"input_tokens": 30, "output_tokens": 12, "reasoning_tokens": 5},
    "cached_tokens": 10,
}
COHERE = {
    "id": "c-1",
    "finish_reason": "TOOL_CALL",
    "message": {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": THOUGHT}, {"type": "text", "text": TEXT}],
        "tool_calls": [{"id": "weather_7", "type": "function", "function": CALL}],
    },
    "usage": _USAGE,
}


def _piece(kind: str, index: int, name: str, said: object) -> dict[str, object]:
    return {"type": kind, "index": index, "delta": {"message": {name: said}}}


COHERE_STREAM = named(
    {"type": "message-start", "id": "c-1", "delta": {"message": {"role": "assistant"}}},
    _piece("content-start", 0, "content", {"type": "thinking", "thinking": ""}),
    _piece("content-delta", 0, "content", {"thinking": THOUGHT}),
    {"type": "content-end", "index": 0},
    _piece("content-start", 1, "content", {"type": "text", "text": ""}),
    *(_piece("content-delta", 1, "content", {"text": text}) for text in TEXTS),
    {"type": "content-end", "index": 1},
    _piece("tool-call-start", 0, "tool_calls", {
        "id": "weather_7", "type": "function", "function": {"name": "weather", "arguments": ""},
    }),
    *(_piece("tool-call-delta", 0, "tool_calls", {"function": {"arguments": half}})
      for half in HALVES),
    {"type": "tool-call-end", "index": 0},
    {"type": "message-end", "delta": {"finish_reason": "TOOL_CALL", "usage": _USAGE}},
)  # fmt: skip

_COUNTS = {"done_reason": "stop", "prompt_eval_count": 30, "eval_count": 12}
_OLLAMA_CALL = {"function": {"name": "weather", "arguments": ARGUMENTS}}


def _line(done: bool = False, **message: object) -> dict[str, object]:
    said = {"role": "assistant", "content": "", **message}
    return {"model": "m", "created_at": "2025-01-01T00:00:00Z", "message": said, "done": done,
            **(_COUNTS if done else {})}  # fmt: skip


OLLAMA = _line(done=True, content=TEXT, thinking=THOUGHT, tool_calls=[_OLLAMA_CALL])
OLLAMA_STREAM = "".join(
    json.dumps(line) + "\n"
    for line in (
        _line(thinking=THOUGHT),
        *(_line(content=text) for text in TEXTS),
        _line(tool_calls=[_OLLAMA_CALL]),
        _line(done=True),
    )
).encode()
