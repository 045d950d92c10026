"""Why a choice ended: the words of vendors of the OpenAI dialect, and the five of the wire."""

from collections.abc import Mapping

import msgspec

from infway.kernel.events import Finish

FINISHES: Mapping[str, str] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "error": "error",
    "function_call": "tool_calls",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_length": "length",
    "eos": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "safety": "content_filter",
    "sensitive": "content_filter",
    "insufficient_system_resource": "error",
    "network_error": "error",
}

_read_word = msgspec.json.Decoder(str).decode


def finish_of(choice: Mapping[str, object], index: int) -> Finish:
    """Return how a choice ended; one of a whole reply may not say, and has ended all the same.

    A gateway that normalises, such as OpenRouter, keeps the model's own word beside.
    """
    raw, beside = choice.get("finish_reason"), choice.get("native_finish_reason")
    word = "" if raw is None else _text(raw)
    native = word if beside is None else _text(beside) or word
    if not word:
        reason = "tool_calls" if b'"tool_calls":[{' in _squeezed(choice) else "stop"
        return Finish(index, reason, native or None)
    return Finish(index, FINISHES.get(word.lower(), "stop"), native)


def _text(raw: object) -> str:
    if isinstance(raw, msgspec.Raw) and bytes(raw) != b"null":
        return _read_word(raw)
    return ""


def _squeezed(choice: Mapping[str, object]) -> bytes:
    """Return a message without spaces, to look for a key in."""
    message = choice.get("message")
    return bytes(message).replace(b" ", b"") if isinstance(message, msgspec.Raw) else b""
