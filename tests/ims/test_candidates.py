"""Hard constraints: who is ruled out by what, and what the caller is told when nobody is left."""

import pytest

from infway.ims.candidates import HARD, RULES, candidates
from infway.ims.policies import PolicyName
from infway.kernel.chat import Feature, Prices, Principal
from infway.kernel.errors import CallerError, GatewayError, UnavailableError

NOTHING = Feature(0)


def left(market, catalog, who=None, **said) -> list[str]:
    chosen = candidates(catalog, market.ask(**said), who or market.anyone)
    return [offer.upstream.name for offer in chosen.offers]


def refusal(market, catalog, who=None, **said) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        candidates(catalog, market.ask(**said), who or market.anyone)
    return caught.value


@pytest.fixture
def two(market):
    """Two offers of one model; `plain` can do, and promises, nothing beyond text."""
    able = market.upstream("able1", trains_on_data=False, zero_data_retention=True)
    return market.catalog(
        market.offer(able, price=8.0, context=100_000, max_output=8000, quantization="fp8"),
        market.offer("plain", price=1.0, context=8000, max_output=500, features=NOTHING),
    )


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({}, ["able1", "plain"]),
        ({"only": ("able1",)}, ["able1"]),
        ({"only": ("able",)}, ["able1"]),
        ({"ignore": ("able",)}, ["plain"]),
        ({"data_collection": "deny"}, ["able1"]),
        ({"data_collection": "allow"}, ["able1", "plain"]),
        ({"zdr": True}, ["able1"]),
        ({"quantizations": ("fp8", "bf16")}, ["able1"]),
        ({"quantizations": ("unknown",)}, ["plain"]),
        ({"max_input_cost": 1.0}, ["plain"]),
        ({"max_input_cost": 2.0}, ["able1", "plain"]),
        ({"max_output_cost": 0.25}, ["plain"]),
        ({"input_tokens": 8001}, ["able1"]),
        ({"input_tokens": 7600, "output_tokens": 401}, ["able1"]),
        ({"input_tokens": 7600, "output_tokens": 400}, ["able1", "plain"]),
        ({"output_tokens": 501}, ["able1"]),
        ({"output_tokens": 9000}, ["able1"]),
        ({"model": None, "llms": ("plain/m",)}, ["plain"]),
        ({"model": None, "llms": ("m",), "exclude_llms": ("able/m",)}, ["plain"]),
        ({"exclude_llms": ("able1/m",)}, ["plain"]),
    ],
)
def test_a_constraint_keeps_these(market, two, said: dict[str, object], kept: list[str]) -> None:
    assert left(market, two, **said) == kept


@pytest.mark.parametrize("feature", list(HARD))
def test_a_feature_that_changes_the_answer_is_needed(market, two, feature: Feature) -> None:
    assert left(market, two, features=feature) == ["able1"]


@pytest.mark.parametrize("feature", [f for f in Feature if not f & HARD])
def test_any_other_feature_is_needed_only_where_the_caller_says_so(
    market, two, feature: Feature
) -> None:
    assert left(market, two, features=feature) == ["able1", "plain"]
    assert left(market, two, features=feature, require_parameters=True) == ["able1"]


def test_a_field_by_which_a_vendor_would_route_is_none_that_it_takes(market) -> None:
    routes = market.upstream("routes", routing=frozenset({"models"}))
    catalog = market.catalog(market.offer(routes), market.offer("plain"))
    for strict, kept in ((False, ["plain", "routes"]), (True, ["plain"])):
        asked = market.ask(require_parameters=strict)._replace(parameters=frozenset({"models"}))
        chosen = candidates(catalog, asked, market.anyone)
        assert sorted(offer.upstream.name for offer in chosen.offers) == kept


def test_an_output_limit_too_high_for_all_rules_out_none(market) -> None:
    catalog = market.catalog(market.offer("a", max_output=10), market.offer("b", max_output=20))
    assert left(market, catalog, output_tokens=21) == ["a", "b"]


def test_a_key_limits_models_and_upstreams(market, two) -> None:
    assert left(market, two, Principal("k", upstreams=frozenset({"plain"}))) == ["plain"]
    assert left(market, two, Principal("k", models=frozenset({"m"}))) == ["able1", "plain"]


