"""Reasoning of other vendors inside `thoughtSignature`, the one place that clients give back as it is.

A signature of Google's stands there as it came. Whatever else has to come back, Anthropic's signed
thinking or OpenAI's encrypted reasoning, is wrapped: base64 of `{"infway": [items]}`, where items
are those of `reasoning_details`.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence

from infway.providers.gemini.contents import FORMAT
from infway.providers.shapes import as_objects, as_text, read_object, write

_KEY = "infway"
BEGINS = base64.b64encode(b'{"infway"').decode()
"""How a wrapper begins: nine bytes, so that no letter of the rest is in it."""
_STANDARD = str.maketrans("-_", "+/")  # Google's SDKs write the alphabet of addresses


def is_googles(item: Mapping[str, object]) -> bool:
    """Tell whether an item of the reasoning is Google's own."""
    return as_text(item.get("format")).startswith("google")


def wrapped(items: Sequence[Mapping[str, object]]) -> str:
    """Return items as a signature."""
    return base64.b64encode(write({_KEY: items})).decode()


def plain(signature: str) -> str:
    """Return a signature of Google's; one that is no base64 would be a fault in the SDKs."""
    try:
        base64.b64decode(signature.translate(_STANDARD), validate=True)
    except (binascii.Error, ValueError):
        return wrapped([hidden(signature)])
    return signature


def hidden(signature: str) -> dict[str, object]:
    """Return a signature of Google's as an item."""
    return {"type": "reasoning.encrypted", "data": signature, "format": FORMAT}


def unwrapped(signature: str) -> list[dict[str, object]] | None:
    """Return the items in a signature, none where it is damaged; None where it is Google's."""
    if not signature.startswith(BEGINS):
        return None
    data = signature.translate(_STANDARD).rstrip("=")
    try:
        said = base64.b64decode(data + "=" * (-len(data) % 4), validate=True)
    except (binascii.Error, ValueError):
        return []
    return as_objects((read_object(said) or {}).get(_KEY))
