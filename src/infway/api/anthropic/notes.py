"""Parts of a body read as what they should be, and notes of what chats have no words for."""

import re
from collections.abc import Mapping
from typing import TypeVar

import msgspec

from infway.kernel.errors import CallerError

_T = TypeVar("_T")
_PLACE = re.compile(r" - at `\$\.?(.*)`$")
_MISSING = re.compile(r"missing required field `(.*?)`")


class Notes:
    """What a request says beyond chats. `needs`: the answer depends on it; `lost`: it does not."""

    def __init__(self) -> None:
        self.needs: dict[str, None] = {}
        self.lost: dict[str, None] = {}

    def need(self, path: str) -> None:
        """Note what only upstreams of the same dialect understand."""
        self.needs[path] = None

    def lose(self, path: str) -> None:
        """Note what other upstreams are not told."""
        self.lost[path] = None

    def lose_others(self, path: str, said: Mapping[str, object], read: frozenset[str]) -> None:
        """Note every key that nobody reads; what is null, empty or false says nothing."""
        for key, value in said.items():
            if key not in read and value not in (None, "", False, [], {}):
                self.lose(f"{path}.{key}")


def read_as(kind: type[_T], value: object, path: str) -> _T:
    """Return a part of the body as what it has to be; raises CallerError with the field's path."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        text = str(error)
        place, missing = _PLACE.search(text), _MISSING.search(text)
        inner = [found for found in (place and place[1], missing and missing[1]) if found]
        param = ".".join([path, *inner]).replace(".[", "[")
        code = "missing_required_field" if missing else "invalid_field"
        raise CallerError(400, code, f"{param}: {_PLACE.sub('', text)}", param) from error


def type_of(value: Mapping[str, object], path: str) -> str:
    """Return the type that a block says; raises CallerError where it says none."""
    kind = value.get("type")
    if isinstance(kind, str):
        return kind
    param = f"{path}.type"
    if kind is None:
        raise CallerError(400, "missing_required_field", f"{param} is required.", param)
    raise CallerError(400, "invalid_field", f"{param}: Expected `str`.", param)
