"""JSON against the type annotations of a vendor's SDK, strictly: a key the type lacks is a fault.

pydantic reads such types as well, but lazily where they say `Iterable`, and it passes keys it does
not know in models that allow extras: both would let through what the vendor refuses.
"""

import base64
import binascii
import types
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

import typing_extensions as te
from pydantic import BaseModel

_WRAPS = (te.Annotated, te.Required, te.NotRequired, te.ReadOnly)
_UNIONS = (Union, types.UnionType)
_SIMPLE: Mapping[Any, tuple[type, ...]] = {
    str: (str,), int: (int,), float: (int, float), bool: (bool,), None: (type(None),),
    type(None): (type(None),), dict: (dict,), list: (list,),
}  # fmt: skip
_LISTS = ("list", "Sequence", "Iterable", "SequenceNotStr", "tuple")


class Key(NamedTuple):
    """A member of an object: its annotation, and whether it has to be there."""

    annotation: Any
    is_required: bool


def faults(
    value: object, annotation: Any, path: str = "", loose: tuple[type, ...] = ()
) -> list[str]:
    """Return what is wrong with a value, a line each. `loose`: types that may hold more keys."""
    return list(_read(value, annotation, path, loose))


def _read(value: object, said: Any, path: str, loose: tuple[type, ...]) -> Iterator[str]:
    origin = get_origin(said)
    if said in (Any, object):
        return
    if origin in _WRAPS:
        yield from _read(value, get_args(said)[0], path, loose)
    elif isinstance(said, te.TypeAliasType):
        yield from _read(value, said.__value__, path, loose)
    elif origin in _UNIONS:
        yield from _read_union(value, get_args(said), path, loose)
    elif origin is Literal:
        if not any(value == one and type(value) is type(one) for one in get_args(said)):
            yield f"{path}: {_short(value)} is none of {_short(get_args(said))}"
    elif said in _SIMPLE:
        if not isinstance(value, _SIMPLE[said]) or (said is not bool and isinstance(value, bool)):
            yield f"{path}: {_short(value)} is no {said}"
    elif said is bytes:
        yield from _read_bytes(value, path)
    else:
        yield from _read_container(value, said, path, loose)


def _read_container(value: object, said: Any, path: str, loose: tuple[type, ...]) -> Iterator[str]:
    origin = get_origin(said) or said
    keys = _keys(said) if isinstance(said, type) else None
    if keys is not None:
        yield from _read_object(value, said, path, loose)
    elif isinstance(said, type) and issubclass(said, Enum):
        if value not in [one.value for one in said]:
            yield f"{path}: {_short(value)} is no {said.__name__}"
    elif getattr(origin, "__name__", "") in _LISTS:
        if not isinstance(value, list):
            yield f"{path}: {_short(value)} is no list"
            return
        (inner, *_) = get_args(said) or (Any,)
        for place, one in enumerate(value):
            yield from _read(one, inner, f"{path}[{place}]", loose)
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        if not isinstance(value, dict):
            yield f"{path}: {_short(value)} is no object"
            return
        for key, one in value.items():
            yield from _read(one, get_args(said)[1], f"{path}.{key}", loose)
    else:
        yield f"{path}: {_short(value)} is no {said}"


def _read_object(value: object, said: Any, path: str, loose: tuple[type, ...]) -> Iterator[str]:
    keys = _keys(said) or {}
    if not isinstance(value, dict):
        yield f"{path}: {_short(value)} is no {said.__name__}"
        return
    for name, key in keys.items():
        if key.is_required and name not in value and faults(None, key.annotation):
            yield f"{path}.{name}: missing in {said.__name__}"
    for name, one in value.items():
        if name in keys:
            yield from _read(one, keys[name].annotation, f"{path}.{name}", loose)
        elif said not in loose:
            yield f"{path}.{name}: {said.__name__} has no such key"


def _read_union(
    value: object, options: tuple[Any, ...], path: str, loose: tuple[type, ...]
) -> Iterator[str]:
    """Yield nothing where one option fits, else the faults of the one that is meant most likely."""
    first: list[str] = []
    for option in sorted(options, key=lambda one: -_meant(value, one)):
        found = faults(value, option, path, loose)
        if not found:
            return
        first = first or found
    yield from first


def _meant(value: object, option: Any) -> int:
    """Count the constants of an option (`type`, `role`) that a value has; -1: it is another kind."""
    option = _bare(option)
    keys = _keys(option) if isinstance(option, type) else None
    if keys is None or not isinstance(value, dict):
        is_list = getattr(get_origin(option), "__name__", "") in _LISTS
        return 0 if isinstance(value, list) == is_list and keys is None else -1
    constant = [name for name, key in keys.items() if get_origin(_bare(key.annotation)) is Literal]
    named = [name for name in constant if name in value]
    wrong = [name for name in named if faults(value[name], keys[name].annotation)]
    return -1 if wrong else len(named) * 10 + len(keys.keys() & value.keys())


def _bare(said: Any) -> Any:
    while get_origin(said) in _WRAPS:
        said = get_args(said)[0]
    return said


def _read_bytes(value: object, path: str) -> Iterator[str]:
    try:
        base64.b64decode(str(value), validate=True)
    except (binascii.Error, ValueError):
        yield f"{path}: {_short(value)} is no base64"


@cache
def _keys(said: type) -> Mapping[str, Key] | None:
    """Return the members of a TypedDict or a model, None for any other type."""
    if te.is_typeddict(said):
        hints = te.get_type_hints(said, include_extras=True)
        return {name: Key(hint, _is_required(said, name, hint)) for name, hint in hints.items()}
    if issubclass(said, BaseModel):
        said.model_rebuild()
        return {
            _alias(name, field): Key(field.annotation, field.is_required())
            for name, field in said.model_fields.items()
        }
    return None


def _is_required(said: Any, name: str, hint: Any) -> bool:
    """The type's own list is wrong where its module's annotations are text."""
    if get_origin(hint) in (te.Required, te.NotRequired):
        return get_origin(hint) is te.Required
    return name in said.__required_keys__


def _alias(name: str, field: Any) -> str:
    """Return the key on the wire; Fern's models carry it as metadata of their own."""
    aliases = [one.alias for one in field.metadata if getattr(one, "alias", None)]
    return field.alias or next(iter(aliases), name)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < 80 else f"{text[:77]}..."
