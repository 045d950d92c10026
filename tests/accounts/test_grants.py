"""Nobody grants what they do not hold, nor reaches what is not theirs."""

from functools import partial

import pytest
from tests.accounts.conftest import ROOT, Desk

from infway.accounts.capabilities import EVERYTHING, EVERYWHERE, Actor, Capability
from infway.accounts.entries import Kind
from infway.accounts.terms import AdminTerms, ProjectTerms
from infway.kernel.errors import CallerError

OF_ONE = EVERYTHING - EVERYWHERE
BLUE = Actor("blue's", OF_ONE, "blue")


@pytest.fixture
def two(desk: Desk) -> Desk:
    """Two organisations with a project, a key and an administrator each."""
    for name in ("blue", "red"):
        desk.organisation(name)
        desk.project(f"p-{name}", name)
        desk.key(f"k-{name}", project=f"p-{name}")
        terms = AdminTerms(capabilities=(Capability.KEYS_READ,), organisation=name)
        desk.office.create(ROOT, Kind.ADMIN, f"a-{name}", terms)
    desk.key("k-none")
    return desk


def refused(verb, status: int, code: str) -> None:
    with pytest.raises(CallerError) as caught:
        verb()
    assert (caught.value.status, caught.value.code) == (status, code)


def test_each_verb_needs_its_own_capability(two: Desk):
    office = two.office
    verbs = {
        Capability.KEYS_READ: lambda who: office.list(who, Kind.KEY),
        Capability.KEYS_WRITE: lambda who: office.disable(who, Kind.KEY, "k-red"),
        Capability.PROJECTS_WRITE: lambda who: office.disable(who, Kind.PROJECT, "p-red"),
        Capability.ORGANISATIONS_WRITE: lambda who: office.disable(who, Kind.ORGANISATION, "red"),
        Capability.PLANS_WRITE: lambda who: office.remove_plan(who, "none"),
        Capability.ADMINS_READ: lambda who: office.list(who, Kind.ADMIN),
        Capability.ADMINS_WRITE: lambda who: office.disable(who, Kind.ADMIN, "a-red"),
        Capability.AUDIT_READ: lambda who: office.audit(who, None, 1),
    }
    for capability, verb in verbs.items():
        refused(lambda: verb(Actor("x", EVERYTHING - {capability})), 403, "permission_denied")  # noqa: B023
    for capability, verb in verbs.items():
        if capability is Capability.PLANS_WRITE:
            refused(lambda: verb(Actor("x", frozenset({capability}))), 404, "plan_not_found")  # noqa: B023
        elif capability is not Capability.ADMINS_WRITE:
            verb(Actor("x", frozenset({capability})))


def test_an_administrator_grants_no_more_than_they_hold(two: Desk):
    who = Actor("x", frozenset({Capability.ADMINS_WRITE, Capability.KEYS_READ}))
    for beyond in set(Capability) - who.capabilities:
        terms = AdminTerms(capabilities=(Capability.KEYS_READ, beyond))
        refused(partial(two.office.create, who, Kind.ADMIN, "y", terms), 403, "permission_denied")
    made = two.office.create(who, Kind.ADMIN, "y", AdminTerms(capabilities=tuple(who.capabilities)))
    assert made.secret


def test_nobody_touches_an_administrator_who_holds_more(two: Desk):
    strong = AdminTerms(capabilities=(Capability.RELOAD,))
    two.office.create(ROOT, Kind.ADMIN, "strong", strong)
    who = Actor("x", frozenset({Capability.ADMINS_WRITE, Capability.ADMINS_READ}))
    office = two.office
    for verb in (
        lambda: office.rotate(who, Kind.ADMIN, "strong", 0.0),
        lambda: office.enable(who, Kind.ADMIN, "strong"),
        lambda: office.disable(who, Kind.ADMIN, "strong"),
        lambda: office.revoke(who, Kind.ADMIN, "strong"),
        lambda: office.expire(who, Kind.ADMIN, "strong", None),
        lambda: office.edit(who, Kind.ADMIN, "strong", {"capabilities": ["admins:read"]}),
    ):
        refused(verb, 403, "permission_denied")


def test_whoever_is_limited_to_an_organisation_cannot_grant_all_of_them(two: Desk):
    for organisation in (None, "red"):
        terms = AdminTerms(capabilities=(Capability.KEYS_READ,), organisation=organisation)
        with pytest.raises(CallerError):
            two.office.create(BLUE, Kind.ADMIN, "y", terms)
    terms = AdminTerms(capabilities=(Capability.KEYS_READ,), organisation="blue")
    assert two.office.create(BLUE, Kind.ADMIN, "y", terms).secret


