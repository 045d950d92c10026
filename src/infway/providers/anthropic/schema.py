"""JSON schemas as Claude's structured outputs and strict tools take them.

What cannot be enforced goes into the description, where the model reads it, as Anthropic's own
libraries do. https://platform.claude.com/docs/en/build-with-claude/structured-outputs,
"JSON Schema limitations".
"""

import re

from infway.providers.shapes import Object, as_list, as_object, as_text, is_object, write

_KEPT = frozenset({"type", "enum", "const", "title", "description", "default", "required"})
_MAPS = frozenset({"properties", "$defs", "definitions"})
_CHOICES = {"anyOf": "anyOf", "oneOf": "anyOf", "allOf": "allOf"}
_NOTES = frozenset({"title", "description", "default"})
# They say nothing of what is valid
_SILENT = frozenset({"$schema", "$id", "$comment", "$anchor", "examples", "deprecated"})
_FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)
_HARD_PATTERN = re.compile(r"\(\?[=!<]|\\[bB1-9]")  # look-around, word bounds, back-references


def fit(schema: Object) -> tuple[Object, bool]:
    """Return the schema that can be enforced, and whether it allows more than what was sent."""
    fitting = _Fitting()
    return as_object(fitting.fit(schema)), fitting.is_looser


class _Fitting:
    def __init__(self) -> None:
        self.is_looser = False

    def fit(self, schema: object) -> object:
        if not is_object(schema):
            return schema
        fitted: dict[str, object] = {}
        left: dict[str, object] = {}
        for key, value in schema.items():
            if "$ref" not in schema or key not in _NOTES:
                self._sort(key, value, fitted, left)
        self._close(schema, fitted, left)
        if left and "$ref" in schema:
            self.is_looser = True  # a reference has no words of its own
        elif left:
            self.is_looser = True
            said = as_text(fitted.get("description"))
            note = write(left).decode()
            fitted["description"] = f"{said}\n\n{note}" if said else note
        return fitted

    def _sort(
        self, key: str, value: object, fitted: dict[str, object], left: dict[str, object]
    ) -> None:
        if key in _MAPS:
            fitted[key] = {name: self.fit(inner) for name, inner in as_object(value).items()}
        elif key in _CHOICES:
            fitted[_CHOICES[key]] = [self.fit(inner) for inner in as_list(value)]
        elif key == "items":
            fitted[key] = self.fit(value)
        elif _is_enforced(key, value):
            fitted[key] = value
        elif key not in _SILENT:
            left[key] = value

    @staticmethod
    def _close(schema: Object, fitted: dict[str, object], left: dict[str, object]) -> None:
        """Objects have no other properties than those named; what allows others is left over."""
        kind = schema.get("type")
        if kind != "object" and "object" not in as_list(kind) and "properties" not in schema:
            return
        fitted["additionalProperties"] = False
        if left.get("additionalProperties") is False:
            del left["additionalProperties"]
        elif "additionalProperties" not in left and "properties" not in schema:
            left["additionalProperties"] = True


def _is_enforced(key: str, value: object) -> bool:
    match key:
        case "$ref":
            return as_text(value).startswith("#")
        case "format":
            return isinstance(value, str) and value in _FORMATS
        case "pattern":
            return isinstance(value, str) and _HARD_PATTERN.search(value) is None
        case "minItems":
            return value in (0, 1)
        case _:
            return key in _KEPT
