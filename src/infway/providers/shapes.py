"""JSON of any shape, read without trust: what is of another kind counts as not there."""

from collections.abc import Mapping
from typing import TypeGuard

import msgspec

Object = Mapping[str, object]
NOTHING: Object = {}

parse = msgspec.json.Decoder().decode
"""JSON to plain values; raises msgspec.DecodeError, UnicodeDecodeError or RecursionError."""
write = msgspec.json.Encoder().encode


def is_object(value: object) -> TypeGuard[dict[str, object]]:
    """Tell whether a parsed value is an object."""
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def as_object(value: object) -> dict[str, object]:
    """Return an object, empty where the value is none."""
    return value if is_object(value) else {}


def as_list(value: object) -> list[object]:
    """Return a list, empty where the value is none."""
    return value if _is_list(value) else []


def as_objects(value: object) -> list[dict[str, object]]:
    """Return the objects of a list."""
    return [one for one in as_list(value) if is_object(one)]


def costless(raw: msgspec.Raw) -> msgspec.Raw:
    """Return usage without the upstream's own cost, whose many names all hold that word.

    What the caller pays is another sum, and stands beside the usage. Raises what
    `parse` does.
    """
    return msgspec.Raw(write(_costless(parse(raw))))


def _costless(said: object) -> object:
    if is_object(said):
        return {name: _costless(one) for name, one in said.items() if "cost" not in name.lower()}
    return [_costless(one) for one in as_list(said)] or said


def as_text(value: object) -> str:
    """Return a text, empty where the value is none."""
    return value if isinstance(value, str) else ""


def as_word(value: object) -> str | None:
    """Return a text that is not empty."""
    return value if isinstance(value, str) and value else None


def as_count(value: object) -> int:
    """Return a whole number of at least 0, 0 where the value is none; 5.0 counts as 5."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def read_object(body: bytes) -> dict[str, object] | None:
    """Return the object that JSON is, None where it is anything else."""
    try:
        value: object = parse(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return value if is_object(value) else None


def value_of(raw: object) -> object:
    """Return what raw JSON says, None where it cannot be read; what is no raw JSON is returned."""
    if not isinstance(raw, msgspec.Raw):
        return raw
    try:
        value: object = parse(bytes(raw))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return value
