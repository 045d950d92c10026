"""Small replies of every dialect, made by hand, and what they say.

Each dialect has a whole reply and a stream that say the same, a stream that is cut off, and an
error.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path

from tests.conformance import small_anthropic, small_aws, small_gemini, small_openai, small_others
from tests.conformance.recording import Recording, Row
from tests.conformance.said import Call, Choice, Failing, Said, Spent
from tests.conformance.small_words import CALL, TEXT, THOUGHT, named

_KINDS = {
    "json": "application/json",
    "sse": "text/event-stream",
    "ndjson": "application/x-ndjson",
    "aws_eventstream": "application/vnd.amazon.eventstream",
}


@dataclass(frozen=True)
class Small:
    """The replies of one dialect. `native`: its word for the end; `error`: status and body."""

    dialect: str
    api: str
    wire: str
    whole: object
    stream: bytes
    native: str
    usage: Spent
    call_id: str | None
    kept: frozenset[str]
    error: tuple[int, object]
    failing: Failing

    def said(self) -> Said:
        """Return what the whole reply and the stream say."""
        choice = Choice(
            text=TEXT,
            reasoning=THOUGHT,
            calls=[Call("weather", self.call_id, CALL["arguments"])],
            finish="tool_calls",
            native=self.native,
            kept=set(self.kept),
        )
        return Said({0: choice}, self.usage)


_COUNTED = Spent(prompt=30, completion=12, total=42, cached=10, reasoning=5)
_BILLED = replace(_COUNTED, billed=(9, 8))
_WRITTEN = Spent(prompt=30, completion=12, total=42, cached=10, written=5)
_KEPT = frozenset({"kept=="})
_MISSING = Failing(502, "upstream_model_missing")
_AUTH = Failing(502, "upstream_auth_error")
_LIMITED = Failing(429, "upstream_rate_limited")

SMALL = (
    Small(
        "openai_chat", "openai.chat", "sse", small_openai.OPENAI, small_openai.OPENAI_STREAM,
        "tool_calls", _COUNTED, "call_7", frozenset(),
        (400, {"error": {"message": "Too long.", "type": "invalid_request_error",
                         "param": "messages", "code": "context_length_exceeded"}}),
        Failing(400, "context_length_exceeded", "Too long."),
    ),
    Small(
        "openai_responses", "openai.responses", "sse", small_openai.RESPONSE,
        small_openai.RESPONSES_STREAM, "completed", _COUNTED, "call_7", _KEPT,
        (404, {"error": {"message": "No such model.", "code": "model_not_found"}}), _MISSING,
    ),
    Small(
        "anthropic_messages", "anthropic.messages", "sse", small_anthropic.MESSAGE,
        named(*small_anthropic.EVENTS), "tool_use", _WRITTEN, "toolu_7", _KEPT,
        (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
        Failing(503, "upstream_overloaded"),
    ),
    Small(
        "gemini", "gemini.generateContent", "sse", small_gemini.WHOLE, small_gemini.STREAM,
        "STOP", _COUNTED, None, _KEPT,
        (400, {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "Bad key.",
                         "details": [{"reason": "API_KEY_INVALID"}]}}), _AUTH,
    ),
    Small(
        "bedrock_converse", "bedrock.converse", "aws_eventstream", small_aws.WHOLE,
        small_aws.STREAM, "tool_use", _WRITTEN, "tooluse_7", _KEPT,
        (400, {"__type": "ValidationException", "message": "Input is too long for this model."}),
        Failing(400, "context_length_exceeded", "Input is too long"),
    ),
    Small(
        "bedrock_invoke", "bedrock.invoke", "aws_eventstream", small_anthropic.MESSAGE,
        small_aws.aws(*map(small_aws.packed, small_anthropic.EVENTS)), "tool_use", _WRITTEN,
        "toolu_7", _KEPT, (429, {"__type": "ThrottlingException", "message": "Wait."}), _LIMITED,
    ),
    Small(
        "cohere_v2", "cohere.chat", "sse", small_others.COHERE, small_others.COHERE_STREAM,
        "TOOL_CALL", _BILLED, "weather_7", frozenset(),
        (404, {"id": "1", "message": "model 'x' not found"}), _MISSING,
    ),
    Small(
        "ollama_native", "ollama.native_chat", "ndjson", small_others.OLLAMA,
        small_others.OLLAMA_STREAM, "stop", Spent(30, 12, 42), None, frozenset(),
        (404, {"error": "model 'x' not found"}), _MISSING,
    ),
)  # fmt: skip


def recordings(small: Small) -> dict[str, Recording]:
    """Return the recordings of one dialect: `whole`, `stream`, `cut` and `error`."""
    whole = _recording(small, "whole", "json", json.dumps(small.whole).encode())
    stream = _recording(small, "stream", small.wire, small.stream)
    cut = _recording(small, "cut", small.wire, small.stream[: cut_of(small)])
    status, body = small.error
    error = replace(_recording(small, "error", "json", json.dumps(body).encode()), status=status)
    return {"whole": whole, "stream": stream, "cut": cut, "error": error}


def cut_of(small: Small) -> int:
    """Return where a stream is cut: behind its text, before its tool call is complete."""
    return int(len(small.stream) * 0.7)


def _recording(small: Small, name: str, wire: str, body: bytes) -> Recording:
    row = Row(
        id=f"{small.dialect.replace('_', '-')}-{name}",
        file=Path(),
        provider="small",
        api=small.api,
        dialect=small.dialect,
        model="anthropic.claude-m" if small.dialect.startswith("bedrock") else "m",
        stream=wire != "json",
        wire=wire,
        fidelity="exact",
        status=200,
        features=(),
        tags=frozenset(),
    )
    return Recording(row, 200, _KINDS[wire], {}, body)
