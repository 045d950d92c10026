"""Made-up requests with nonsense in some places."""

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st
from tests.translation.facts import Json
from tests.translation.requests import requests

_NONSENSE = st.sampled_from(
    [None, True, 0, -1, 1.5, 10**30, "", "x", "\0", "auto", [], {}, [[]], [None], {"a": []},
     {"type": 7}, {"type": "x"}, {"url": 5}, {"type": "ephemeral", "ttl": 5}, [{"type": "text"}]]
)  # fmt: skip


@st.composite
def nonsensical(draw: st.DrawFn) -> Json:
    """A request in which up to three values are of another kind than they should be."""
    request = draw(requests())
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(list(_places(request))[1:]))
        request = _with(request, place, draw(_NONSENSE))
    return request


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inner = value.items() if isinstance(value, dict) else ()
    inner = enumerate(value) if isinstance(value, list) else inner
    for key, one in inner:
        yield from _places(one, (*path, key))


def _with(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    if not path:
        return odd
    changed = value.copy()
    changed[path[0]] = _with(value[path[0]], path[1:], odd)
    return changed
