"""Configuration, vendors and the packaged catalogue, joined."""

from pathlib import Path

import pytest

from infway.discover import Discovered, Found, from_environment
from infway.ims.catalog import Catalog
from infway.inventory import EVERYTHING, Inventory, build, packaged, with_found
from infway.kernel.chat import Feature, Offer, Prices
from infway.providers.sandbox import PROFILES
from infway.providers.vendors import VENDORS
from infway.settings import Settings, defaults, load
from infway.settings.checks import SANDBOX

PRICES, QUALITY = packaged()


@pytest.fixture
def stocked(tmp_path: Path):
    """Build the inventory of a configuration."""

    def write(text: str, **environment: str) -> Inventory:
        path = tmp_path / "infway.yaml"
        path.write_text(text)
        return build(load(path, environment), PRICES, QUALITY)

    return write


def only(inventory: Inventory) -> Offer:
    (offer,) = inventory.offers
    return offer


def test_indexes_are_dense_and_offers_have_names(stocked):
    inventory = stocked("upstreams: [{name: a, vendor: openai, key: k}]\nsandbox: true")
    assert [offer.index for offer in inventory.offers] == list(range(len(inventory.offers)))
    assert len({offer.id for offer in inventory.offers}) == len(inventory.offers) > 50


def test_prices_and_abilities_come_from_the_catalogue(stocked):
    offer = only(stocked("upstreams: [{name: a, vendor: openai, key: k, models: [gpt-4o]}]"))
    facts = PRICES.facts("openai", "gpt-4o")
    assert facts is not None
    assert offer.prices.input == facts.input == 2_500_000
    assert (offer.context, offer.max_output) == (facts.context, facts.max_output)
    assert offer.features & Feature.VISION
    assert not offer.features & Feature.AUDIO_IN
    assert (offer.source, offer.native) == ("catalogue", "gpt-4o")
    assert offer.quality == QUALITY.of("gpt-4o")


def test_the_configuration_overrides_the_catalogue(stocked):
    offer = only(
        stocked(
            "upstreams:\n- name: a\n  vendor: openai\n  key: k\n  models:\n"
            "  - {id: mine, native: gpt-4o, input_price: 0.000001, cache_read_price: 0, context: 9,"
            " max_output: 8, capabilities: [tools], quality: 0, quantization: fp8}\n"
        )
    )
    assert (offer.model, offer.native) == ("mine", "gpt-4o")
    assert (offer.prices.input, offer.prices.output, offer.prices.cache_read) == (1, 10**7, 0)
    assert (offer.context, offer.max_output, offer.features) == (
        9,
        8,
        Feature.TOOLS | Feature.REMOTE_MEDIA,
    )
    assert (offer.quality, offer.quantization) == (0, "fp8")


def test_an_unknown_price_leaves_a_model_out_with_a_warning(stocked):
    text = (
        "upstreams: [{name: a, vendor: custom, base_url: 'http://h/v1', models: [x, y]%s}]\n"
        "aliases: {z: x}"
    )
    inventory = stocked(text % "")
    assert inventory.offers == ()
    assert inventory.warnings == (
        "a: left out, since no price is known: x, y; give input_price and output_price, or allow_unpriced",
        "aliases.z: no upstream offers `x`",
    )
    allowed = stocked(text % ", allow_unpriced: true")
    assert [offer.prices for offer in allowed.offers] == [Prices(), Prices()]
    assert allowed.warnings == ()


def test_one_of_two_prices_is_not_enough(stocked):
    row = "{id: x, input_price: 1}"
    inventory = stocked(f"upstreams: [{{name: a, vendor: openai, key: k, models: [{row}]}}]")
    assert inventory.offers == ()


def test_a_local_server_costs_nothing_and_may_do_anything(stocked):
    offer = only(stocked("upstreams: [{name: a, vendor: vllm, models: [x]}]"))
    assert (offer.prices.input, offer.prices.output) == (0, 0)
    assert offer.features == EVERYTHING
    assert offer.features & Feature.PREFILL
    assert offer.upstream.chat_url == "http://127.0.0.1:8000/v1/chat/completions"


