"""`infway usage` and `budgets`, over either database, while another has it open."""

import csv
import io
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.commands.booked import NOW, ROWS, exported

from infway.commands.table import csv_text
from infway.ledger.purses import Purse
from infway.ledger.spending import Spending, Want


def test_usage_is_a_table_by_model(infway, file):
    done = infway("usage", "-c", file, "--since", "1d")
    assert done.code == 0, done.err
    head, first, second = done.out.splitlines()
    assert head.split()[:3] == ["MODEL", "REQUESTS", "FAILED"]
    assert first.split() == ["gpt-4o", "2", "1", "2,000", "100", "0.014", "0"]
    assert second.split()[0] == "other"
    assert "Nothing was used" in infway("usage", "-c", file, "--since", "2999-01-01").out


def test_usage_is_summed_by_two_names_and_limited(infway, file):
    said = ("usage", "-c", file, "--by", "key", "--by", "day", "--format", "json", "--key", "me")
    found = json.loads(infway(*said).out)
    days = sorted({f"{datetime.fromtimestamp(row.at, UTC):%Y-%m-%d}" for row in ROWS})
    assert [one["day"] for one in found] == days
    assert {one["key"] for one in found} == {"me"}
    assert sum(one["requests"] for one in found) == 3
    everything = json.loads(infway("usage", "-c", file, "--by", "tag", "--format", "json").out)
    assert [(one["tag"], one["cost"]) for one in everything] == [("x", 0.021), ("y", 0.021)]
    until = infway("usage", "-c", file, "--until", "20h", "--format", "json").out
    assert [one["requests"] for one in json.loads(until)] == [1]


def test_cells_that_a_spreadsheet_would_run_are_harmless(infway, file):
    done = infway("usage", "-c", file, "--by", "project", "--format", "csv")
    first, second = csv.DictReader(io.StringIO(done.out))
    assert (first["project"], first["requests"], first["cost"]) == ("'=1+1", "3", "0.021")
    assert (second["project"], second["cost"]) == ("", "0.000000000001")


@given(st.lists(st.text(max_size=8), min_size=1, max_size=3))
def test_no_cell_of_csv_begins_with_what_is_run(cells: list[str]):
    head, row = csv.reader(io.StringIO(csv_text([], [cells]), newline=""))
    assert head == []
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)
    assert [cell.removeprefix("'") for cell in row] == [cell.removeprefix("'") for cell in cells]


@pytest.mark.parametrize(
    "said",
    [
        ("--since", "yesterday"),
        ("--until", "99999-01-01"),
        ("--by", "colour"),
        ("--by", "key", "--by", "tag", "--by", "day"),
        ("--format", "xml"),
    ],
)
def test_a_question_that_is_none_is_refused(infway, file, said):
    assert infway("usage", "-c", file, *said).code == 2


def test_there_must_be_a_ledger(infway, tmp_path):
    missing = infway("usage")
    assert missing.code == 1
    assert missing.err.startswith("Error: There is no ledger yet at ")


def test_names_that_stand_twice_are_told_in_the_words_of_the_admin_api(infway, file):
    done = infway("usage", "-c", file, "--by", "key", "--by", "key")
    assert done.code == 2
    assert "--by: must not name the same twice." in done.err


@pytest.mark.parametrize("argv", [("usage",), ("reconcile",)])
def test_a_file_in_which_no_gateway_has_written_is_no_ledger_yet(infway, tmp_path, argv):
    path = tmp_path / "data" / "ledger.db"
    path.parent.mkdir()
    path.touch()
    said = (*argv, exported(tmp_path, 2)) if argv == ("reconcile",) else argv
    empty = infway(*said)
    assert empty.code == 1
    assert empty.err == f"Error: There is no ledger yet at {path}: `infway serve` makes it.\n"
    assert infway("keys", "mint", "anna").code == 0  # the register of keys is there now
    assert infway(*said) == empty
    assert infway("budgets").out == "There are no budgets.\n"


@pytest.mark.parametrize(
    "argv",
    [("usage",), ("keys", "list"), ("keys", "mint", "x"), ("budgets",), ("serve", "--sandbox")],
)
def test_a_file_that_is_no_database_is_told_in_one_sentence(infway, tmp_path, argv):
    path = tmp_path / "ledger.db"
    path.write_bytes(b"no database at all" * 100)
    broken = infway(*argv, INFWAY_DATA_DIR=str(tmp_path))
    assert (broken.code, broken.out) == (78, "")
    assert broken.err in [
        f"infway: the database {path} cannot be {done}: the file is none of SQLite's\n"
        for done in ("opened", "read")
    ]


def test_budgets_tell_what_is_spent_granted_and_left(infway, file, database):
    Spending(database).take("p1", NOW + 60, [Want(Purse("key:me", "total"), 35 * 10**11, 10**12)])
    done = infway("budgets", "-c", file)
    assert done.code == 0, done.err
    head, first, second = (line.split() for line in done.out.splitlines())
    assert head == ["OF", "NAME", "PER", "RESETS", "LIMIT", "SPENT", "GRANTED", "LEFT"]
    assert first[:3] == ["organisation", "acme", "month"]
    assert second == ["key", "me", "total", "never", "3.5", "0.021", "1", "3.479"]
    found = json.loads(infway("budgets", "-c", file, "--format", "json").out)
    assert (found[1]["spent"], found[1]["left"]) == (0.021, 3.479)
    assert infway("budgets", "-c", file, "--format", "csv").out.count("\n") == 3
