"""Requests with nonsense in a place: an adapter says them or refuses them, and never breaks."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.translation.offers import offers, translating
from tests.translation.requests import requests

from infway.api.reading import read_chat
from infway.kernel.errors import CallerError, UpstreamFailed
from infway.providers.registry import ADAPTERS

NONSENSE = st.sampled_from(
    [None, True, 0, -1, 1.5, 10**30, "", "x", "\0", "auto", [], {}, [[]], [None], {"a": []}, {"type": 7},
     {"type": "x"}, {"url": 5}, {"type": "ephemeral", "ttl": 5}, [{"type": "text"}]]
)  # fmt: skip


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


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(request=requests(), data=st.data())
def test_nonsense_is_said_or_refused(request: dict[str, Any], data: st.DataObject) -> None:
    for _ in range(3):
        place = data.draw(st.sampled_from(list(_places(request))[1:]))
        request = _with(request, place, data.draw(NONSENSE))
    with suppress(CallerError):  # most of it goes no further than the edge
        ask, _ = read_chat(json.dumps(request).encode(), "r-1", None)
        for dialect in translating():
            for offer in offers(dialect):
                with suppress(UpstreamFailed):
                    call = ADAPTERS[dialect].request(ask, offer)
                    assert isinstance(json.loads(call.body), dict)
