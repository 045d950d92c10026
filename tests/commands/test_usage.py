"""`infway usage`, `budgets` and `reconcile`, over either database, while another has it open."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infway.commands.table import csv_text
from infway.database import Database
from infway.kernel.clock import system_clock
from infway.ledger.purses import Purse
from infway.ledger.rows import Row, tags_text
from infway.ledger.spending import Spending, Want
from infway.ledger.sql import SqlLedger

NOW = system_clock().wall()
USUAL = Row(
    "r1", 0, NOW, "me", "gpt-4o", "one", "ok", 200, 1, 1000, 50, 9, 0, 7 * 10**9, 0, 1, 100, 900,
    organisation="acme", project="=1+1", tags=tags_text(("x", "y")), native="gpt-4o",
)  # fmt: skip
ROWS = [
    USUAL,
    USUAL._replace(attempt=1),
    USUAL._replace(request="r2", outcome="stream_cut"),
    USUAL._replace(request="r2", attempt=1, outcome="stream_cut"),
    USUAL._replace(request="r3", at=NOW - 90_000),
    USUAL._replace(request="r4", model="other", cost=1, key="you", project="", tags="[]"),
]
CONFIG = """
upstreams: [{{name: one, vendor: openai, key: sk-of-this-test-0123456789, models: [gpt-4o]}}]
organisations: [{{name: acme, budgets: [{{usd: 1000}}]}}]
keys: [{{name: me, key: abcdefghijklmnopqrstuvwxyz, budgets: [{{usd: "3.5", per: total}}]}}]
accounts: {{pepper: Zk3v9QpL7xT2mN8wR4bY6cJ1hG5dF0sA}}
{store}
"""
Run = Callable[..., object]


@pytest.fixture
def file(database: Database, place: str | Path, config: Callable[[str], str]) -> str:
    """The configuration of a ledger with rows, which stays open."""
    ledger = SqlLedger(database)
    ledger.open()
    ledger.append(ROWS)
    where = (
        f"ledger: {{path: {place}}}" if isinstance(place, Path) else f"store: {{url: '{place}'}}"
    )
    return config(CONFIG.format(store=where))


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
        ("--by", "key", "--by", "key"),
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
    (tmp_path / "ledger.db").write_bytes(b"no database at all" * 100)
    broken = infway("usage", INFWAY_DATA_DIR=str(tmp_path))
    assert broken.code == 78
    assert broken.err.startswith("infway: the database ")


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


def exported(tmp_path: Path, requests: int, model: str = "gpt-4o-2024-08-06") -> str:
    """Write what OpenAI says of two days; return the file."""
    day = NOW // 86_400 * 86_400
    result = {
        "input_tokens": 1000 * requests, "output_tokens": 50 * requests,
        "input_cached_tokens": 9 * requests, "num_model_requests": requests, "model": model,
        "api_key_id": "key_1",
    }  # fmt: skip
    bucket = {"start_time": day - 86_400, "end_time": day + 86_400, "results": [result]}
    path = tmp_path / "export.json"
    path.write_text(json.dumps({"object": "page", "data": [bucket]}))
    return str(path)


def test_an_export_that_agrees_ends_well(infway, file, tmp_path):
    done = infway("reconcile", "-c", file, exported(tmp_path, 2))
    assert (done.code, done.err) == (0, "")
    head, *lines = done.out.splitlines()
    assert head.split() == ["MODEL", "WHAT", "PROVIDER", "LEDGER", "DIFFERENCE", "DRIFT"]
    assert lines[0].split() == ["gpt-4o", "requests", "2", "2", "0", "0.00", "%"]
    assert len(lines) == 4  # no money is told


def test_an_export_that_does_not_agree_ends_with_1(infway, file, tmp_path):
    path = exported(tmp_path, 4)
    done = infway("reconcile", "-c", file, path, "--format", "json", "--days")
    assert (done.code, done.err) == (1, "Beyond 1 %: 1 of 1.\n")
    said = json.loads(done.out)
    assert said["drifted"] is True
    assert sum(one["ledger"]["requests"] for one in said["lines"]) == 2
    assert infway("reconcile", "-c", file, path, "--tolerance", "50").code == 0


def test_what_belongs_together_may_be_said(infway, file, tmp_path):
    path = exported(tmp_path, 2, "ft:mine")
    assert infway("reconcile", "-c", file, path).code == 1
    said = ("--model", "ft:mine=gpt-4o", "--key", "key_1=one")
    done = infway("reconcile", "-c", file, path, *said)
    assert done.code == 0, done.err
    assert done.out.splitlines()[1].split()[:2] == ["one", "gpt-4o"]
    assert infway("reconcile", "-c", file, path, "--upstream", "nobody").code == 1
    assert infway("reconcile", "-c", file, path, "--key", "key_1").code == 2


def test_a_file_that_is_no_export_is_told_in_a_line(infway, file, tmp_path):
    path = tmp_path / "export.json"
    for content in (b"", b"{}", b"\xff", b"a,b\n1,2\n"):
        path.write_bytes(content)
        done = infway("reconcile", "-c", file, str(path))
        assert done.code == 2
        assert done.err.startswith(f"Error: {path}: ")
        assert done.err.count("\n") == 1
    path.write_text('{"data": [{"date": "2026-01-01", "model": "m", "requests": 1}]}')
    done = infway("reconcile", "-c", file, str(path))
    assert (done.code, done.out) == (2, "")
    assert "no upstream is of the vendor openrouter" in done.err