def test_what_the_catalogue_does_not_speak_of_depends_on_what_the_vendor_takes(stocked):
    text = "upstreams: [{name: a, vendor: %s, key: k, models: [%s]}]"
    openai = only(stocked(text % ("openai", "gpt-4o")))
    assert openai.features & Feature.SEVERAL
    assert openai.features & Feature.LOGPROBS
    groq = only(stocked(text % ("groq", "openai/gpt-oss-120b")))
    assert not groq.features & (Feature.SEVERAL | Feature.LOGPROBS)


def test_a_model_of_which_no_source_says_what_it_can_do_may_do_anything(stocked):
    text = "upstreams: [{name: a, vendor: openrouter, key: k, models: [openai/gpt-4o]}]"
    offer = only(stocked(text))
    assert offer.features == EVERYTHING
    assert (offer.prices.input, offer.context) == (2_500_000, 128_000)


def test_a_key_of_openrouter_offers_its_models_but_not_its_free_ones_and_aliases():
    found = from_environment({"OPENROUTER_API_KEY": "k"})
    inventory = build(with_found(defaults({}), found), PRICES, QUALITY)
    names = [offer.model for offer in inventory.offers]
    assert "openai/gpt-4o" in names
    assert not [name for name in names if name.endswith((":free", "-contributor"))]
    assert not [name for name in names if name.startswith("~")]
    assert inventory.warnings == ()


def test_a_vendors_row_can_be_overridden(stocked):
    inventory = stocked(
        "upstreams:\n- {name: a, vendor: mistral, key: k, models: [mistral-small-latest]}\n"
        "- {name: b, vendor: mistral, key: k, models: [mistral-small-latest], drop: [], rename: {},"
        " defaults: {x: 1}, base_url: 'https://h/v9/', auth: 'header:X-Key', headers: {y: z},"
        " timeouts: {idle: 7}, max_in_flight: 3, trains_on_data: false}\n"
    )
    usual, own = inventory.upstreams
    assert "stream_options" in usual.drop
    assert usual.rename["seed"] == "random_seed"
    assert (own.drop, own.rename, own.defaults) == (frozenset(), {}, {"x": 1})
    assert own.chat_url == "https://h/v9/chat/completions"
    assert own.headers == {"content-type": "application/json", "y": "z"}
    assert (own.timeouts.idle, own.timeouts.connect, own.trains_on_data) == (7, 3, False)
    assert inventory.credentials["a"].headers() == {"authorization": "Bearer k"}
    assert inventory.credentials["b"].headers() == {"x-key": "k"}
    assert inventory.max_in_flight == {"b": 3}


def test_azure_is_asked_for_a_deployment_with_its_own_header(stocked):
    inventory = stocked(
        "upstreams:\n"
        "- {name: a, vendor: azure, base_url: 'https://h', key: k,"
        " models: [{id: gpt-4o, deployment: d}]}\n"
        "- {name: b, vendor: azure-deployments, base_url: 'https://h/', key: k,"
        " api_version: v, models: [gpt-4o]}\n"
    )
    first, second = inventory.offers
    assert (first.model, first.native, first.prices.known) == ("gpt-4o", "d", True)
    assert first.upstream.chat_url == "https://h/openai/v1/chat/completions"
    assert second.upstream.chat_url == (
        "https://h/openai/deployments/{model}/chat/completions?api-version=v"
    )
    assert inventory.credentials["a"].headers() == {"api-key": "k"}


def test_no_secret_is_in_a_repr(stocked):
    inventory = stocked("upstreams: [{name: a, vendor: openai, key: hidden-key}]")
    assert "hidden-key" not in repr(inventory)
    assert "hidden-key" not in repr(inventory.credentials)


