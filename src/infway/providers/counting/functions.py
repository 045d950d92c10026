"""Functions and forms as the text that OpenAI's models read of them.

Its shape is published for the open models (https://github.com/openai/harmony, docs/format.md); by
the recordings the closed ones read the same, to within a few tokens.
"""

from collections.abc import Iterator, Sequence

import msgspec

from infway.providers.shapes import Object, as_list, as_object, as_text, is_object

_DEEPEST = 24  # levels of a schema that are read; what lies below is `any`
_WORDS = {"integer": "number"}
_NAMED = ("string", "number", "integer", "boolean", "null")

_write = msgspec.json.Encoder().encode


def declared(functions: Sequence[Object]) -> str:
    """Return the text that declares functions."""
    bodies = "\n\n".join(_function(one) for one in functions)
    return f"# Tools\n\n## functions\n\nnamespace functions {{\n\n{bodies}\n\n}} // namespace functions"


def formed(form: Object) -> str:
    """Return the text that asks for a form; `form`: the `json_schema` of a response format."""
    schema = _write(_without(form.get("schema"), "additionalProperties", 0)).decode()
    remark = "".join(_remark(form.get("description")))
    return f"# Response Formats\n\n## {as_text(form.get('name'))}\n\n{remark}{schema}"


def _function(function: Object) -> str:
    parameters = as_object(function.get("parameters"))
    name = as_text(function.get("name"))
    taken = "()"
    if as_object(parameters.get("properties")):
        taken = "(_: {\n" + "".join(_properties(parameters, 0)) + "})"
    return "".join(_remark(function.get("description"))) + f"type {name} = {taken} => any;"


def _properties(schema: Object, depth: int) -> Iterator[str]:
    required = as_list(schema.get("required"))
    for name, value in as_object(schema.get("properties")).items():
        said = as_object(value)
        yield from _remark(said.get("title"), "//\n")
        yield from _remark(said.get("description"))
        mark = "" if name in required else "?"
        default = f" // default: {_literal(said['default'])}" if "default" in said else ""
        yield f"{name}{mark}: {_type(said, depth + 1)},{default}\n"


def _type(schema: Object, depth: int) -> str:
    """Return a type; what has none is `any`."""
    kind = schema.get("type")
    if depth > _DEEPEST:
        return "any"
    if "enum" in schema:
        return " | ".join(_literal(one) for one in as_list(schema["enum"]))
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " | ".join(_type(as_object(one), depth + 1) for one in as_list(schema[key]))
    if kind == "array":
        return _type(as_object(schema.get("items")), depth + 1) + "[]"
    if kind == "object":
        inside = "".join(_properties(schema, depth))
        return f"{{\n{inside}}}" if inside else "object"
    words = [as_text(one) for one in as_list(kind) or [kind]]
    return " | ".join(_WORDS.get(one, one) if one in _NAMED else "any" for one in words)


def _remark(text: object, after: str = "") -> Iterator[str]:
    if isinstance(text, str) and text:
        yield from (f"// {line}\n" for line in text.split("\n"))
        yield after


def _literal(value: object) -> str:
    return _write(value).decode()


def _without(value: object, key: str, depth: int) -> object:
    """Return JSON without a key, wherever it stands."""
    if depth > _DEEPEST:
        return None
    if is_object(value):
        return {name: _without(one, key, depth + 1) for name, one in value.items() if name != key}
    if as_list(value):
        return [_without(one, key, depth + 1) for one in as_list(value)]
    return value
