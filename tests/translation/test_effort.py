"""More reasoning asked for is never less reasoning told, whatever a model calls it."""

import json

import pytest
from tests.translation.facts import Effort
from tests.translation.generated import asked
from tests.translation.offers import offers, translating
from tests.translation.telling import BACK

from infway.kernel.chat import HttpCall, Offer
from infway.providers.registry import ADAPTERS

LEVELS = ("minimal", "low", "medium", "high", "xhigh")
_WORDS = ("none", *LEVELS, "max")
MODELS = [offer for dialect in translating() for offer in offers(dialect)]


def _call(offer: Offer, **wish: object) -> HttpCall:
    request = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 8000, **wish}
    return ADAPTERS[offer.upstream.dialect].request(asked(request), offer)


def _told(offer: Offer, call: HttpCall) -> Effort:
    wishes = BACK[offer.upstream.dialect](json.loads(call.body)).wishes
    return wishes.get("effort", Effort())


def _amount(effort: Effort) -> int:
    if effort.budget is not None:
        return effort.budget
    return _WORDS.index(effort.level) if effort.level else 0


@pytest.mark.parametrize("offer", MODELS, ids=lambda offer: offer.native)
def test_a_higher_level_is_told_as_no_less(offer: Offer):
    calls = [_call(offer, reasoning_effort=level) for level in LEVELS]
    amounts = [_amount(_told(offer, call)) for call in calls]
    assert amounts == sorted(amounts)
    for call in calls:
        assert _told(offer, call).on or "reasoning_effort" in call.dropped


@pytest.mark.parametrize("offer", MODELS, ids=lambda offer: offer.native)
def test_no_reasoning_is_told_as_none_or_listed(offer: Offer):
    for wish in ({"reasoning_effort": "none"}, {"reasoning": {"enabled": False}}):
        call = _call(offer, **wish)
        assert _told(offer, call).on is not True or "reasoning_effort" in call.dropped


@pytest.mark.parametrize("offer", MODELS, ids=lambda offer: offer.native)
def test_a_budget_is_told_or_listed(offer: Offer):
    call = _call(offer, reasoning={"max_tokens": 3000})
    listed = {"reasoning_effort", "reasoning.max_tokens"} & set(call.dropped)
    assert _told(offer, call).budget == 3000 or listed
