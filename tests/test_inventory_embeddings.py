"""Models for embeddings on the shelf: what they are known by, how they are asked, what they cost."""

from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest

from infway.inventory import Inventory, build, packaged
from infway.kernel.chat import Feature, Offer
from infway.providers.embeddings.ways import CATALOGUES, way_of, ways_of
from infway.providers.registry import EMBEDDERS
from infway.providers.vendors import VENDORS
from infway.settings import load

Stocked = Callable[[str], Inventory]
_packaged = cache(packaged)
# Models of the price list that have no address for texts alone
NO_TEXTS = ("*marengo*", "*titan-embed-image*", "multimodalembedding*", "gemini-flash-*")
ELSEWHERE = ("pplx-embed-context-*",)


@pytest.fixture
def stocked(tmp_path: Path) -> Stocked:
    def write(text: str) -> Inventory:
        path = tmp_path / "infway.yaml"
        path.write_text(text)
        return build(load(path, {}), *_packaged())

    return write


def only(inventory: Inventory) -> Offer:
    assert inventory.offers == ()
    (offer,) = inventory.embeddings
    return offer


def test_the_catalogues_models_for_embeddings_are_no_models_for_chats(stocked: Stocked) -> None:
    inventory = stocked("upstreams: [{name: a, vendor: openai, key: k}]")
    chats = {offer.model for offer in inventory.offers}
    vectors = {offer.model: offer for offer in inventory.embeddings}
    assert not chats & vectors.keys()
    assert [offer.index for offer in inventory.embeddings] == list(range(len(vectors)))
    small = vectors["text-embedding-3-small"]
    assert (small.prices.input, small.prices.output) == (20_000, 0)
    assert small.features == Feature.EMBEDDINGS | Feature.TOKEN_IDS
    assert (small.inputs, small.context) == (2048, 8191)
    assert small.upstream.embeddings_url == "https://api.openai.com/v1/embeddings"


@pytest.mark.parametrize(
    ("vendor", "model", "dialect", "url", "inputs"),
    [
        ("gemini", "gemini-embedding-001", "gemini",
         "https://generativelanguage.googleapis.com/v1beta/models/{model}:batchEmbedContents", 100),
        ("cohere", "embed-v4.0", "cohere", "https://api.cohere.com/v2/embed", 96),
        ("voyage", "voyage-3.5", "openai", "https://api.voyageai.com/v1/embeddings", 1000),
        ("mistral", "mistral-embed", "openai", "https://api.mistral.ai/v1/embeddings", None),
        ("perplexity", "pplx-embed-v1-4b", "openai-bytes",
         "https://api.perplexity.ai/v1/embeddings", 512),
        ("bedrock", "amazon.titan-embed-text-v2:0", "bedrock-titan",
         "https://bedrock-runtime.us-east-1.amazonaws.com/model/{model}/invoke", 1),
        ("bedrock", "us.cohere.embed-v4:0", "bedrock-cohere",
         "https://bedrock-runtime.us-east-1.amazonaws.com/model/{model}/invoke", 96),
        ("bedrock", "amazon.nova-2-multimodal-embeddings-v1:0", "bedrock-nova",
         "https://bedrock-runtime.us-east-1.amazonaws.com/model/{model}/invoke", 1),
    ],
)  # fmt: skip
def test_each_vendor_is_asked_in_its_own_way(
    stocked: Stocked, vendor: str, model: str, dialect: str, url: str, inputs: int | None
) -> None:
    offer = only(
        stocked(f"upstreams: [{{name: a, vendor: {vendor}, key: k, models: ['{model}']}}]")
    )
    assert (offer.upstream.dialect, offer.upstream.embeddings_url) == (dialect, url)
    assert offer.inputs == inputs
    assert offer.prices.known
    assert offer.upstream.takes == EMBEDDERS[dialect].takes


