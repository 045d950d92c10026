"""Both spellings of Google's field names read as one, and single objects as lists.

Google's APIs take `snake_case` and `camelCase`, and one object where a list of one is meant:
https://protobuf.dev/programming-guides/json/, and Vertex AI's own examples for the latter.
"""

from collections.abc import Mapping

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


def camelled(value: object) -> object:
    """Return JSON with its field names in camel case; what callers name themselves stays.

    Raises RecursionError where it is nested too deeply.
    """
    if is_object(value):
        return {name: _inner(name, one) for name, one in _renamed(value).items()}
    listed = as_list(value)
    return [camelled(one) for one in listed] if listed else value


def _renamed(value: Mapping[str, object]) -> dict[str, object]:
    return {camel(name): one for name, one in value.items()}


def _inner(name: str, value: object) -> object:
    if name in _OPAQUE:
        return value
    if name in _LISTS and is_object(value):
        value = [value]
    return camelled(value)