def test_the_sandbox_is_three_upstreams_of_one_model():
    inventory = build(Settings(sandbox=True), PRICES, QUALITY)
    assert tuple(upstream.name for upstream in inventory.upstreams) == SANDBOX
    assert {
        upstream.chat_url.removeprefix("sandbox://") for upstream in inventory.upstreams
    } == set(PROFILES)
    assert {offer.model for offer in inventory.offers} == {"sandbox-chat"}
    assert len({offer.prices for offer in inventory.offers}) == 3
    assert all(offer.features & Feature.TOOLS for offer in inventory.offers)
    assert not any(offer.features & Feature.SEVERAL for offer in inventory.offers)
    assert all(offer.quality > defaults({}).routing.quality_floor for offer in inventory.offers)


def test_every_vendor_with_a_catalogue_can_be_stocked_whole(stocked):
    for vendor in VENDORS.values():
        if vendor.catalogue is None or vendor.own_names:
            continue
        base = "" if vendor.base_url else ", base_url: 'https://h/v1'"
        text = f"upstreams: [{{name: a, vendor: {vendor.name}, key: k, project: p{base}}}]"
        assert stocked(text).all_offers, vendor.name


def test_all_leaves_out_what_is_no_model_and_what_is_paid_for_with_data(stocked):
    text = "upstreams: [{name: a, vendor: %s, key: k}]"
    names = {offer.model for offer in stocked(text % "openai").offers}
    assert not any(name.startswith("ft:") for name in names)
    names = {offer.model for offer in stocked(text % "meta").offers}
    assert names
    assert not any(name.endswith("-contributor") for name in names)


def test_what_is_found_becomes_upstreams_beside_the_configured_ones(stocked):
    found = from_environment({"OPENAI_API_KEY": "k1", "GROQ_API_KEY": "k2"})
    local = Discovered(VENDORS["ollama"], "http://127.0.0.1:11434/v1", None, ("llama3.2:3b",))
    settings = with_found(defaults({}), Found((*found.upstreams, local)))
    inventory = build(settings, PRICES, QUALITY)
    assert [upstream.name for upstream in inventory.upstreams] == ["openai", "groq", "ollama"]
    assert inventory.credentials["groq"].secret == "k2"
    assert [o.model for o in inventory.offers if o.upstream.name == "ollama"] == ["llama3.2:3b"]


def test_a_configured_name_is_not_taken_by_a_found_one(tmp_path):
    path = tmp_path / "infway.yaml"
    path.write_text("upstreams: [{name: openai, vendor: openai, key: own, models: [gpt-4o]}]")
    settings = with_found(load(path, {}), from_environment({"OPENAI_API_KEY": "other"}))
    assert [one.key.get_secret_value() for one in settings.upstreams] == ["own"]


def test_policies_are_ready_for_the_router(stocked):
    inventory = stocked(
        "sandbox: true\n"
        "upstreams: [{name: a, vendor: ollama, models: [{id: x, quality: 90}, {id: y, quality: 5}]}]\n"
        "policies:\n"
        "  good: {quality_floor: 50, weights: {price: 3}, only: [a], max_input_cost: 2}\n"
        "  two: {models: [y, x], sort: price}\n"
        "  none: {models: [y], quality_floor: 50}\n"
    )
    good, two, none = inventory.policies
    assert (good.models, good.weights.price, good.weights.error) == (("x", "sandbox-chat"), 3, None)
    assert (good.constraints.only, good.constraints.max_input_cost) == (("a",), 2)
    assert (two.models, two.constraints.sort) == (("y", "x"), "price")
    assert none.models == ()
    catalog = Catalog(inventory.offers, policies=inventory.policies)
    assert {offer.model for offer in catalog.resolve("good").offers} == {"x", "sandbox-chat"}


def test_the_default_floor_lets_the_small_models_of_large_vendors_in():
    floor = defaults({}).routing.quality_floor
    assert QUALITY.default < floor
    assert QUALITY.of("gpt-4o-mini") >= floor
    assert QUALITY.of("llama-3.1-8b-instruct") < floor
