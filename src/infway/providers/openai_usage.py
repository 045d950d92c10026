"""Token counts of the OpenAI dialect, as far as they make sense."""

import msgspec

from infway.kernel.events import Usage

_MOST_TOKENS = 10**9  # of one reply; more than that is a mistake, and no number to bill
_COUNTS = frozenset({"prompt_tokens", "completion_tokens", "total_tokens"})


class _PromptDetails(msgspec.Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    audio_tokens: int | None = None


class _CompletionDetails(msgspec.Struct):
    reasoning_tokens: int | None = None
    audio_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None
    prompt_cache_hit_tokens: int | None = None  # DeepSeek's name for cached_tokens


_read_usage = msgspec.json.Decoder(_Usage | None, strict=False).decode
_read_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def usage_of(raw: msgspec.Raw) -> Usage | None:
    """Read a usage object; one that makes no sense is none, and an estimate takes its place."""
    try:
        usage = _read_usage(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    if usage is None or usage.prompt_tokens is None:
        return None
    prompt = usage.prompt_tokens
    completion = usage.completion_tokens or 0
    if min(prompt, completion) < 0 or max(prompt, completion) > _MOST_TOKENS:
        return None
    part = usage.prompt_tokens_details or _PromptDetails()
    made = usage.completion_tokens_details or _CompletionDetails()
    others = {
        key: value
        for key, value in _read_fields(raw).items()
        if key not in _COUNTS and not key.startswith("cost") and bytes(value) != b"null"
    }
    return Usage(
        prompt=prompt,
        completion=completion,
        total=usage.total_tokens or prompt + completion,
        cached=_part(part.cached_tokens or usage.prompt_cache_hit_tokens, prompt),
        cache_write=_part(part.cache_write_tokens, prompt),
        reasoning=_part(made.reasoning_tokens, _MOST_TOKENS),
        audio_input=_part(part.audio_tokens, prompt),
        audio_output=_part(made.audio_tokens, completion),
        details=others or None,
    )


def _part(count: int | None, whole: int) -> int:
    return min(max(count or 0, 0), whole)
