"""Made-up requests told back, a part of them; `python -m tests.translation.generated` makes more."""

from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, given, settings
from tests.translation.generated import asked, failures, run
from tests.translation.offers import offers, translating
from tests.translation.requests import requests

from infway.kernel.errors import UpstreamFailed


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(request=requests())
def test_every_vendor_is_told_every_fact_or_its_loss_is_listed(request: dict[str, Any]) -> None:
    ask = asked(request)
    for dialect in translating():
        models = offers(dialect)
        offer = models[len(ask.fields) % len(models)]
        with suppress(UpstreamFailed):  # there are no words for it, which `run` looks at
            assert failures(dialect, request, ask, offer) == [], (dialect, offer.native)


def test_most_requests_can_be_said_and_the_others_are_refused_with_a_reason() -> None:
    for found in run(60, translating(), first=1):
        assert not found.times
        assert found.said > found.cases / 2
        assert found.said + found.refused.total() == found.cases
        assert all(found.refused)
