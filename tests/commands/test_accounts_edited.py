"""What an edit from the command line changes, and what it leaves as it was."""

import json

import pytest
from tests.commands.sandboxed import said, written

MAKE = {"keys": "mint", "projects": "create", "organisations": "create"}


@pytest.fixture
def file(tmp_path):
    return written(tmp_path)


def budgets(ran):
    """Return the budgets of an entry: amount, time and shares of each."""
    return [(one["usd"], one["per"], *one["alerts"]) for one in said(ran)["budgets"]]


@pytest.mark.parametrize("group", MAKE)
def test_an_edit_of_a_budget_keeps_its_shares_unless_it_says_others(infway, file, group):
    two = ("--budget=20/month:0.5,0.9", "--budget=2/day:0.25")
    made = infway(group, MAKE[group], "anna", *two, "--json", file)
    assert budgets(made) == [("20", "month", 0.5, 0.9), ("2", "day", 0.25)]

    def edited(*budget):
        ran = infway(group, "edit", "anna", *budget, "--json", file)
        assert ran.code == 0, ran.err
        return budgets(ran)

    assert edited("--budget=30") == [("30", "month", 0.5, 0.9)]
    assert edited("--budget=40/total", "--budget=30/month:1") == [
        ("40", "total", 0.8, 1.0),
        ("30", "month", 1.0),
    ]
    assert edited("--budget=50/month") == [("50", "month", 1.0)]
    assert edited("--clear=budget", "--budget=60/month") == [("60", "month", 0.8, 1.0)]


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        ("20/month:0.5,half", "budgets[0].alerts[1]: must be a number."),
        ("20/month:0.5;0.9", "budgets[0].alerts[0]: must be a number."),
        ("20/month:", "budgets[0].alerts[0]: must be a number."),
        ("20/month:80", "budgets[0].alerts[0]: must be less than or equal to 1."),
        ("20/month:0", "budgets[0].alerts[0]: must be greater than 0."),
        ("20/month:nan", "budgets[0].alerts[0]: must be a finite number."),
        ("20:0.5/month", "budgets[0].alerts[0]: must be a number."),
        (":0.5", "budgets[0].usd: must be a number."),
    ],
)
def test_shares_that_cannot_be_are_told_in_one_line(infway, file, budget, message):
    infway("keys", "mint", "anna", "--budget=20/month:0.5", file)
    for argv in (("keys", "mint", "bea"), ("keys", "edit", "anna")):
        ran = infway(*argv, f"--budget={budget}", file)
        assert (ran.code, ran.out, ran.err) == (1, "", f"infway: {message}\n")
    assert budgets(infway("keys", "show", "anna", "--json", file)) == [("20", "month", 0.5)]


def test_what_an_admin_key_may_do_is_changed_and_nothing_else(infway, file):
    infway("organisations", "create", "acme", file)
    infway("admins", "mint", "bea", "--capability=keys:read", "--organisation=acme", file)
    argv = ("admins", "edit", "bea", "--capability=keys:read", "--capability=keys:write")
    edited = said(infway(*argv, "--json", file))
    assert edited["capabilities"] == ["keys:read", "keys:write"]
    assert edited["organisation"] == "acme"
    same = said(infway("admins", "edit", "bea", "--json", file))
    assert same["capabilities"] == ["keys:read", "keys:write"]
    assert [one["verb"] for one in json.loads(infway("audit", "--json", file).out)][1] == "edit"


@pytest.mark.parametrize(
    ("argv", "code", "message"),
    [
        (["bea", "--capability=all"], 2, "'all' is not one of"),
        (["nobody", "--capability=reload"], 1, "There is no such admin"),
        (["bea", "--capability=reload", "--organisation=acme"], 2, "No such option"),
        (["bea", "--clear=capability"], 2, "No such option"),
    ],
    ids=str,
)
def test_what_cannot_be_changed_of_an_admin_key_is_told(infway, file, argv, code, message):
    infway("admins", "mint", "bea", "--capability=keys:read", file)
    ran = infway("admins", "edit", *argv, file)
    assert (ran.code, ran.out) == (code, "")
    assert message in ran.err
    assert "Traceback" not in ran.err
