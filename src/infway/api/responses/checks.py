"""A value against a type, with the path of the field that is wrong as its caller knows it."""

from typing import TypeVar

import msgspec

from infway.api.reading import below, refuse
from infway.kernel.errors import CallerError

_T = TypeVar("_T")


def checked(kind: type[_T], value: object, path: str) -> _T:
    """Return a value read as a type; raises CallerError."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        try:
            refuse(error, value)
        except CallerError as refused:
            raise below(path, refused) from error
