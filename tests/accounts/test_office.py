"""Making and changing keys, over either database: what a secret is for, and what is noted of it."""

import json

import pytest
from tests.accounts.conftest import PEPPER, ROOT, Desk

from infway.accounts.capabilities import Actor
from infway.accounts.digests import Digests
from infway.accounts.entries import Kind, Source, State
from infway.accounts.register import Register
from infway.accounts.spelling import whole
from infway.accounts.terms import KeyTerms
from infway.database import DatabaseError
from infway.kernel.errors import CallerError

KEY = Kind.KEY


def known(desk: Desk, secret: str) -> str | None:
    """Return whose a secret is to a process that looks now."""
    found = desk.roster().keys.get(PEPPER.of(secret.encode()))
    is_over = found is None or (found.until is not None and desk.at >= found.until)
    return None if is_over else found.principal.name


def test_a_minted_key_is_whole_known_and_nowhere_in_the_database(desk: Desk):
    made = desk.key("anna", tags=["x"])
    assert whole(made.secret)
    assert made.entry.id in made.secret
    assert known(desk, made.secret) == "anna"
    stored = repr(desk.database.read("SELECT * FROM account_entries"))
    noted = repr(desk.database.read("SELECT * FROM account_audit"))
    assert made.secret[19:] not in stored + noted
    assert PEPPER.of(made.secret.encode()).hex() not in noted


def test_a_key_without_a_name_is_called_as_its_id(desk: Desk):
    made = desk.office.create(ROOT, KEY, None, KeyTerms())
    assert made.entry.name == made.entry.id
    assert desk.office.show(ROOT, KEY, made.entry.id) == made.entry


def test_a_rotated_key_goes_on_for_its_overlap_and_no_longer(desk: Desk):
    first = desk.key("anna")
    second = desk.office.rotate(ROOT, KEY, "anna", 60.0)
    assert first.entry.id == second.entry.id
    assert known(desk, first.secret) == known(desk, second.secret) == "anna"
    desk.at += 60.0
    assert (known(desk, first.secret), known(desk, second.secret)) == (None, "anna")


def test_a_second_rotation_never_lengthens_what_a_first_one_left(desk: Desk):
    first = desk.key("anna")
    desk.office.rotate(ROOT, KEY, "anna", 10.0)
    desk.office.rotate(ROOT, KEY, "anna", 1000.0)
    desk.at += 10.0
    assert known(desk, first.secret) is None


def test_a_rotation_without_overlap_ends_the_old_secret_at_once(desk: Desk):
    first = desk.key("anna")
    desk.office.rotate(ROOT, KEY, "anna", 0.0)
    assert known(desk, first.secret) is None


def test_a_disabled_key_is_nobodys_until_it_is_enabled(desk: Desk):
    made = desk.key("anna")
    desk.office.disable(ROOT, KEY, "anna")
    assert known(desk, made.secret) is None
    desk.office.enable(ROOT, KEY, made.entry.id)
    assert known(desk, made.secret) == "anna"


def test_a_revoked_key_never_comes_back_nor_does_its_name(desk: Desk):
    made = desk.key("anna")
    entry = desk.office.revoke(ROOT, KEY, "anna")
    assert (entry.state, entry.secrets) == (State.REVOKED, ())
    assert known(desk, made.secret) is None
    verbs = (
        lambda: desk.office.enable(ROOT, KEY, "anna"),
        lambda: desk.office.rotate(ROOT, KEY, "anna", 0.0),
        lambda: desk.office.expire(ROOT, KEY, "anna", None),
        lambda: desk.office.edit(ROOT, KEY, "anna", {"tags": ["t"]}),
        lambda: desk.key("anna"),
    )
    for verb in verbs:
        with pytest.raises(CallerError) as refused:
            verb()
        assert (refused.value.status, refused.value.code) == (409, "conflict")


def test_a_key_expires_by_the_clock_and_its_end_can_be_moved(desk: Desk):
    made = desk.key("anna")
    desk.office.expire(ROOT, KEY, "anna", desk.at + 5)
    assert known(desk, made.secret) == "anna"
    desk.at += 5
    assert known(desk, made.secret) is None
    assert desk.office.show(ROOT, KEY, "anna").view(desk.at)["state"] == "expired"
    desk.office.expire(ROOT, KEY, "anna", None)
    assert known(desk, made.secret) == "anna"


def test_an_edit_changes_what_is_said_and_nothing_else(desk: Desk):
    desk.key("anna", tags=["a"], models=["m1"], budgets=[{"usd": "1.25", "per": "day"}])
    entry = desk.office.edit(ROOT, KEY, "anna", {"tags": ["b"]}, cleared=("models",))
    assert isinstance(entry.terms, KeyTerms)
    assert (entry.terms.tags, entry.terms.models) == (("b",), None)
    assert str(entry.terms.budgets[0].usd) == "1.25"
    assert desk.office.show(ROOT, KEY, "anna") == entry


@pytest.mark.parametrize("name", ["team", "anna"])
def test_a_name_that_somebody_has_is_refused(desk: Desk, name: str):
    desk.key("anna")
    with pytest.raises(CallerError) as refused:
        desk.key(name)
    assert (refused.value.status, refused.value.param) == (409, "name")


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ({"plan": "nope"}, "plan"),
        ({"project": "nope"}, "project"),
        ({"budgets": [{"usd": 1}, {"usd": 2}]}, "budgets[1].per"),
    ],
    ids=str,
)
def test_what_is_not_there_is_refused_with_its_place(desk: Desk, said, path):
    with pytest.raises(CallerError) as refused:
        desk.key("anna", **said)
    assert (refused.value.status, refused.value.param) == (400, path)
    assert [one.name for one in desk.office.list(ROOT, KEY)] == ["team"]