@pytest.mark.parametrize(
    "who",
    [Principal("k", models=frozenset({"x"})), Principal("k", upstreams=frozenset({"nowhere"}))],
)
def test_what_the_key_may_not_use_is_a_403(market, two, who: Principal) -> None:
    error = refusal(market, two, who)
    assert isinstance(error, CallerError)
    assert (error.status, error.code, error.param) == (403, "model_not_accessible", "model")


def test_an_unknown_price_is_above_every_cap_and_never_free(market) -> None:
    catalog = market.catalog(market.offer("a", prices=Prices()), market.offer("b", price=1.0))
    assert left(market, catalog) == ["a", "b"]
    assert left(market, catalog, max_input_cost=1000.0) == ["b"]
    assert "free" in refusal(market, catalog, model="m:free").message


def test_free_keeps_only_what_costs_nothing(market) -> None:
    catalog = market.catalog(market.offer("local", price=0.0), market.offer("paid"))
    assert left(market, catalog, model="m:free") == ["local"]


@pytest.mark.parametrize(
    ("said", "constraint"),
    [
        ({"only": ("nobody",)}, "provider.only"),
        ({"ignore": ("able", "plain")}, "provider.ignore"),
        ({"max_input_cost": 0.01}, "max_input_cost"),
        ({"max_output_cost": 0.01}, "max_output_cost"),
        ({"quantizations": ("int4",)}, "provider.quantizations"),
        ({"exclude_llms": ("m",)}, "model.exclude_llms"),
        ({"features": Feature.TOOLS, "ignore": ("able",)}, "capabilities"),
        ({"zdr": True, "ignore": ("able",)}, "provider.zdr"),
        ({"data_collection": "deny", "ignore": ("able",)}, "provider.data_collection"),
    ],
)
def test_the_error_names_the_constraint_that_removed_the_last_offers(
    market, two, said: dict[str, object], constraint: str
) -> None:
    error = refusal(market, two, **said)
    assert isinstance(error, UnavailableError)
    assert (error.status, error.code) == (503, "no_available_provider")
    assert error.retryable is False
    assert f"`{constraint}`" in error.message


def test_an_input_too_large_for_all_is_the_callers_mistake(market, two) -> None:
    error = refusal(market, two, input_tokens=200_000)
    assert (error.status, error.code) == (400, "context_length_exceeded")
    assert error.param == "messages"


@pytest.mark.parametrize("field", ["llms", "exclude_llms"])
def test_an_unknown_name_in_a_list_is_named_by_its_place(market, two, field: str) -> None:
    error = refusal(market, two, model=None, **{field: ("m", "typo")})
    assert (error.status, error.code) == (400, "invalid_field")
    assert error.param == f"model.{field}[1]"


def test_what_was_removed_is_kept_with_its_constraint(market, two) -> None:
    chosen = candidates(two, market.ask(ignore=("plain",)), market.anyone)
    assert {c: [o.upstream.name for o in os] for c, os in chosen.removed.items()} == {
        "provider.ignore": ["plain"]
    }


def test_fallback_models_follow_in_their_order_and_no_offer_comes_twice(market) -> None:
    catalog = market.catalog(
        market.offer("a"), market.offer("b", model="x"), market.offer("c", model="y"),
        market.offer("d", model="x", features=NOTHING),
    )  # fmt: skip
    ask = market.ask(fallback_models=("y", "m", "x"), features=Feature.TOOLS)
    chosen = candidates(catalog, ask, market.anyone)
    assert [[o.upstream.name for o in group] for group in chosen.groups] == [["a"], ["c"], ["b"]]


def test_an_unknown_fallback_model_is_the_callers_mistake(market, two) -> None:
    assert refusal(market, two, fallback_models=("typo",)).param == "fallback_models[0]"


def test_models_compete_only_where_the_request_leaves_more_than_one_open(market) -> None:
    catalog = market.catalog(market.offer("a"), market.offer("b"), market.offer("c", model="x"))
    for said, several in [({}, False), ({"model": None}, True), ({"llms": ("m",)}, False)]:
        assert candidates(catalog, market.ask(**said), market.anyone).open is several


def test_a_policys_constraints_hold(market) -> None:
    policy = PolicyName("house", constraints=market.ask(only=("b",), model=None).selection)
    catalog = market.catalog(market.offer("a"), market.offer("b"), policies=[policy])
    assert left(market, catalog, model="house") == ["b"]


def test_every_rule_has_its_own_name() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
