"""Models for other work on the shelf: what they are known by, where they are asked, what they cost."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from infway.inventory import Inventory, build, packaged
from infway.kernel.chat import Feature, Offer
from infway.kernel.work import WORK, WORKS, Trade
from infway.providers.passing.ways import ways_of
from infway.providers.registry import PASSERS
from infway.providers.vendors import VENDORS
from infway.settings import load

Stocked = Callable[[str], Inventory]
_packaged = cache(packaged)


@pytest.fixture
def stocked(tmp_path: Path) -> Stocked:
    def write(text: str) -> Inventory:
        path = tmp_path / "infway.yaml"
        path.write_text(text)
        return build(load(path, {}), *_packaged())

    return write


def only(inventory: Inventory, trade: Trade) -> Offer:
    assert inventory.offers == inventory.embeddings == ()
    assert [one for one, offers in inventory.work.items() if offers] == [trade]
    (offer,) = inventory.work[trade]
    return offer


def test_the_catalogues_models_are_offered_for_their_own_trade_alone(stocked: Stocked) -> None:
    inventory = stocked("upstreams: [{name: a, vendor: openai, key: k}]")
    by_trade = {trade: {o.model: o for o in offers} for trade, offers in inventory.work.items()}
    assert by_trade[Trade.RERANK] == {}
    assert "omni-moderation-latest" in by_trade[Trade.MODERATION]
    assert "gpt-image-2" in by_trade[Trade.IMAGE]
    assert "tts-1" in by_trade[Trade.SPEECH]
    assert "whisper-1" in by_trade[Trade.TRANSCRIPTION]
    assert "gpt-live-transcribe" not in by_trade[Trade.TRANSCRIPTION]
    chats = {offer.model for offer in (*inventory.offers, *inventory.embeddings)}
    for offers in inventory.work.values():
        assert [offer.index for offer in offers] == list(range(len(offers)))
        assert not chats & {offer.model for offer in offers}
    for offer in inventory.offers:
        assert not offer.features & WORK
    assert len(inventory.all_offers) == len(set(inventory.all_offers))


@pytest.mark.parametrize(
    ("vendor", "model", "trade", "passer", "urls", "price"),
    [
        ("openai", "whisper-1", Trade.TRANSCRIPTION, "openai",
         ["https://api.openai.com/v1/audio/transcriptions",
          "https://api.openai.com/v1/audio/translations"], ("second", 100_000_000)),
        ("openai", "gpt-4o-transcribe", Trade.TRANSCRIPTION, "openai",
         ["https://api.openai.com/v1/audio/transcriptions"], ("input", 2_500_000)),
        ("openai", "gpt-image-1-mini", Trade.IMAGE, "openai",
         ["https://api.openai.com/v1/images/generations", "https://api.openai.com/v1/images/edits"],
         ("image_output", 8_000_000)),
        ("openai", "omni-moderation-latest", Trade.MODERATION, "openai",
         ["https://api.openai.com/v1/moderations"], ("input", 0)),
        ("groq", "whisper-large-v3-turbo", Trade.TRANSCRIPTION, "openai",
         ["https://api.groq.com/openai/v1/audio/transcriptions"], ("second", 11_110_000)),
        ("groq", "canopylabs/orpheus-v1-english", Trade.SPEECH, "openai",
         ["https://api.groq.com/openai/v1/audio/speech"], ("character", 22_000_000)),
        ("xai", "grok-imagine-image", Trade.IMAGE, "openai-json",
         ["https://api.x.ai/v1/images/generations", "https://api.x.ai/v1/images/edits"],
         ("image", 20_000_000_000)),
        ("cohere", "rerank-v3.5", Trade.RERANK, "rerank-cohere",
         ["https://api.cohere.com/v2/rerank"], ("query", 2_000_000_000)),
        ("voyage", "rerank-2.5", Trade.RERANK, "rerank-voyage",
         ["https://api.voyageai.com/v1/rerank"], ("input", 50_000)),
        ("jina", "jina-reranker-v2-base-multilingual", Trade.RERANK, "rerank-jina",
         ["https://api.jina.ai/v1/rerank"], ("input", 50_000)),
        ("bedrock", "cohere.rerank-v3-5:0", Trade.RERANK, "rerank-bedrock-cohere",
         ["https://bedrock-runtime.us-east-1.amazonaws.com/model/{model}/invoke"],
         ("query", 2_000_000_000)),
        ("mistral", "voxtral-mini-latest", Trade.TRANSCRIPTION, "openai",
         ["https://api.mistral.ai/v1/audio/transcriptions"], ("second", 50_000_000)),
    ],
)  # fmt: skip
def test_each_vendor_is_asked_at_its_own_address(
    stocked: Stocked,
    vendor: str,
    model: str,
    trade: Trade,
    passer: str,
    urls: list[str],
    price: tuple[str, int],
) -> None:
    inventory = stocked(f"upstreams: [{{name: a, vendor: {vendor}, key: k, models: ['{model}']}}]")
    offer = only(inventory, trade)
    assert offer.upstream.dialect == passer
    assert list(offer.upstream.work_urls.values()) == urls
    assert getattr(offer.prices, price[0]) == price[1]
    assert offer.source == "catalogue"
    assert inventory.warnings == ()


@pytest.mark.parametrize(
    ("model", "trade"),
    [
        ("whisper-large-v3", Trade.TRANSCRIPTION),
        ("bge-reranker-v2-m3", Trade.RERANK),
        ("kokoro", Trade.SPEECH),
        ("{id: drawer, mode: image}", Trade.IMAGE),
        ("{id: judge, native: llama-moderation}", Trade.MODERATION),
        ("{id: whisper, mode: chat}", None),
        ("llama3.2", None),
    ],
)
def test_what_the_catalogue_does_not_know_is_told_by_its_mode_or_name(
    stocked: Stocked, model: str, trade: Trade | None
) -> None:
    inventory = stocked(f"upstreams: [{{name: a, vendor: localai, models: [{model}]}}]")
    if trade is None:
        assert len(inventory.offers) == 1
    else:
        offer = only(inventory, trade)
        assert offer.features == WORKS[trade]
        assert (offer.prices.query, offer.prices.second) == (0, 0)


def test_configured_prices_are_of_the_things_they_name(stocked: Stocked) -> None:
    models = (
        "{id: r, mode: rerank, search_price: 2}, {id: i, mode: image, image_price: 0.04},"
        " {id: s, mode: speech, character_price: 15}, {id: t, mode: transcription, minute_price: 0.006}"
    )
    work = stocked(
        f"upstreams: [{{name: a, vendor: custom, base_url: 'http://x/v1', models: [{models}]}}]"
    ).work
    assert work[Trade.RERANK][0].prices.query == 2_000_000_000
    assert work[Trade.IMAGE][0].prices.image == 40_000_000_000
    assert work[Trade.SPEECH][0].prices.character == 15_000_000
    assert work[Trade.TRANSCRIPTION][0].prices.second == 100_000_000


def test_work_without_a_price_or_a_way_is_left_out_with_a_warning(stocked: Stocked) -> None:
    custom = "vendor: custom, base_url: 'http://x/v1'"
    inventory = stocked(f"upstreams: [{{name: a, {custom}, models: [{{id: r, mode: rerank}}]}}]")
    assert inventory.all_offers == ()
    assert "r;" in inventory.warnings[0]
    inventory = stocked(
        "upstreams: [{name: a, vendor: groq, key: k, models: [{id: r, mode: rerank, search_price: 1,"
        " input_price: 1, output_price: 1}]}]"
    )
    assert inventory.all_offers == ()
    assert inventory.warnings == ("a: left out, since nobody knows how to ask it for rerank: r",)


def test_capabilities_narrow_what_a_model_is_asked_for(stocked: Stocked) -> None:
    model = "{id: i, mode: image, image_price: 1, capabilities: [images]}"
    offer = only(
        stocked(
            f"upstreams: [{{name: a, vendor: custom, base_url: 'http://x', models: [{model}]}}]"
        ),
        Trade.IMAGE,
    )
    assert offer.features == Feature.IMAGES


def test_every_way_names_a_passer_and_asks_for_work_of_its_trade() -> None:
    for vendor in VENDORS.values():
        for trade, ways in ways_of(vendor).items():
            for way in ways:
                assert way.passer in PASSERS
                assert way.paths
                assert all(work in WORKS[trade] for work in way.paths)
                assert all(path.startswith("/") for path in way.paths.values())
