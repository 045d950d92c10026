"""Where a body does not fit its type: the path of the field, as its caller would write it."""

import re
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from infway.providers.shapes import as_list, is_object, read_object

_PLACE = re.compile(r" - at `\$\.?(.*)`$")
_MISSING = re.compile(r"missing required field `(.*?)`")
_GOT = re.compile(r"got `(\w+)`")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_ANY = "[...]"  # what msgspec calls a key that the caller chose
_LONGEST = 64  # characters of such a key that are told
# msgspec's names of what JSON holds
_KINDS: Mapping[type, str] = {
    type(None): "null",
    bool: "bool",
    int: "int",
    float: "float",
    str: "str",
    list: "array",
    dict: "object",
}


class Misfit(NamedTuple):
    """What is wrong. `path` is empty for the body as a whole; `is_missing`: it is not there."""

    path: str
    words: str
    is_missing: bool


def misfit_of(error: msgspec.ValidationError, sent: object) -> Misfit:
    """Return what an error says; `sent`: the body it is about, as bytes or read, None if unknown."""
    text = str(error)
    place, missing = _PLACE.search(text), _MISSING.search(text)
    words = _PLACE.sub("", text)
    path = place[1] if place else ""
    if _ANY in path:
        path = _with_key(path, words, read_object(sent) if isinstance(sent, bytes) else sent)
    if missing:
        path = f"{path}.{missing[1]}" if path else missing[1]
    return Misfit(path, words, bool(missing))


def _with_key(path: str, words: str, sent: object) -> str:
    """Return the path with the key of the value that is wrong, or without it where none is found."""
    before, _, behind = path.partition(_ANY)
    got = _GOT.search(words)
    for step in _STEP.finditer(before):
        name, place = step[1], step[2]
        listed = as_list(sent)
        if name is not None and is_object(sent):
            sent = sent.get(name)
        elif place is not None and int(place) < len(listed):
            sent = listed[int(place)]
    if behind or got is None or not is_object(sent):
        return before
    keys = (key for key, value in sent.items() if _KINDS.get(type(value)) == got[1])
    key = next(keys, None)
    return before if key is None else f"{before}.{key[:_LONGEST]}"
