"""Reasoning of other vendors on its way through the Messages dialect, and back.

What a client gives back of a model's thinking is opaque to it: the signature of a thinking block,
the data of a redacted one. Items of other vendors travel inside, marked by how they begin.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence

import msgspec

from infway.providers.shapes import as_objects, parse, write

PREFIX = "infway.reasoning.v1."
"""How an opaque text begins that holds items of `reasoning_details`, as base64 of their JSON."""


def wrap(items: Sequence[Mapping[str, object]]) -> str:
    """Return the items as one opaque text."""
    return PREFIX + base64.urlsafe_b64encode(write(items)).decode()


def unwrap(opaque: str) -> list[dict[str, object]] | None:
    """Return the items of a text; None where it is a vendor's own, nothing where it is damaged."""
    if not opaque.startswith(PREFIX):
        return None
    try:
        return as_objects(parse(base64.urlsafe_b64decode(opaque[len(PREFIX) :])))
    except (binascii.Error, ValueError, msgspec.DecodeError, RecursionError):
        return []
