"""`infway reconcile`, over either database, while another has it open."""

import json
from pathlib import Path

import pytest
from tests.commands.booked import exported


def test_an_export_that_agrees_ends_well(infway, file, tmp_path):
    done = infway("reconcile", "-c", file, exported(tmp_path, 2))
    assert (done.code, done.err) == (0, "")
    head, *lines = done.out.splitlines()
    assert head.split() == ["MODEL", "KEY", "WHAT", "PROVIDER", "LEDGER", "DIFFERENCE", "DRIFT"]
    assert lines[0].split() == ["gpt-4o", "key_1", "requests", "2", "2", "0", "0.00", "%"]
    assert len(lines) == 4  # no money is told


def test_an_export_that_does_not_agree_ends_with_1(infway, file, tmp_path):
    path = exported(tmp_path, 4)
    done = infway("reconcile", "-c", file, path, "--format", "json", "--days")
    assert (done.code, done.err) == (1, "Beyond 1 %: 1 of 1.\n")
    said = json.loads(done.out)
    assert said["drifted"] is True
    assert sum(one["ledger"]["requests"] for one in said["lines"]) == 2
    assert infway("reconcile", "-c", file, path, "--tolerance", "50").code == 0


def test_keys_of_the_export_are_told_apart(infway, file, tmp_path):
    path = exported(tmp_path, 3)
    whole = json.loads(Path(path).read_text())
    (result,) = whole["data"][0]["results"]
    second = {**result, "input_tokens": 1000, "num_model_requests": 1, "api_key_id": "key_2"}
    second |= {"output_tokens": 50, "input_cached_tokens": 9}
    whole["data"][0]["results"] = [result, second]
    Path(path).write_text(json.dumps(whole))
    done = infway("reconcile", "-c", file, path)
    assert (done.code, done.err) == (1, "Beyond 1 %: 1 of 1.\n")
    lines = [line.split() for line in done.out.splitlines() if " requests " in line]
    assert lines == [
        ["gpt-4o", "*", "requests", "4", "2", "-2", "50.00", "%"],
        ["gpt-4o", "key_1", "requests", "3"],
        ["gpt-4o", "key_2", "requests", "1"],
    ]
    said = json.loads(infway("reconcile", "-c", file, path, "--format", "json").out)["lines"]
    assert [(one["key"], one["provider"]["requests"], one["ledger"]["requests"]) for one in said] == [
        (None, 4, 2), ("key_1", 3, None), ("key_2", 1, None),
    ]  # fmt: skip
    assert [bool(one["drift"]) for one in said] == [True, False, False]
    mapped = infway("reconcile", "-c", file, path, "--key=key_1=one", "--key=key_2=one")
    assert "one       gpt-4o  *      requests" in mapped.out


def test_what_belongs_together_may_be_said(infway, file, tmp_path):
    path = exported(tmp_path, 2, "ft:mine")
    assert infway("reconcile", "-c", file, path).code == 1
    said = ("--model", "ft:mine=gpt-4o", "--key", "key_1=one")
    done = infway("reconcile", "-c", file, path, *said)
    assert done.code == 0, done.err
    assert done.out.splitlines()[1].split()[:3] == ["one", "gpt-4o", "key_1"]
    assert infway("reconcile", "-c", file, path, "--key", "key_1").code == 2


@pytest.mark.parametrize("said", [("--upstream", "onne"), ("--key", "key_1=onne")])
def test_an_upstream_that_nobody_knows_is_told(infway, file, tmp_path, said):
    done = infway("reconcile", "-c", file, exported(tmp_path, 2), *said)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "Error: no upstream `onne` is in the ledger or the configuration; did you mean `one`?\n"
    )


def test_an_upstream_that_is_no_more_configured_is_known_from_the_ledger(
    infway, file, tmp_path, config
):
    told = Path(file).read_text().replace("name: one,", "name: two,")
    config(told)
    path = exported(tmp_path, 2)
    assert infway("reconcile", "-c", file, path, "--upstream", "one").code == 0
    assert infway("reconcile", "-c", file, path, "--upstream", "two").code == 1  # it has nothing


@pytest.mark.parametrize("tolerance", ["nan", "inf", "-1", "1e400", "101"])
def test_a_tolerance_that_is_none_is_a_wrong_option(infway, file, tmp_path, tolerance):
    done = infway("reconcile", "-c", file, exported(tmp_path, 2), "--tolerance", tolerance)
    assert (done.code, done.out) == (2, "")
    assert "Invalid value for '--tolerance'" in done.err


def test_what_would_count_twice_is_refused(infway, file, tmp_path):
    path = exported(tmp_path, 2)
    copy = tmp_path / "copy.json"
    copy.write_text(json.dumps(json.loads(Path(path).read_text()), indent=2))
    for other in (path, str(copy)):
        done = infway("reconcile", "-c", file, path, other)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith(f"Error: {other}: it says what {path} says")


def test_a_page_is_not_taken_for_the_whole(infway, file, tmp_path):
    whole = json.loads(Path(exported(tmp_path, 2)).read_text())
    (bucket,) = whole["data"]
    noon = bucket["end_time"] - 86_400
    first = {**whole, "data": [{**bucket, "end_time": noon}], "has_more": True}
    last = {**whole, "data": [{**bucket, "start_time": noon, "results": []}], "has_more": False}
    pages = []
    for number, page in enumerate((first, last)):
        pages.append(str(tmp_path / f"page-{number}.json"))
        Path(pages[-1]).write_text(json.dumps(page))
    done = infway("reconcile", "-c", file, pages[0])
    assert (done.code, done.out) == (2, "")
    assert "(`has_more`): give the next one as well" in done.err
    done = infway("reconcile", "-c", file, *pages)
    assert (done.code, done.err) == (0, "")


def test_an_empty_export_is_one_and_there_is_nothing_to_compare(infway, file, tmp_path):
    path = tmp_path / "empty.json"
    path.write_text('{"object": "page", "data": [], "has_more": false}')
    done = infway("reconcile", "-c", file, str(path))
    assert (done.code, done.err) == (0, "The export is empty: there is no time to compare.\n")
    assert "There is nothing to compare" in done.out
    assert infway("reconcile", "-c", file, exported(tmp_path, 2), str(path)).code == 0


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
