"""Plain values of any shape: what a file held before anybody looked at it."""

from collections.abc import Iterator, Mapping
from typing import TypeGuard

Where = tuple[str | int, ...]
Tree = Mapping[str, object]


def is_mapping(value: object) -> TypeGuard[dict[str, object]]:
    """Tell whether a value of a file is a mapping; its keys are text then."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[object]]:
    """Tell whether a value of a file is a list."""
    return isinstance(value, list)


def mapping(tree: Tree, name: str) -> Tree:
    """Return the mapping of this name, an empty one where there is none."""
    found = tree.get(name)
    return found if is_mapping(found) else {}


def rows(tree: Tree, name: str) -> list[tuple[int, Tree]]:
    """Return the mappings in the list of this name, each with its index."""
    found = tree.get(name)
    listed = found if is_list(found) else []
    return [(index, row) for index, row in enumerate(listed) if is_mapping(row)]


def texts(tree: Tree, name: str) -> Iterator[tuple[int, str]]:
    """Iterate over the texts in the list of this name, each with its index."""
    found = tree.get(name)
    for index, item in enumerate(found if is_list(found) else []):
        if isinstance(item, str):
            yield index, item


def dotted(where: Where) -> str:
    """Return a path as people write it: `upstreams[0].models[1].id`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in where)
    return text.removeprefix(".")
