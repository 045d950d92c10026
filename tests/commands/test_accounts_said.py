"""What the commands about keys say: of names that are not there, and of keys that are refused."""

import shlex
from pathlib import Path

import pytest
from tests.commands.sandboxed import said, written

ROOT = Path(__file__).parents[2]


@pytest.fixture
def file(tmp_path):
    return written(tmp_path)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ("budget", "budgets"), ("budgets", "budgets"), ("tag", "tags"), ("--tag", "tags"),
        ("model", "models"), ("upstreams", "upstreams"), ("weight", "weights"), ("plan", "plan"),
    ],
)  # fmt: skip
def test_a_field_is_cleared_by_the_name_of_its_option_or_its_own(infway, file, given, field):
    infway(
        "keys", "mint", "anna", "--budget=1", "--tag=x", "--model=sandbox-chat", "--plan=free",
        "--upstream=sandbox-swift", "--weight=price=2", file,
    )  # fmt: skip
    edited = said(infway("keys", "edit", "anna", "--clear", given, "--json", file))
    assert edited[field] in ([], None)
    kept = {"budgets", "tags", "models", "plan", "upstreams", "weights"} - {field}
    assert all(edited[name] for name in kept)


def test_a_limit_of_a_plan_is_cleared_by_either_name(infway, file):
    infway("plans", "create", "p", "--requests-per-minute=5", "--tokens-per-minute=6", file)
    edited = said(
        infway(
            "plans", "edit", "p", "--clear=requests-per-minute", "--clear=tokens_per_minute",
            "--json", file,
        )
    )  # fmt: skip
    assert (edited["requests_per_minute"], edited["tokens_per_minute"]) == (None, None)


@pytest.mark.parametrize("name", ["nope", "name", "organisation", "expires", ""])
def test_a_field_that_is_none_is_a_wrong_option(infway, file, name):
    infway("keys", "mint", "anna", "--budget=1", file)
    ran = infway("keys", "edit", "anna", "--clear", name, file)
    assert (ran.code, ran.out) == (2, "")
    assert f"there is no field '{name}'; there are budget, model," in ran.err
    assert len(said(infway("audit", "--json", file))) == 1


def test_the_audit_is_told_as_the_admin_api_tells_it(infway, file):
    infway("keys", "mint", "anna", file)
    (note,) = said(infway("audit", "--json", file))
    assert list(note) == ["change", "at", "actor", "verb", "kind", "name", "before", "after"]
    assert (note["change"], note["before"], note["after"]["name"]) == (1, None, "anna")
    assert note["at"].endswith("+00:00")


@pytest.mark.parametrize(
    "argv",
    [
        ("keys", "mint", "x", "--plan", "free"),
        ("keys", "mint", "x", "--project", "free"),
        ("projects", "create", "x", "--organisation", "free"),
    ],
)
def test_a_name_that_is_not_there_is_said_with_the_usual_reason(infway, file, argv):
    field = argv[-2].removeprefix("--")
    bare, read = infway(*argv), infway(*argv[:-1], "nope", file)
    message = f"infway: {field}: there is no {field} `free`."
    hint = " No configuration was read: --config or INFWAY_CONFIG names one."
    assert (bare.code, bare.err) == (1, f"{message}{hint}\n")
    assert (read.code, read.err) == (1, f"infway: {field}: there is no {field} `nope`.\n")


def test_names_that_lead_nowhere_are_taken_with_a_warning(infway, file):
    made = infway("keys", "mint", "x", "--upstream=no", "--model=nope", "--model=auto", file)
    assert made.code == 0
    assert made.out.startswith("sk-iw-")
    assert "warning: models: no upstream offers `nope` now.\n" in made.err
    assert "warning: upstreams: there is no upstream `no` now.\n" in made.err
    assert "auto" not in made.err
    plan = infway("plans", "create", "p", "--model=nope", file)
    assert plan.err == "warning: models: no upstream offers `nope` now.\n"
    right = infway("keys", "edit", "x", "--upstream=sandbox-swift", "--model=sandbox-chat", file)
    assert (right.code, right.err) == (0, "")


def test_an_empty_name_is_none(infway, file):
    for group in ("keys", "admins"):
        more = ["--capability=reload"] if group == "admins" else []
        ran = infway(group, "mint", "", *more, file)
        assert (ran.code, ran.out) == (1, "")
        assert ran.err.startswith("infway: name: must be 1 to 64 letters")


def test_enabling_says_what_it_does_not_mend(infway, file):
    infway("organisations", "create", "acme", file)
    infway("projects", "create", "chat", "--organisation=acme", file)
    infway("keys", "mint", "anna", "--project=chat", file)
    infway("keys", "expire", "anna", "--at=2026-01-01", file)
    done = infway("keys", "enable", "anna", file)
    assert done.out == (
        "key `anna`: enabled, but it ended on 2026-01-01T00:00:00+00:00:"
        " `infway keys expire anna --never` or --at lets it go on.\n"
    )
    infway("keys", "expire", "anna", "--never", file)
    infway("organisations", "disable", "acme", file)
    done = infway("keys", "enable", "anna", file)
    assert done.out == (
        "key `anna`: enabled, but it is refused: the organisation `acme` is disabled.\n"
    )
    infway("organisations", "enable", "acme", file)
    assert infway("keys", "enable", "anna", file).out == "key `anna`: enabled.\n"


def test_values_are_shown_as_they_are_written(infway, file):
    infway("keys", "mint", "anna", "--tag=dup", "--tag=dup", "--no-rescue", file)
    lines = [line.split() for line in infway("keys", "show", "anna", file).out.splitlines()]
    assert ["rescue", "false"] in lines
    assert ["tags", "dup"] in lines


@pytest.mark.parametrize(
    ("argv", "code", "message"),
    [
        (["keys", "mint", "x", "--budget=1_000/day"], 1, "budgets[0].usd: must be a number, in the digits 0 to 9."),
        (["keys", "mint", "x", "--budget=٣/day"], 1, "budgets[0].usd: must be a number, in the digits 0 to 9."),
        (["keys", "mint", "x", "--weight=price=1_0"], 2, "write a weight like price=2"),
        (["keys", "mint", "x", "--weight=price=٣"], 2, "write a weight like price=2"),
        (["keys", "mint", "x", "--expires=٣d"], 2, "24h or 30d"),
        (["plans", "create", "x", "--requests-per-minute=1_000"], 2, "a whole number in the digits 0 to 9"),
        (["plans", "create", "x", "--requests-per-minute=-1"], 2, "x>=0"),
    ],
    ids=str,
)  # fmt: skip
def test_numbers_are_written_in_plain_digits(infway, file, argv, code, message):
    ran = infway(*argv, file)
    assert (ran.code, ran.out) == (code, "")
    assert message in ran.err


@pytest.mark.parametrize(
    "config", ["", str(ROOT / "config" / "infway.yaml")], ids=["bare", "given"]
)
def test_the_commands_of_the_page_work_one_after_another(infway, config):
    text = (ROOT / "docs" / "accounts.md").read_text()
    block = text.partition("```console\n")[2].partition("```")[0]
    lines = [line for line in block.splitlines() if line.startswith("$ infway ")]
    assert len(lines) == 12
    for line in lines:
        argv = shlex.split(line, comments=True)[2:]
        ran = infway(*argv, **({"INFWAY_CONFIG": config} if config else {}))
        assert (ran.code, "warning" in ran.err) == (0, False), ran.err