@pytest.mark.parametrize(
    ("model", "dialect", "action", "inputs"),
    [
        ("text-embedding-005", "vertex", ":predict", 250),
        ("gemini-embedding-001", "vertex", ":predict", 1),
        ("gemini-embedding-2", "gemini-single", ":embedContent", 1),
    ],
)
def test_vertex_has_an_address_for_each_generation(
    stocked: Stocked, model: str, dialect: str, action: str, inputs: int
) -> None:
    where = "name: a, vendor: vertex, project: p, region: europe-west4"
    offer = only(stocked(f"upstreams: [{{{where}, models: [{model}]}}]"))
    assert (offer.upstream.dialect, offer.inputs) == (dialect, inputs)
    assert offer.upstream.embeddings_url == (
        "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4"
        "/publishers/google/models/{model}" + action
    )


@pytest.mark.parametrize(
    ("model", "embeds"),
    [
        ("nomic-embed-text", True),
        ("llama3.2", False),
        ("{id: bge-m3, mode: embedding}", True),
        ("{id: embedder, mode: chat}", False),
        ("{id: fast, native: mxbai-embed-large}", True),
    ],
)
def test_what_the_catalogue_does_not_know_is_told_by_its_mode_or_name(
    stocked: Stocked, model: str, *, embeds: bool
) -> None:
    inventory = stocked(f"upstreams: [{{name: a, vendor: ollama, models: [{model}]}}]")
    assert bool(inventory.embeddings) == embeds
    assert bool(inventory.offers) != embeds


def test_a_dialect_of_the_configuration_says_how_a_server_is_asked(stocked: Stocked) -> None:
    base = "name: a, vendor: custom, base_url: http://h/v9, allow_unpriced: true"
    text = f"upstreams: [{{{base}, models: [{{id: e, mode: embedding, dialect: gemini}}]}}]"
    upstream = only(stocked(text)).upstream
    assert upstream.dialect == "gemini"
    assert upstream.embeddings_url == "http://h/v9/models/{model}:batchEmbedContents"


def test_what_nobody_can_ask_for_is_left_out_with_a_warning(stocked: Stocked) -> None:
    model = "{id: claude-embed, input_price: 1}"
    inventory = stocked(f"upstreams: [{{name: a, vendor: anthropic, key: k, models: [{model}]}}]")
    assert inventory.embeddings == inventory.offers == ()
    assert any("claude-embed" in warning for warning in inventory.warnings)


def test_defaults_for_chats_are_not_sent_with_texts(stocked: Stocked) -> None:
    said = "drop: [user], rename: {dimensions: size}, defaults: {temperature: 0.7}"
    text = f"upstreams: [{{name: a, vendor: mistral, key: k, models: [mistral-embed], {said}}}]"
    upstream = only(stocked(text)).upstream
    assert upstream.defaults == {}
    assert upstream.rename == {"dimensions": "size"}
    assert upstream.drop >= {"user", "input_type"}


def test_an_alias_may_stand_for_a_model_for_embeddings(stocked: Stocked) -> None:
    text = "upstreams: [{name: a, vendor: voyage, key: k}]\naliases: {vectors: voyage-3.5}"
    assert stocked(text).warnings == ()


def test_every_row_speaks_a_dialect_that_exists_and_sends_only_what_it_can() -> None:
    for vendor in VENDORS.values():
        for way in ways_of(vendor):
            takes = EMBEDDERS[way.dialect].takes
            assert way.reads_ids is False or takes is None, vendor.name
            assert way.most is None or way.most >= 1


def test_every_model_for_embeddings_in_the_price_list_is_offered_or_named_here() -> None:
    prices, _ = _packaged()
    for vendor in filter(ways_of, VENDORS.values()):
        for name in (vendor.catalogue or "", *CATALOGUES.get(vendor.name, ())):
            for facts in prices.models(name):
                aside = (*vendor.skip, *NO_TEXTS, *ELSEWHERE)
                known = facts.mode != "embedding" or way_of(vendor, None, facts.id) is not None
                assert known or any(fnmatchcase(facts.id, one) for one in aside), facts.id
