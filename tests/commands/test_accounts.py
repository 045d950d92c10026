"""Keys from the command line, on the database itself."""

import re

import pytest
from tests.commands.sandboxed import said, written

from infway.accounts.spelling import whole


@pytest.fixture
def file(tmp_path):
    return written(tmp_path)


def test_a_minted_key_is_alone_on_standard_output(infway, file):
    ran = infway("keys", "mint", "anna", file)
    assert ran.code == 0
    assert whole(ran.out.removesuffix("\n"))
    assert "shown this once" in ran.err


def test_what_options_say_is_what_the_key_has(infway, file):
    infway("organisations", "create", "acme", "--budget", "5/day", "--budget", "100/total", file)
    infway("projects", "create", "chat", "--organisation", "acme", "--plan", "free", file)
    made = said(
        infway(
            "keys", "mint", "anna", "--project=chat", "--model=m1", "--model=m2", "--upstream=one",
            "--weight=price=3", "--tag=x", "--budget=2.5", "--no-rescue", "--unpriced=m2",
            "--expires=30d", "--json", file,
        )
    )  # fmt: skip
    assert made["models"] == ["m1", "m2"]
    assert made["weights"]["price"] == 3
    assert [(one["usd"], one["per"]) for one in made["budgets"]] == [("2.5", "month")]
    assert (made["rescue"], made["unpriced"], made["tags"]) == (False, ["m2"], ["x"])
    assert made["expires_at"] > made["created_at"]
    acme = said(infway("organisations", "show", "acme", "--json", file))
    assert [(one["usd"], one["per"]) for one in acme["budgets"]] == [("5", "day"), ("100", "total")]


def test_the_list_has_the_keys_of_the_configuration_and_never_a_secret(infway, file):
    key = infway("keys", "mint", "anna", file).out.strip()
    ran = infway("keys", "list", file)
    assert [line.split()[0] for line in ran.out.splitlines()] == ["NAME", "team", "anna"]
    shown = infway("keys", "list", "--json", file).out + infway("keys", "show", "team", file).out
    for secret in (key[19:], "0123456789abcdefgh"):
        assert secret not in ran.out + shown


def test_a_key_goes_through_its_life(infway, file):
    first = infway("keys", "mint", "anna", file).out
    second = infway("keys", "rotate", "anna", "--overlap=1h", file).out
    assert first != second
    assert first[:18] == second[:18]
    edited = said(infway("keys", "edit", "anna", "--tag=b", "--json", file))
    assert edited["tags"] == ["b"]
    assert said(infway("keys", "edit", "anna", "--clear=tags", "--json", file))["tags"] == []
    for verb, state in (
        ("disable", "disabled"), ("enable", "active"), ("expire", "expired"), ("revoke", "revoked"),
    ):  # fmt: skip
        assert infway("keys", verb, "anna", file).code == 0
        assert said(infway("keys", "show", "anna", "--json", file))["state"] == state
    ran = infway("keys", "enable", "anna", file)
    assert (ran.code, ran.err) == (1, "infway: The key has ended for good.\n")
    verbs = [line.split()[-3] for line in infway("audit", file).out.splitlines()[1:]]
    assert verbs == ["revoke", "expire", "enable", "disable", "edit", "edit", "rotate", "mint"]
    (newest,) = said(infway("audit", "--count=1", "--json", file))
    assert (newest["before"]["state"], newest["after"]["state"]) == ("expired", "revoked")
    assert re.fullmatch(r"command line \(uid \d+\)", newest["actor"])


def test_plans_and_admins_have_commands_of_their_own(infway, file):
    infway("plans", "create", "big", "--requests-per-minute=500", "--model=m1", file)
    plans = said(infway("plans", "list", "--json", file))
    assert [(one["name"], one["requests_per_minute"]) for one in plans] == [
        ("free", 20),
        ("big", 500),
    ]
    assert infway("plans", "remove", "big", file).code == 0
    key = infway("admins", "mint", "bea", "--capability=keys:read", file).out
    assert key.startswith("ak-iw-")
    assert "keys:read" in infway("admins", "list", file).out


@pytest.mark.parametrize(
    ("argv", "code", "message"),
    [
        (["keys", "mint", "team"], 1, "another key has this name, or had it"),
        (["keys", "edit", "team", "--tag=x"], 1, "The key `team` stands in the configuration: change it there."),
        (["plans", "remove", "free"], 1, "The plan `free` stands in the configuration: change it there."),
        (["keys", "mint", "x", "--plan=nope"], 1, "plan: there is no plan `nope`."),
        (["keys", "mint", "x", "--budget=a"], 1, "budgets[0].usd: "),
        (["keys", "mint", "x", "--budget=1/week"], 2, "100/total"),
        (["keys", "mint", "x", "--weight=price"], 2, "write a weight like price=2"),
        (["keys", "mint", "x", "--expires=soon"], 2, "24h or 30d"),
        (["keys", "mint", "x", "--expires=2020-01-01"], 1, "expires_at: is over already"),
        (["keys", "rotate", "x", "--overlap=31d"], 2, "at most 30d"),
        (["keys", "show", "x"], 1, "There is no such key."),
        (["admins", "mint", "x", "--capability=all"], 2, "'all' is not one of"),
        (["projects", "edit", "x", "--plan=free"], 1, "There is no such project."),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_is_told_in_one_line(infway, file, argv, code, message):
    ran = infway(*argv, file)
    assert ran.code == code
    assert message in ran.err
    assert "Traceback" not in ran.err


def test_the_variable_names_the_configuration_as_it_does_for_serve(infway, file):
    path = file.removeprefix("--config=")
    made = said(infway("keys", "mint", "anna", "--plan=free", "--json", INFWAY_CONFIG=path))
    assert made["plan"] == "free"
    listed = said(infway("keys", "list", "--json", INFWAY_CONFIG=path))
    assert [(one["name"], one["source"]) for one in listed] == [
        ("team", "configuration"),
        ("anna", "database"),
    ]


def test_the_first_starts_key_keeps_its_name(infway, tmp_path):
    path = tmp_path / "bare.yaml"
    path.write_text("sandbox: true\n")
    ran = infway("keys", "mint", "first-start", f"--config={path}")
    assert (ran.code, ran.out) == (1, "")


def test_a_change_of_a_number_that_is_too_large_is_a_wrong_option(infway, file):
    infway("keys", "mint", "anna", file)
    everything = said(infway("audit", "--json", file))
    assert said(infway("audit", "--json", f"--before={2**62}", file)) == everything != []
    for option in ("--before", "--count"):
        done = infway("audit", f"{option}={10**20}", file)
        assert (done.code, done.out) == (2, "")
        assert f"Invalid value for '{option}': {10**20} is not in the range" in done.err
