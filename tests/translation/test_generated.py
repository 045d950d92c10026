"""Made-up requests told back, a part of them; `python -m tests.translation.generated` makes more."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from tests.translation.generated import failures
from tests.translation.offers import offers, translating
from tests.translation.requests import requests

from infway.api.reading import read_chat
from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Fault

_CASES = 60  # for each dialect


@pytest.mark.parametrize("dialect", translating())
@settings(max_examples=_CASES, deadline=None, suppress_health_check=list(HealthCheck))
@given(request=requests())
def test_a_vendor_is_told_every_fact_or_its_loss_is_listed(
    dialect: str, request: dict[str, Any]
) -> None:
    ask, _ = read_chat(json.dumps(request).encode(), "r-1", None)
    for offer in offers(dialect):
        try:
            assert failures(dialect, request, ask, offer) == []
        except UpstreamFailed as failed:
            assert failed.failure.fault is Fault.UNTRANSLATABLE  # noqa: PT017 - either way is right
            assert failed.failure.param
