"""Google's `Schema`, a part of OpenAPI 3.0 with types in upper case, as JSON schema.

https://ai.google.dev/api/caching#Schema
"""

from collections.abc import Mapping

from infway.api.gemini.spelling import camel
from infway.providers.shapes import as_list, as_object, as_objects, is_object

_COUNTS = frozenset(
    {"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"}
)
_NAMES: Mapping[str, str] = {"defs": "$defs", "ref": "$ref"}
# Said in another way, or nothing to JSON schema
_READ = frozenset({"type", "nullable", "propertyOrdering", "example"})
_NO_TYPE = "TYPE_UNSPECIFIED"


def json_schema(schema: object) -> dict[str, object]:
    """Return the schema; what is no object is one that anything keeps.

    Raises RecursionError where it is nested too deeply.
    """
    said = {camel(name): value for name, value in as_object(schema).items()}
    plain = {
        _NAMES.get(name, name): _value(name, value)
        for name, value in said.items()
        if name not in _READ and not (name == "format" and value == "enum")
    }
    kinds = _types(said.get("type"))
    if said.get("nullable") is True:
        plain, kinds = _with_null(plain, kinds)
    if "example" in said:
        plain["examples"] = [said["example"]]
    _order(plain, as_list(said.get("propertyOrdering")))
    typed: dict[str, object] = {"type": kinds[0] if len(kinds) == 1 else kinds} if kinds else {}
    return typed | plain


def _types(said: object) -> list[str]:
    listed = as_list(said) or [said]
    return [one.lower() for one in listed if isinstance(one, str) and one and one != _NO_TYPE]


def _with_null(plain: dict[str, object], kinds: list[str]) -> tuple[dict[str, object], list[str]]:
    """Let null be kept too, whatever says which values are."""
    for name in ("anyOf", "enum"):
        choices = as_list(plain.get(name))
        if choices:
            plain = {**plain, name: [*choices, {"type": "null"} if name == "anyOf" else None]}
    return plain, [*kinds, "null"] if kinds else kinds


def _value(name: str, value: object) -> object:
    if name in ("properties", "defs", "$defs"):
        return {key: json_schema(one) for key, one in as_object(value).items()}
    if name in ("anyOf", "oneOf", "allOf", "prefixItems"):
        return [json_schema(one) for one in as_objects(value)]
    if name in ("items", "additionalProperties") and is_object(value):
        return json_schema(value)
    if name in _COUNTS and isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value[:18])  # 64-bit numbers are texts in Google's JSON
    return value


def _order(plain: dict[str, object], order: list[object]) -> None:
    properties = as_object(plain.get("properties"))
    if order and properties:
        first = {name: properties[name] for name in map(str, order) if name in properties}
        plain["properties"] = first | properties
