"""Small replies of Gemini."""

from tests.conformance.small_words import ARGUMENTS, TEXT, TEXTS, THOUGHT, sse

_THOUGHT = {"text": THOUGHT, "thought": True}
_CALL = {"functionCall": {"name": "weather", "args": ARGUMENTS}, "thoughtSignature": "kept=="}
_USAGE = {"promptTokenCount": 30, "cachedContentTokenCount": 10, "candidatesTokenCount": 7,
          "thoughtsTokenCount": 5, "totalTokenCount": 42}  # fmt: skip


def _reply(*parts: object, **more: object) -> dict[str, object]:
    candidate = {"content": {"role": "model", "parts": parts}, "index": 0, **more}
    return {"candidates": [candidate], "usageMetadata": _USAGE, "modelVersion": "m"}


WHOLE = _reply(_THOUGHT, {"text": TEXT}, _CALL, finishReason="STOP")
STREAM = sse(
    _reply(_THOUGHT),
    *(_reply({"text": text}) for text in TEXTS),
    _reply(_CALL),
    _reply({"text": ""}, finishReason="STOP"),
)
BLOCKED = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": _USAGE}
