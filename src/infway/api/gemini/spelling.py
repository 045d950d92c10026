"""Both spellings of Google's field names read as one, and single objects as lists.

Google's APIs take `snake_case` and `camelCase`, and one object where a list of one is meant:
https://protobuf.dev/programming-guides/json/, and Vertex AI's own examples for the latter.
"""

from collections.abc import Mapping

from infway.kernel.errors import CallerError
from infway.providers.shapes import as_list, is_object

# What is under these is the caller's own: keys in it are no field names
_OPAQUE = frozenset(
    {
        "args", "response", "parameters", "parametersJsonSchema", "responseSchema",
        "responseJsonSchema", "labels", "partMetadata", "provider", "usage", "fallbackRules",
    }
)  # fmt: skip
_LISTS = frozenset({"contents", "parts", "tools", "functionDeclarations", "requests"})


def camel(name: str) -> str:
    """Return a field's name as Google documents it: `max_output_tokens` is `maxOutputTokens`."""
    if "_" not in name.strip("_"):
        return name
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def camelled(value: object, path: str = "") -> object:
    """Return JSON with its field names in camel case; what callers name themselves stays.

    Raises CallerError, with the path, where a name stands in both spellings with two values, of
    which only one would be read, and RecursionError where it is nested too deeply.
    """
    if is_object(value):
        return _renamed(value, path)
    listed = as_list(value)
    return [camelled(one, f"{path}[{at}]") for at, one in enumerate(listed)] if listed else value


def _renamed(value: Mapping[str, object], path: str) -> Mapping[str, object]:
    """Return an object with all that is in it; each value is read once, however deep it stands."""
    said: dict[str, object] = {}
    first: dict[str, str] = {}
    for spelled, one in value.items():
        name = camel(spelled)
        at = f"{path}.{name}" if path else name
        inner, known = _inner(name, one, at), said.get(name)
        first.setdefault(name, spelled)
        if known is None:
            said[name] = inner
        elif inner is not None and inner != known:
            at = f"{path}.{first[name]}" if path else first[name]
            message = f"{at}: stands there in another spelling too, with another value."
            raise CallerError(400, "invalid_field", message, at)
    return said


def _inner(name: str, value: object, path: str) -> object:
    if name in _OPAQUE:
        return value
    if name in _LISTS and is_object(value):
        value = [value]
    return camelled(value, path)
