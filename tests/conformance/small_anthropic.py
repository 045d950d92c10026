"""Small replies of Claude: Anthropic Messages, and the same in AWS's frames."""

from collections.abc import Mapping, Sequence

from tests.conformance.small_words import ARGUMENTS, HALVES, TEXT, TEXTS, THOUGHT

_USAGE = {"input_tokens": 15, "cache_read_input_tokens": 10,
                    "cache_creation_input_tokens": 5, "output_tokens": 12}  # fmt: skip
MESSAGE = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "m",
    "content": [
        {"type": "thinking", "thinking": THOUGHT, "signature": "kept=="},
        {"type": "text", "text": TEXT},
        {"type": "tool_use", "id": "toolu_7", "name": "weather", "input": ARGUMENTS},
    ],
    "stop_reason": "tool_use", "stop_sequence": None, "usage": _USAGE,
}  # fmt: skip


def _block(index: int, start: Mapping[str, object], *deltas: object) -> list[dict[str, object]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


EVENTS: Sequence[dict[str, object]] = [
    {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None,
                                          "usage": {**_USAGE, "output_tokens": 1}}},
    {"type": "ping"},
    *_block(0, {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": THOUGHT},
            {"type": "signature_delta", "signature": "kept=="}),
    *_block(1, {"type": "text", "text": ""},
            *({"type": "text_delta", "text": text} for text in TEXTS)),
    *_block(2, {"type": "tool_use", "id": "toolu_7", "name": "weather", "input": {}},
            *({"type": "input_json_delta", "partial_json": half} for half in HALVES)),
    {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": None},
     "usage": {"output_tokens": 12}},
    {"type": "message_stop"},
]  # fmt: skip
