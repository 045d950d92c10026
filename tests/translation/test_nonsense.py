"""Requests with nonsense in a place: an adapter says them or refuses them, and never breaks."""

from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, given, settings
from tests.translation.generated import asked, breaks
from tests.translation.nonsense import nonsensical
from tests.translation.offers import offers, translating

from infway.kernel.errors import CallerError, UpstreamFailed


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(request=nonsensical())
def test_nonsense_is_said_or_refused(request: dict[str, Any]) -> None:
    with suppress(CallerError):  # most of it goes no further than the edge
        ask = asked(request)
        for dialect in translating():
            for offer in offers(dialect):
                with suppress(UpstreamFailed):
                    assert breaks(dialect, ask, offer) == []
