"""Models that continue texts, and servers that do so with models for chats, as they are stocked."""

from functools import cache

import pytest

from infway.inventory import Inventory, build, packaged
from infway.kernel.chat import Feature
from infway.providers.completions.carry import DIALECT
from infway.providers.spoken import SPOKEN
from infway.providers.vendors import VENDORS
from infway.settings import Settings

_packaged = cache(packaged)


def stocked(vendor: str, *models: object, **said: object) -> Inventory:
    row = {"name": "a", "vendor": vendor, "key": "k", **said}
    row |= {"models": list(models)} if models else {}
    return build(Settings.model_validate({"upstreams": [row]}), *_packaged())


def test_openais_models_that_continue_texts_are_stocked_from_the_catalogue():
    texts = {o.model: o for o in stocked("openai").offers if o.upstream.dialect == DIALECT}
    assert {"gpt-3.5-turbo-instruct", "babbage-002", "davinci-002"} <= texts.keys()
    assert all("gpt-4" not in name for name in texts)
    offer = texts["gpt-3.5-turbo-instruct"]
    assert offer.upstream.chat_url == "https://api.openai.com/v1/completions"
    assert offer.upstream.url_of(DIALECT) == offer.upstream.chat_url
    assert not offer.upstream.drop | offer.upstream.rename.keys()  # those are of chats
    assert offer.features == Feature.LOGPROBS | Feature.SEVERAL
    assert offer.prices.input == 1_500_000


@pytest.mark.parametrize(
    ("vendor", "url"),
    [
        ("azure", "https://h.test/openai/v1/completions"),
        (
            "azure-deployments",
            "https://h.test/openai/deployments/{model}/completions?api-version=2024-10-21",
        ),
    ],
)
def test_a_deployment_of_such_a_model_goes_there_too(vendor: str, url: str):
    model = {"id": "mine", "native": "gpt-35-turbo-instruct"}
    (offer,) = stocked(vendor, model, base_url="https://h.test").offers
    assert offer.upstream.chat_url == url
    named = {"id": "x", "dialect": "completions", "input_price": 1, "output_price": 1}
    (offer,) = stocked(vendor, named, base_url="https://h.test").offers
    assert offer.upstream.chat_url == url


def test_any_server_can_be_said_to_continue_texts():
    model = {"id": "m", "input_price": 1, "output_price": 1}
    (offer,) = stocked("custom", model, base_url="http://h/v1", dialect="completions").offers
    assert (offer.upstream.dialect, offer.upstream.chat_url) == (DIALECT, "http://h/v1/completions")


@pytest.mark.parametrize("vendor", sorted(SPOKEN[DIALECT]))
def test_a_server_that_does_both_keeps_its_own_dialect(vendor: str):
    model = {"id": "m", "input_price": 1, "output_price": 1}
    (offer,) = stocked(vendor, model, base_url="http://h/v1").offers
    assert offer.upstream.dialect == VENDORS[vendor].dialect != DIALECT
    assert offer.upstream.url_of(DIALECT) == "http://h/v1" + SPOKEN[DIALECT][vendor]
    assert offer.upstream.chat_url != offer.upstream.url_of(DIALECT)


def test_other_vendors_speak_it_for_no_model_of_chats():
    (offer,) = stocked("openai", "gpt-4o").offers
    assert offer.upstream.url_of(DIALECT) is None
    assert set(SPOKEN[DIALECT]) <= set(VENDORS)


def test_the_way_of_single_models_speaks_nothing_else():
    base = next(o for o in stocked("together").offers if o.upstream.dialect == DIALECT)
    assert base.model == "meta-llama/Meta-Llama-3.1-8B"
    assert base.upstream.speaks == {}
