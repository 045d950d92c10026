"""What an OpenAI conversation carries for other vendors, taken out for those that refuse it.

A conversation may go on at another vendor than the one where it began: signatures, reasoning and
cache markers stay with the caller, and are left out where they would be a fault.
"""

import re
from collections.abc import Iterator

import msgspec

from infway.providers.shapes import as_objects, parse, write

# Beside what OpenAI documents for messages, parts, calls and tools
EXTENSIONS = frozenset(
    {
        "reasoning", "reasoning_content", "reasoning_details", "thinking_blocks", "annotations",
        "images", "extra_content", "cache_control", "content_parts",
    }
)  # fmt: skip
_ANY = re.compile(rb'"(?:' + b"|".join(name.encode() for name in sorted(EXTENSIONS)) + rb')"\s*:')


def without(
    name: str, raw: msgspec.Raw, refused: frozenset[str]
) -> tuple[msgspec.Raw, tuple[str, ...]]:
    """Return messages or tools without what is refused, and the paths of what was taken out.

    `name` is the root field they stand in.
    """
    if _ANY.search(bytes(raw)) is None:
        return raw, ()
    value: object = parse(raw)
    lost = dict.fromkeys(_cleaned(name, value, refused))
    return (msgspec.Raw(write(value)), tuple(lost)) if lost else (raw, ())


def _cleaned(path: str, value: object, refused: frozenset[str]) -> Iterator[str]:
    """Take the refused keys out of objects in a list and in their lists; yield where they were."""
    for one in as_objects(value):
        for key in [key for key in one if key in refused]:
            del one[key]
            yield f"{path}.{key}"
        for inner in ("content", "tool_calls"):
            yield from _cleaned(f"{path}.{inner}", one.get(inner), refused)