def test_keys_may_have_what_the_configuration_names_and_what_the_register_does(desk: Desk):
    desk.plan("own", requests_per_minute=7)
    desk.project("mine", "acme", plan="own")
    entry = desk.key("anna", project="mine", plan="free").entry
    assert entry.organisation == "acme"
    (found,) = desk.roster().keys.values()
    assert found.principal.models == {"m1", "m2"}
    assert [one.id for one in found.principal.account.holders] == ["key:anna", "project:mine"]


def test_another_plan_holds_for_all_who_have_it(desk: Desk):
    desk.plan("own", requests_per_minute=7)
    desk.key("anna", plan="own")
    roster = desk.roster()
    desk.office.edit(ROOT, Kind.PLAN, "own", {"requests_per_minute": 9})
    assert roster.refresh()
    (found,) = roster.keys.values()
    assert found.principal.account.holders[0].limits.requests[0].most == 9


def test_a_plan_that_somebody_has_stays_and_one_that_nobody_has_goes(desk: Desk):
    desk.plan("own")
    desk.key("anna", plan="own")
    with pytest.raises(CallerError, match="`anna` has this plan"):
        desk.office.remove_plan(ROOT, "own")
    desk.office.revoke(ROOT, KEY, "anna")
    desk.office.remove_plan(ROOT, "own")
    with pytest.raises(CallerError):
        desk.key("bo", plan="own")


def test_a_disabled_organisation_takes_all_its_keys_with_it(desk: Desk):
    desk.organisation("o")
    desk.project("p", "o")
    made = desk.key("anna", project="p")
    desk.office.disable(ROOT, Kind.ORGANISATION, "o")
    assert known(desk, made.secret) is None
    desk.office.enable(ROOT, Kind.ORGANISATION, "o")
    assert known(desk, made.secret) == "anna"


def test_a_project_stays_with_its_organisation(desk: Desk):
    desk.organisation("o")
    desk.project("p", "o")
    with pytest.raises(CallerError) as refused:
        desk.office.edit(ROOT, Kind.PROJECT, "p", {"organisation": "acme"})
    assert refused.value.param == "organisation"


def test_every_change_is_noted_with_who_when_and_what_was_before_and_after(desk: Desk):
    desk.key("anna", tags=["a"])
    desk.at += 1
    desk.office.edit(Actor("bea"), KEY, "anna", {"tags": ["b"]})
    desk.office.rotate(ROOT, KEY, "anna", 5.0)
    rotated, edited, minted = desk.office.audit(ROOT, None, 10)
    assert (minted.verb, minted.actor, minted.before) == ("mint", "root", None)
    assert (edited.verb, edited.actor, edited.at) == ("edit", "bea", desk.at)
    assert json.loads(edited.before or "")["tags"] == ["a"]
    assert json.loads(edited.after or "")["tags"] == ["b"]
    assert (rotated.verb, rotated.kind, rotated.name) == ("rotate", "key", "anna")
    assert [one.version for one in desk.office.audit(ROOT, rotated.version, 10)] == [2, 1]


def test_what_was_refused_is_not_noted(desk: Desk):
    with pytest.raises(CallerError):
        desk.key("team")
    assert desk.office.audit(ROOT, None, 10) == []


def test_a_budget_that_is_changed_keeps_its_alerts(desk: Desk):
    desk.key("anna", budgets=[{"usd": 20, "alerts": [0.5, 0.9]}, {"usd": 2, "per": "day"}])
    said = [{"usd": 30, "per": "month"}, {"usd": 3, "per": "day"}]
    for budgets, alerts in (
        (said, [(0.5, 0.9), (0.8, 1.0)]),
        ([said[1], {**said[0], "alerts": []}], [(0.8, 1.0), ()]),
        (said, [(), (0.8, 1.0)]),
    ):
        desk.office.edit(ROOT, KEY, "anna", {"budgets": budgets})
        terms = desk.office.show(ROOT, KEY, "anna").terms
        assert isinstance(terms, KeyTerms)
        assert [one.alerts for one in terms.budgets] == alerts
    assert desk.office.edit(ROOT, KEY, "anna", {"tags": ["x"]}).terms.budgets == terms.budgets


def test_lists_come_in_pages_by_name_and_begin_with_the_configuration(desk: Desk):
    for name in "bdac":
        desk.key(name)
    found, place = [], ""
    while page := desk.office.list(ROOT, KEY, place, 2):
        found.append([one.name for one in page])
        place = page[-1].place
    assert found == [["team", "a"], ["b", "c"], ["d"]]
    assert [one.name for one in desk.office.list(ROOT, KEY, "b", 9)] == ["c", "d"]


def test_a_key_made_before_the_configuration_had_its_name_is_reached_by_its_id(desk: Desk):
    older = desk.key("anna").entry
    desk.configured = desk.configured._replace(keys={"anna": KeyTerms()})
    listed = desk.office.list(ROOT, KEY)
    assert [(one.name, one.id, one.source) for one in listed] == [
        ("anna", "", Source.CONFIGURATION),
        ("anna", older.id, Source.DATABASE),
    ]
    assert desk.office.show(ROOT, KEY, "anna").source is Source.CONFIGURATION
    with pytest.raises(CallerError, match="stands in the configuration"):
        desk.office.revoke(ROOT, KEY, "anna")
    assert desk.office.revoke(ROOT, KEY, older.id).state is State.REVOKED


def test_another_pepper_than_the_databases_own_is_refused(desk: Desk):
    desk.key("anna")
    with pytest.raises(DatabaseError, match="another pepper"):
        Register(desk.database, Digests(b"other").mark).open()
