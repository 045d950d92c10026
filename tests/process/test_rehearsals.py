"""The rehearsals of bench/, in short: what the long ones say of the process holds of few as well."""

import uvloop
from bench import aborts, drain, reloads, streams


def test_a_stop_drops_no_stream_and_loses_no_row() -> None:
    assert uvloop.run(drain.rehearse(40, 2, gap=0.03, grace=0.5)) == 0


def test_callers_that_leave_take_the_upstream_with_them_and_have_one_row_each(capsys) -> None:
    uvloop.run(aborts.rehearse(200))
    # how soon is a figure of a quiet machine; that it happens is one of every machine
    wrong = [line for line in capsys.readouterr().out.splitlines() if line.startswith("WRONG")]
    assert [line for line in wrong if "250 ms" not in line] == []


def test_broken_files_disturb_nobody() -> None:
    assert uvloop.run(reloads.rehearse(10)) == 0


def test_streams_over_two_workers_stay_open() -> None:
    assert streams.main(["--streams", "100", "--heartbeat", "0.5"]) == 0
