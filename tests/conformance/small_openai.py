"""Small replies of OpenAI's two dialects: chat completions and Responses."""

from collections.abc import Mapping, Sequence

from tests.conformance.small_words import CALL, HALVES, TEXT, TEXTS, THOUGHT, named, sse

_OPENAI_USAGE = {
    "prompt_tokens": 30,
    "completion_tokens": 12,
    "total_tokens": 42,
    "prompt_tokens_details": {"cached_tokens": 10},
    "completion_tokens_details": {"reasoning_tokens": 5},
}


def _openai_chunk(delta: object, finish: str | None = None) -> dict[str, object]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [choice], "usage": None}  # fmt: skip


OPENAI = {
    "id": "c-1", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{
        "index": 0, "finish_reason": "tool_calls", "message": {
            "role": "assistant", "content": TEXT, "reasoning_content": THOUGHT,
            "tool_calls": [{"id": "call_7", "type": "function", "function": CALL}],
        },
    }],
    "usage": _OPENAI_USAGE,
}  # fmt: skip
OPENAI_STREAM = sse(
    _openai_chunk({"role": "assistant", "content": None, "reasoning_content": THOUGHT}),
    *(_openai_chunk({"content": text}) for text in TEXTS),
    _openai_chunk({"tool_calls": [{"index": 0, "id": "call_7", "type": "function",
                                   "function": {"name": "weather", "arguments": ""}}]}),
    *(_openai_chunk({"tool_calls": [{"index": 0, "function": {"arguments": half}}]})
      for half in HALVES),
    _openai_chunk({}, "tool_calls"),
    {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [],
     "usage": _OPENAI_USAGE},
    end="data: [DONE]\n\n",
)  # fmt: skip

_ITEMS: Sequence[Mapping[str, object]] = [
    {"id": "rs_1", "type": "reasoning", "encrypted_content": "kept==",
     "summary": [{"type": "summary_text", "text": THOUGHT}]},
    {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
     "content": [{"type": "output_text", "text": TEXT, "annotations": [], "logprobs": []}]},
    {"id": "fc_1", "type": "function_call", "call_id": "call_7", "status": "completed", **CALL},
]  # fmt: skip
RESPONSE = {
    "id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "m",
    "error": None, "incomplete_details": None, "output": _ITEMS,
    "usage": {"input_tokens": 30, "input_tokens_details": {"cached_tokens": 10},
              "output_tokens": 12, "output_tokens_details": {"reasoning_tokens": 5},
              "total_tokens": 42},
}  # fmt: skip
_BEGUN = {**RESPONSE, "status": "in_progress", "output": [], "usage": None}
_SUMMARY = {"item_id": "rs_1", "output_index": 0, "summary_index": 0}
_OUTPUT = {"item_id": "msg_1", "output_index": 1, "content_index": 0}
_FUNCTION = {"item_id": "fc_1", "output_index": 2}
RESPONSES_STREAM = named(
    {"type": "response.created", "response": _BEGUN},
    {"type": "response.output_item.added", "output_index": 0, "item": {**_ITEMS[0], "summary": []}},
    {"type": "response.reasoning_summary_part.added", **_SUMMARY,
     "part": {"type": "summary_text", "text": ""}},
    {"type": "response.reasoning_summary_text.delta", **_SUMMARY, "delta": THOUGHT},
    {"type": "response.reasoning_summary_text.done", **_SUMMARY, "text": THOUGHT},
    {"type": "response.output_item.done", "output_index": 0, "item": _ITEMS[0]},
    {"type": "response.output_item.added", "output_index": 1, "item": {**_ITEMS[1], "content": []}},
    {"type": "response.content_part.added", **_OUTPUT,
     "part": {"type": "output_text", "text": "", "annotations": []}},
    *({"type": "response.output_text.delta", **_OUTPUT, "delta": text} for text in TEXTS),
    {"type": "response.output_text.done", **_OUTPUT, "text": TEXT},
    {"type": "response.output_item.done", "output_index": 1, "item": _ITEMS[1]},
    {"type": "response.output_item.added", "output_index": 2, "item": {**_ITEMS[2], "arguments": ""}},
    *({"type": "response.function_call_arguments.delta", **_FUNCTION, "delta": half}
      for half in HALVES),
    {"type": "response.function_call_arguments.done", **_FUNCTION, "arguments": CALL["arguments"]},
    {"type": "response.output_item.done", "output_index": 2, "item": _ITEMS[2]},
    {"type": "response.completed", "response": RESPONSE},
)  # fmt: skip
