"""JSON against botocore's model of an operation: its own validator, and what that leaves out.

botocore checks kinds, required members and lower bounds; the model also says which words there
are, patterns and upper bounds, and the service refuses what is outside of them.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from functools import cache

import botocore.session
from botocore.model import Shape
from botocore.validate import ParamValidator


@cache
def input_shape(service: str, operation: str) -> Shape:
    """Return the shape of what an operation takes."""
    model = botocore.session.get_session().get_service_model(service)
    shape = model.operation_model(operation).input_shape
    assert shape is not None
    return shape


def aws_faults(params: object, shape: Shape) -> list[str]:
    """Return what is wrong with the parameters of a call, a line each."""
    found: list[str] = []
    unpacked = _unpack(params, shape, "", found)
    report = ParamValidator().validate(unpacked, shape)
    found += [line for line in report.generate_report().split("\n") if line]
    return found + list(_beyond(unpacked, shape, ""))


def _unpack(value: object, shape: Shape, path: str, found: list[str]) -> object:
    """Return the value with bytes where the shape says so: in JSON they are base64."""
    match shape.type_name:
        case "structure" if isinstance(value, dict) and not getattr(shape, "is_document_type", 0):
            members = shape.members
            return {
                name: _unpack(one, members[name], f"{path}.{name}", found)
                if name in members
                else one
                for name, one in value.items()
            }
        case "list" if isinstance(value, list):
            return [
                _unpack(one, shape.member, f"{path}[{n}]", found) for n, one in enumerate(value)
            ]
        case "blob" if isinstance(value, str):
            try:
                return base64.b64decode(value, validate=True)
            except binascii.Error:
                found.append(f"{path}: no base64")
                return b"?"
        case _:
            return value


def _beyond(value: object, shape: Shape, path: str) -> Iterator[str]:
    """Yield words, patterns and upper bounds that are not kept."""
    match shape.type_name:
        case "structure" if isinstance(value, dict) and not getattr(shape, "is_document_type", 0):
            for name in value.keys() & shape.members.keys():
                yield from _beyond(value[name], shape.members[name], f"{path}.{name}")
        case "list" if isinstance(value, list):
            for place, one in enumerate(value):
                yield from _beyond(one, shape.member, f"{path}[{place}]")
        case "map" if isinstance(value, dict):
            for name, one in value.items():
                yield from _beyond(one, shape.value, f"{path}.{name}")
        case "string" if isinstance(value, str):
            yield from _beyond_text(value, shape, path)
        case "integer" | "float" if isinstance(value, (int, float)):
            if value > shape.metadata.get("max", value):
                yield f"{path}: {value} is more than {shape.metadata['max']}"


def _beyond_text(value: str, shape: Shape, path: str) -> Iterator[str]:
    words, pattern = shape.metadata.get("enum"), shape.metadata.get("pattern")
    if words and value not in words:
        yield f"{path}: {value[:40]!r} is none of {words}"
    if pattern and shape.name != "ConversationalModelId" and not re.fullmatch(pattern, value):
        yield f"{path}: {value[:40]!r} is not of the form {pattern}"
    if len(value) > shape.metadata.get("max", len(value)):
        yield f"{path}: longer than {shape.metadata['max']}"
