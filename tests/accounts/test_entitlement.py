"""What a key may do follows from its plan, its project and its organisation together."""

import pytest

from infway.accounts.entitlement import EntitlementError, Entitlements, limits_of
from infway.accounts.terms import KeyTerms, OrganisationTerms, PlanTerms, ProjectTerms
from infway.kernel.account import Budget, Limits, Period, Window
from infway.kernel.chat import Weights

NAMED = Entitlements(
    plans={
        "wide": PlanTerms(models=("m1", "m2", "m3"), requests_per_minute=100),
        "narrow": PlanTerms(models=("m2", "m3"), concurrent_requests=3),
        "open": PlanTerms(),
    },
    projects={
        "p": ProjectTerms(organisation="o", plan="narrow"),
        "alone": ProjectTerms(),
        "lost": ProjectTerms(organisation="gone"),
    },
    organisations={
        "o": OrganisationTerms.model_validate({"plan": "wide", "budgets": [{"usd": 5}]})
    },
)


def principal(**said: object):
    return NAMED.principal("k", KeyTerms.model_validate(said))


def test_a_key_that_belongs_nowhere_has_no_account():
    assert principal().account is None
    assert principal(plan="open").account is None
    assert principal(models=["m1"], weights={"price": 2}).weights == Weights(price=2)


def test_every_holder_with_limits_or_budgets_counts_the_key_first():
    account = principal(project="p", budgets=[{"usd": "0.5", "per": "day"}], tags=["t"]).account
    assert (account.organisation, account.project, account.tags) == ("o", "p", ("t",))
    assert [one.id for one in account.holders] == ["key:k", "project:p", "organisation:o"]
    assert account.holders[0].budgets == (Budget(Period.DAY, 500_000_000_000, (0.8, 1.0)),)
    assert account.holders[1].limits == Limits(concurrent=3)
    assert account.holders[2].limits.requests == (Window(60, 100),)


def test_a_holder_without_limits_is_left_out_and_its_name_stays():
    account = principal(project="alone").account
    assert (account.project, account.organisation, account.holders) == ("alone", "", ())


@pytest.mark.parametrize(
    ("said", "models"),
    [
        ({}, None),
        ({"plan": "wide"}, {"m1", "m2", "m3"}),
        ({"project": "p"}, {"m2", "m3"}),
        ({"project": "p", "models": ["m3", "m9"]}, {"m3"}),
        ({"project": "p", "models": ["m1"]}, set()),
    ],
)
def test_only_models_that_every_plan_and_the_key_have(said, models):
    found = principal(**said).models
    assert found == (None if models is None else frozenset(models))


@pytest.mark.parametrize("said", [{"plan": "x"}, {"project": "x"}, {"project": "lost"}], ids=str)
def test_what_is_not_there_limits_nothing_so_nothing_may_be_done(said):
    with pytest.raises(EntitlementError):
        principal(**said)


@pytest.mark.parametrize("closed", ["project:p", "organisation:o"])
def test_a_key_of_a_disabled_project_or_organisation_is_nobodys(closed):
    named = NAMED._replace(closed=frozenset({closed}))
    assert named.principal("k", KeyTerms(project="p")) is None
    assert named.principal("k", KeyTerms()) is not None


def test_what_the_configuration_names_counts_before_the_register():
    others = Entitlements(
        {"wide": PlanTerms(), "more": PlanTerms()},
        {"p": ProjectTerms()},
        {},
        frozenset({"project:p"}),
    )
    both = NAMED.beside(others)
    assert both.plans["wide"].requests_per_minute == 100
    assert both.projects["p"].organisation == "o"
    assert "more" in both.plans
    assert both.closed == frozenset()


def test_infuzus_windows_are_three_of_requests_and_three_of_characters():
    plan = PlanTerms(
        requests_per_minute=100, requests_per_ten_minutes=500, requests_per_hour=1500,
        characters_per_minute=10_000, characters_per_ten_minutes=50_000,
        characters_per_hour=150_000, tokens_per_minute=0,
    )  # fmt: skip
    limits = limits_of(plan)
    assert limits.requests == (Window(60, 100), Window(600, 500), Window(3600, 1500))
    assert limits.characters == (Window(60, 10_000), Window(600, 50_000), Window(3600, 150_000))
    assert limits.tokens == (Window(60, 0),)
