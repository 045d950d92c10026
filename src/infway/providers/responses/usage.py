"""How a Responses reply ended, and the tokens it counted.

https://platform.openai.com/docs/api-reference/responses/object
"""

from collections.abc import Mapping

from infway.kernel.events import Usage
from infway.providers.shapes import Object, as_count, as_object, as_word

# Tokens of one reply: more than that is a mistake, and no number to bill
_MOST = 10**9

FINISHES: Mapping[str, str] = {
    "completed": "stop",
    "incomplete": "length",  # where no reason is given
    "max_output_tokens": "length",
    "max_tokens": "length",
    "length": "length",
    "content_filter": "content_filter",
}


def ending_of(response: Object, word: str) -> tuple[str, str]:
    """Return why a reply ended, and the server's own word for it; `word` where it says none."""
    status = as_word(response.get("status"))
    native = word if status in (None, "in_progress", "queued") else str(status)
    if native == "incomplete":
        details = as_object(response.get("incomplete_details"))
        native = as_word(details.get("reason")) or native
        return FINISHES.get(native.lower(), "length"), native
    return FINISHES.get(native.lower(), "stop"), native


def usage_of(response: Object) -> Usage | None:
    """Read the usage; one that makes no sense is none, and an estimate takes its place."""
    said = as_object(response.get("usage"))
    prompt, completion = _count(said.get("input_tokens")), _count(said.get("output_tokens"))
    if prompt is None or completion is None:
        return None
    into = as_object(said.get("input_tokens_details"))
    out = as_object(said.get("output_tokens_details"))
    return Usage(
        prompt,
        completion,
        _count(said.get("total_tokens")) or prompt + completion,
        cached=min(as_count(into.get("cached_tokens")), prompt),
        cache_write=min(as_count(into.get("cache_write_tokens")), prompt),
        reasoning=min(as_count(out.get("reasoning_tokens")), _MOST),
        audio_input=min(as_count(into.get("audio_tokens")), prompt),
        audio_output=min(as_count(out.get("audio_tokens")), completion),
        image_input=min(as_count(into.get("image_tokens")), prompt),
        image_output=min(as_count(out.get("image_tokens")), completion),
    )


def _count(value: object) -> int | None:
    """Return a number of tokens, None where it is none."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST:
        return None
    return value
