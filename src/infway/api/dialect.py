"""What differs between the dialects of clients."""

from collections.abc import Mapping

import msgspec

from infway.api.auth import INFUZU_HEADERS
from infway.api.reading import Wishes
from infway.kernel.events import Usage

_DETAILS = (
    (
        "prompt_tokens_details",
        (
            ("cached_tokens", "cached"),
            ("cache_write_tokens", "cache_write"),
            ("audio_tokens", "audio_input"),
            ("image_tokens", "image_input"),
        ),
    ),
    (
        "completion_tokens_details",
        (
            ("reasoning_tokens", "reasoning"),
            ("audio_tokens", "audio_output"),
            ("image_tokens", "image_output"),
        ),
    ),
)


def is_infuzu(header: bytes, path: str, wishes: Wishes) -> bool:
    """Tell Infuzu's clients from OpenAI's: by their key header, their path or their model."""
    return header in INFUZU_HEADERS or path.startswith("/api/") or wishes.model_is_object


def usage_object(usage: Usage, *, flat: bool) -> Mapping[str, object]:
    """Return usage for the reply: three integers alone (`flat`), or with what upstream added."""
    counts: dict[str, object] = {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.total,
    }
    if flat:
        return counts
    if usage.details is not None:
        return {**counts, **usage.details}
    for name, parts in _DETAILS:
        known = {word: getattr(usage, field) for word, field in parts if getattr(usage, field)}
        if known:
            counts[name] = known
    return counts


def raw_number(text: str) -> msgspec.Raw:
    """Return a decimal as a JSON number without going through a float."""
    return msgspec.Raw(text.encode())
