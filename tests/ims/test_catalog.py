"""Names: what they stand for, and which of two readings wins."""

import pytest

from infway.ims.policies import PolicyName, merge, overlay
from infway.kernel.chat import Prices, Selection, Weights
from infway.kernel.errors import CallerError


@pytest.fixture
def catalog(market):
    azure, groq = market.upstream("azure1"), market.upstream("groq")
    return market.catalog(
        market.offer(azure, model="gpt-5.4", quality=70.0),
        market.offer(groq, model="llama-3.1", quality=30.0),
        market.offer(azure, model="llama-3.1", quality=30.0),
        market.offer(groq, model="deepseek/r1:free", quality=60.0),
        aliases={"house": "gpt-5.4", "fast-llama": "groq/llama-3.1", "groq.llama-3.1": "gpt-5.4"},
        policies=[PolicyName("pulse", models=("llama-3.1", "house", "gone"))],
        vendors=["openai"],
        quality_floor=50.0,
    )


def found(catalog, name: str | None) -> list[str]:
    return [offer.id for offer in catalog.resolve(name).offers]


@pytest.mark.parametrize(
    ("name", "offers"),
    [
        ("gpt-5.4", ["azure1/gpt-5.4"]),
        ("house", ["azure1/gpt-5.4"]),
        ("llama-3.1", ["groq/llama-3.1", "azure1/llama-3.1"]),
        ("groq/llama-3.1", ["groq/llama-3.1"]),
        ("groq:llama-3.1", ["groq/llama-3.1"]),
        ("azure1.llama-3.1", ["azure1/llama-3.1"]),
        ("azure.llama-3.1", ["azure1/llama-3.1"]),
        ("fast-llama", ["groq/llama-3.1"]),
        ("groq.llama-3.1", ["azure1/gpt-5.4"]),
        ("azure/house", ["azure1/gpt-5.4"]),
        ("deepseek/r1:free", ["groq/deepseek/r1:free"]),
        ("groq/deepseek/r1:free", ["groq/deepseek/r1:free"]),
        ("pulse", ["groq/llama-3.1", "azure1/llama-3.1", "azure1/gpt-5.4"]),
        ("auto", ["azure1/gpt-5.4", "groq/deepseek/r1:free"]),
        (None, ["azure1/gpt-5.4", "groq/deepseek/r1:free"]),
    ],
)
def test_a_name_stands_for_these_offers(catalog, name: str | None, offers: list[str]) -> None:
    assert found(catalog, name) == offers


@pytest.mark.parametrize(
    "name",
    ["gpt-5", "5.4", "openai.gpt-5.4", "groq/gpt-5.4", "", ":floor", "gpt-5.4@2024", "a:b:c"],
)
def test_an_unknown_name_is_a_404(catalog, name: str) -> None:
    with pytest.raises(CallerError) as caught:
        catalog.resolve(name)
    assert (caught.value.status, caught.value.code) == (404, "model_not_found")
    assert caught.value.param == "model"


def test_an_unknown_name_is_not_repeated_at_any_length(catalog) -> None:
    with pytest.raises(CallerError) as caught:
        catalog.resolve("x" * 100_000)
    assert len(caught.value.message) < 300


@pytest.mark.parametrize(
    "name", ["gpt-5.4:floor", "house:nitro", "groq/llama-3.1:floor", "auto:free"]
)
def test_a_suffix_works_on_every_kind_of_name(catalog, name: str) -> None:
    meaning = catalog.resolve(name)
    assert meaning.slant is not None
    assert [o.id for o in meaning.offers] == found(catalog, name.rpartition(":")[0])


def test_a_listed_id_that_ends_like_a_suffix_is_just_an_id(catalog) -> None:
    assert catalog.resolve("deepseek/r1:free").slant is None


def test_the_shipped_policies_are_there(catalog) -> None:
    assert {"auto", "fast", "cheap", "best", "pulse"} <= catalog.policies.keys()


def test_a_configured_policy_replaces_a_shipped_one(market) -> None:
    catalog = market.catalog(market.offer("a"), policies=[PolicyName("auto", models=("m",))])
    assert catalog.policies["auto"].models == ("m",)


def test_where_no_model_reaches_the_quality_floor_all_of_them_are_the_pool(market) -> None:
    catalog = market.catalog(market.offer("a", quality=10.0), quality_floor=50.0)
    assert found(catalog, None) == ["a/m"]


def test_models_come_in_catalogue_order_with_their_aliases(catalog) -> None:
    assert [model.id for model in catalog.models()] == ["gpt-5.4", "llama-3.1", "deepseek/r1:free"]
    model = catalog.model("house")
    assert model is not None
    assert "house" in model.aliases
    assert model.quality == 70.0


def test_requests_of_one_size_class_are_alike_to_every_rule_of_size(market) -> None:
    long = Prices(1, 1, long_from=200, longer=Prices(2, 2, long_from=600, longer=Prices(3, 3)))
    catalog = market.catalog(
        market.offer("a", context=1000, max_output=50), market.offer("b", prices=long)
    )

    def of(tokens: int, output: int | None = None):
        return catalog.size_class(market.ask(input_tokens=tokens, output_tokens=output))

    assert of(0) == of(200)
    assert of(200) != of(201)
    assert of(201) == of(600)
    assert of(600) != of(601)
    assert of(960, 40) != of(960, 41)
    assert of(1, 50) != of(1, 51)


def test_weights_are_overlaid_one_by_one() -> None:
    assert overlay(Weights(price=5.0), Weights(1.0, 2.0)) == Weights(5.0, 2.0)
    assert overlay(None, None) == Weights()


def test_a_policys_constraint_holds_where_the_request_says_nothing() -> None:
    merged = merge(
        Selection(model="p", max_input_cost=1.0), Selection(max_input_cost=9.0, only=("groq",))
    )
    assert merged == Selection(model="p", max_input_cost=1.0, only=("groq",))