@pytest.mark.parametrize("capability", sorted(EVERYWHERE))
def test_what_concerns_all_organisations_is_for_nobody_of_one(two: Desk, capability: Capability):
    terms = AdminTerms(capabilities=(capability,), organisation="blue")
    refused(lambda: two.office.create(ROOT, Kind.ADMIN, "y", terms), 400, "invalid_field")


@pytest.mark.parametrize(
    ("kind", "theirs", "others"),
    [
        (Kind.KEY, "k-blue", "k-red"),
        (Kind.KEY, "k-blue", "k-none"),
        (Kind.PROJECT, "p-blue", "p-red"),
        (Kind.ORGANISATION, "blue", "red"),
        (Kind.ADMIN, "a-blue", "a-red"),
    ],
)
def test_what_is_of_another_organisation_is_as_unknown_as_what_is_not_there(
    two: Desk, kind: Kind, theirs: str, others: str
):
    office, who = two.office, Actor("all of blue", EVERYTHING, "blue")
    assert [one.name for one in office.list(who, kind)] == [theirs]
    assert office.show(who, kind, theirs).name == theirs
    hidden = office.show(ROOT, kind, others)
    for ref in (others, hidden.id, "not there"):
        for verb in (office.show, office.disable, office.enable, office.revoke):
            refused(lambda: verb(who, kind, ref), 404, f"{kind.value}_not_found")  # noqa: B023
        refused(lambda: office.rotate(who, kind, ref, 0.0), 404, f"{kind.value}_not_found")  # noqa: B023
        refused(lambda: office.edit(who, kind, ref, {}), 404, f"{kind.value}_not_found")  # noqa: B023
    assert office.show(ROOT, kind, others) == hidden


def test_a_key_can_neither_be_made_in_nor_moved_to_another_organisation(two: Desk):
    for project in ("p-red", "chat", "not there"):
        refused(lambda: two.key("y", BLUE, project=project), 400, "invalid_field")  # noqa: B023
        verb = {"project": project}
        refused(lambda: two.office.edit(BLUE, Kind.KEY, "k-blue", verb), 400, "invalid_field")  # noqa: B023
    refused(lambda: two.key("y", BLUE), 403, "permission_denied")
    refused(
        lambda: two.office.edit(BLUE, Kind.KEY, "k-blue", {"project": None}),
        403, "permission_denied",
    )  # fmt: skip
    assert two.key("y", BLUE, project="p-blue").entry.organisation == "blue"


def test_a_key_goes_with_its_project_where_the_configuration_moves_it(two: Desk):
    two.key("k-chat", project="chat")
    acme, red = Actor("of acme", OF_ONE, "acme"), Actor("of red", OF_ONE, "red")
    assert two.office.rotate(acme, Kind.KEY, "k-chat", 0.0).secret
    moved = {"chat": ProjectTerms(organisation="red")}
    named = two.configured.entitlements
    two.configured = two.configured._replace(entitlements=named._replace(projects=moved))
    for verb in (two.office.show, two.office.disable, two.office.revoke):
        refused(partial(verb, acme, Kind.KEY, "k-chat"), 404, "key_not_found")
    refused(lambda: two.office.rotate(acme, Kind.KEY, "k-chat", 0.0), 404, "key_not_found")
    assert two.office.show(red, Kind.KEY, "k-chat").organisation == "red"
    assert two.office.rotate(red, Kind.KEY, "k-chat", 0.0).entry.organisation == "red"


def test_what_has_no_price_is_no_way_around_an_organisations_budget(two: Desk):
    refused(lambda: two.key("y", BLUE, project="p-blue", unpriced=["m"]), 403, "permission_denied")
    two.key("free", project="p-blue", unpriced=["m"])
    refused(lambda: two.office.rotate(BLUE, Kind.KEY, "free", 0.0), 403, "permission_denied")


def test_the_audit_of_an_organisation_is_its_own(two: Desk):
    notes = two.office.audit(BLUE, None, 100)
    assert {one.name for one in notes} == {"blue", "p-blue", "k-blue", "a-blue"}
    assert len(two.office.audit(ROOT, None, 100)) == 9


def test_nobody_is_called_like_the_first_administrator(two: Desk):
    terms = AdminTerms(capabilities=(Capability.KEYS_READ,))
    refused(lambda: two.office.create(ROOT, Kind.ADMIN, "admin.key", terms), 409, "conflict")
