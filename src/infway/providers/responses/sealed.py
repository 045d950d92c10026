"""Reasoning of other vendors in the place that Responses has for its own: `encrypted_content`.

The text is opaque to clients and says what it is by how it begins. It holds `reasoning_details`
as chats carry them, so signatures come back to whoever made them. There is no secret in it.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence

from infway.providers.shapes import as_objects, parse, write

PREFIX = "infway.1."


def sealed(details: Sequence[Mapping[str, object]]) -> str:
    """Return details as one text."""
    return PREFIX + base64.urlsafe_b64encode(write(details)).decode()


def is_sealed(text: object) -> bool:
    """Tell whether a text was made by `sealed`."""
    return isinstance(text, str) and text.startswith(PREFIX)


def unsealed(text: str) -> list[dict[str, object]]:
    """Return the details, none where the text was changed on its way."""
    try:
        value: object = parse(base64.urlsafe_b64decode(text[len(PREFIX) :]))
    except (binascii.Error, ValueError, RecursionError):
        return []
    return as_objects(value)
