"""Token counts of the OpenAI dialect, as far as they make sense."""

from typing import Annotated

import msgspec

from infway.kernel.events import Usage
from infway.providers.shapes import costless

# Tokens of one reply: more than that is a mistake, and no number to bill
_MOST = 10**9
Count = Annotated[int, msgspec.Meta(ge=0, le=_MOST)]
_PARTS = frozenset(
    {"prompt_tokens_details", "completion_tokens_details", "prompt_cache_hit_tokens"}
    | {"num_cached_tokens"}
)
_COUNTS = frozenset({"prompt_tokens", "completion_tokens", "total_tokens"})


class _PromptDetails(msgspec.Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    audio_tokens: int | None = None
    image_tokens: int | None = None


class _CompletionDetails(msgspec.Struct):
    reasoning_tokens: int | None = None
    audio_tokens: int | None = None
    image_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None
    total_tokens: Count | None = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None
    prompt_cache_hit_tokens: int | None = None  # DeepSeek's name for cached_tokens
    num_cached_tokens: int | None = None  # Mistral's


_read_usage = msgspec.json.Decoder(_Usage | None, strict=False).decode
_read_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def usage_of(raw: msgspec.Raw) -> Usage | None:
    """Read a usage object; one that makes no sense is none, and an estimate takes its place."""
    try:
        usage = _read_usage(raw)
        if usage is None or usage.prompt_tokens is None:
            return None
        if b"cost" in bytes(raw).lower():
            raw = costless(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    prompt, completion = usage.prompt_tokens, usage.completion_tokens or 0
    others = {
        key: value
        for key, value in _read_fields(raw).items()
        if key not in _COUNTS and bytes(value) != b"null"
    }
    plain = Usage(
        prompt, completion, usage.total_tokens or prompt + completion, details=others or None
    )
    if others.keys().isdisjoint(_PARTS):
        return plain
    parted = _with_parts(plain, usage)
    if parted.cached and "prompt_tokens_details" not in others:
        told = {**others, "prompt_tokens_details": {"cached_tokens": parted.cached}}
        return parted._replace(details=told)
    return parted


def _with_parts(plain: Usage, usage: _Usage) -> Usage:
    """Add what is part of the prompt and of the completion; no part exceeds its whole.

    xAI counts what was thought beside the completion, not in it: its total is of all three
    (https://docs.x.ai/docs/key-information/consumption-and-rate-limits).
    """
    into = usage.prompt_tokens_details or _PromptDetails()
    out = usage.completion_tokens_details or _CompletionDetails()
    thought, completion = out.reasoning_tokens or 0, plain.completion
    if thought > 0 and usage.total_tokens == plain.prompt + completion + thought:
        completion += thought
    return plain._replace(
        completion=completion,
        cached=_part(
            into.cached_tokens or usage.prompt_cache_hit_tokens or usage.num_cached_tokens,
            plain.prompt,
        ),
        cache_write=_part(into.cache_write_tokens, plain.prompt),
        reasoning=_part(thought, _MOST),
        audio_input=_part(into.audio_tokens, plain.prompt),
        audio_output=_part(out.audio_tokens, plain.completion),
        image_input=_part(into.image_tokens, plain.prompt),
        image_output=_part(out.image_tokens, plain.completion),
    )


def _part(count: int | None, whole: int) -> int:
    return min(max(count or 0, 0), whole)
