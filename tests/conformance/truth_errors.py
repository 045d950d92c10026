"""What a caller must see of a vendor's error: by the vendor's own word, its status, its sentence.

The words are those of the vendors' documentation:
OpenAI https://platform.openai.com/docs/guides/error-codes,
Azure https://learn.microsoft.com/azure/ai-services/openai/reference,
Anthropic https://docs.anthropic.com/en/api/errors,
Gemini https://ai.google.dev/gemini-api/docs/troubleshooting (google.rpc.Code),
Bedrock https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html,
Cohere https://docs.cohere.com/reference/errors,
OpenRouter https://openrouter.ai/docs/api-reference/errors.
"""

import json
import re
from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any

from tests.conformance.recording import Recording
from tests.conformance.said import Failing

# class -> status and code
_SEEN: Mapping[str, tuple[int, str]] = {
    "auth": (502, "upstream_auth_error"),
    "quota": (502, "upstream_quota"),
    "missing": (502, "upstream_model_missing"),
    "context": (400, "context_length_exceeded"),
    "filtered": (400, "content_policy_violation"),
    "rejected": (400, "upstream_rejected"),
    "large": (413, "payload_too_large"),
    "limited": (429, "upstream_rate_limited"),
    "busy": (503, "upstream_overloaded"),
    "broken": (502, "upstream_error"),
}
_CALLERS = frozenset({"context", "filtered", "rejected", "large"})

# The vendors' words, in lower case. Those that say no more than the status does are not here.
_WORDS: Mapping[str, str] = {
    # OpenAI and its like
    "invalid_api_key": "auth",
    "account_deactivated": "auth",
    "insufficient_quota": "quota",
    "billing_hard_limit_reached": "quota",
    "model_not_found": "missing",
    "invalid_model": "missing",  # Mistral
    "deploymentnotfound": "missing",
    "context_length_exceeded": "context",
    "exceed_context_size_error": "context",
    "too_many_prompt_tokens": "context",
    "content_filter": "filtered",
    "content_policy_violation": "filtered",
    "responsibleaipolicyviolation": "filtered",
    "data_inspection_failed": "filtered",
    "rate_limit_exceeded": "limited",
    "ratelimitreached": "limited",
    # Anthropic
    "authentication_error": "auth",
    "permission_error": "auth",
    "billing_error": "quota",
    "not_found_error": "missing",
    "request_too_large": "large",
    "rate_limit_error": "limited",
    "overloaded_error": "busy",
    "api_error": "broken",
    # Google
    "api_key_invalid": "auth",
    "unauthenticated": "auth",
    "permission_denied": "auth",
    "not_found": "missing",
    "resource_exhausted": "limited",
    "unavailable": "busy",
    "internal": "broken",
    # AWS
    "accessdeniedexception": "auth",
    "unrecognizedclientexception": "auth",
    "expiredtokenexception": "auth",
    "resourcenotfoundexception": "missing",
    "throttlingexception": "limited",
    "serviceunavailableexception": "busy",
    "internalserverexception": "broken",
    # Cohere
    "too_many_tokens": "context",
}
# Sentences that say more than the word beside them
_PRECISE: tuple[tuple[str, str], ...] = (
    (r"don't have access to the model", "missing"),  # Bedrock: the key itself is good
)
# Sentences of vendors that give no telling word
_SENTENCES: tuple[tuple[str, str], ...] = (
    (r"prompt is too long|prompt too long", "context"),  # Anthropic, Ollama
    (r"maximum context length|exceeds the maximum number of tokens", "context"),  # many; Gemini
    (r"number of input tokens exceeds maximum|input is too long", "context"),  # Bedrock
    (r"credit balance is too low", "quota"),  # Anthropic
    (r"incorrect api key", "auth"),  # xAI
    (r"provided model identifier is invalid", "missing"),  # Bedrock
    (r"violates usage guidelines", "filtered"),  # xAI
    (r"not allowed to (sample|generate embeddings) from this model", "missing"),  # OpenAI
    (r"model \S+ is not supported", "missing"),  # Voyage
)
_STATUSES: Mapping[int, str] = {
    401: "auth",
    402: "quota",
    403: "auth",
    404: "missing",
    413: "large",
    429: "limited",
    503: "busy",
    529: "busy",
}
_SAYING = frozenset({"code", "type", "error_type", "status", "reason", "__type"})


def failing(recording: Recording) -> Failing:
    """Return what the caller must see of an error reply."""
    body = _json(recording.text)
    named = recording.headers.get("x-amzn-errortype", "").split(":")[0]
    kind = _class(recording.status, [named, *_words(body)], json.dumps(body))
    status, code = _SEEN[kind]
    wait = _wait(recording.headers, body) if kind == "limited" else None
    return Failing(status, code, _message(body) if kind in _CALLERS else None, wait)


def failing_inside(dialect: str, error: object) -> Failing:
    """Return what the caller must see of an error object inside a 200.

    Where the vendor's word is no known one, any error will do.
    """
    words = [word for word in _words(error) if word in _WORDS]
    said = next((n for n in _numbers(error) if 400 <= n < 600), 0)
    if not words and not said:
        return Failing()
    status, code = _SEEN[_class(said, words, json.dumps(error))]
    return Failing(status, code)


def _class(status: int, words: list[str], text: str) -> str:
    known = next((_WORDS[word.lower()] for word in words if word.lower() in _WORDS), None)
    kind = _told(_PRECISE, text) or known or _told(_SENTENCES, text)
    return kind or _STATUSES.get(status, "broken" if status >= 500 else "rejected")


def _told(sentences: tuple[tuple[str, str], ...], text: str) -> str | None:
    found = (kind for pattern, kind in sentences if re.search(pattern, text, re.IGNORECASE))
    return next(found, None)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _words(body: object) -> Iterator[str]:
    """Yield what stands under the names of codes and types, the outermost first."""
    if isinstance(body, dict):
        yield from (str(value) for name, value in body.items() if name in _SAYING)
        for value in body.values():
            yield from _words(value)
    elif isinstance(body, list):
        for value in body:
            yield from _words(value)


def _numbers(error: object) -> Iterator[int]:
    for word in _words(error):
        if word.isdigit():
            yield int(word)


def _message(body: Any) -> str | None:
    """Return the sentence for people, wherever the vendor puts it."""
    if isinstance(body, dict):
        inner = body.get("error")
        said = inner if isinstance(inner, str) else body.get("message") or body.get("detail")
        if isinstance(inner, dict):
            said = inner.get("message")
        return said if isinstance(said, str) else None
    return None


def _wait(headers: Mapping[str, str], body: object) -> float | None:
    """Return the seconds that a vendor asks to wait: a header, or Google's RetryInfo.

    The gateway says whole seconds, and never more than five minutes.
    """
    told = re.fullmatch(r"([\d.]+)", headers.get("retry-after", ""))
    found = told or re.search(r'"retryDelay": *"([\d.]+)s"', json.dumps(body))
    return float(min(max(1, ceil(float(found[1]))), 300)) if found else None
