"""The journal: what was written before a process died is read by another, whatever else happens."""

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ledger.journaling import SMALL, die, found, opened, row

from infway.kernel.chat import Prices
from infway.ledger.journal import BEGUN, SEEN, SETTLED, Entry, Journal
from infway.ledger.segment import FIRST, Segment, records

PRICES = Prices(input=3, output=7, long_from=200_000, longer=Prices(6, 9, cache_read=1))
_KILLED = """
import sys
from pathlib import Path
from tests.ledger.journaling import opened, row
journal = opened(Path(sys.argv[1]))
for number in range(10**9):
    journal.write(2, (row(str(number)),))
    if number % 100 == 0:
        print(number, flush=True)
        journal.tidy()
"""


def test_what_a_dead_process_wrote_is_read_in_order(tmp_path: Path):
    journal = opened(tmp_path)
    journal.write(BEGUN, (row(outcome="interrupted"),), PRICES)
    journal.write(SEEN, (row(),))
    journal.write(SETTLED, (row(), row(attempt=0)))
    name = journal.name
    die(journal)
    with found(tmp_path) as left:
        [(place, entries)] = left
        assert place.name == name
        assert entries == [
            Entry(BEGUN, (row(outcome="interrupted"),), PRICES),
            Entry(SEEN, (row(),), None),
            Entry(SETTLED, (row(), row(attempt=0)), None),
        ]


def test_a_journal_whose_process_lives_is_nobody_elses(tmp_path: Path):
    journal = opened(tmp_path)
    with found(tmp_path) as left:
        assert left == []
    journal.close(keep=False)
    assert list(tmp_path.iterdir()) == []


def test_what_is_kept_at_the_end_is_for_who_comes_next(tmp_path: Path):
    journal = opened(tmp_path)
    journal.write(SETTLED, (row(),))
    journal.close(keep=True)
    with found(tmp_path) as left:
        assert [entry.rows for _, entries in left for entry in entries] == [(row(),)]


def test_a_dead_process_is_taken_over_by_one_alone(tmp_path: Path):
    die(opened(tmp_path))
    with found(tmp_path) as first, found(tmp_path) as second:
        assert (len(first), len(second)) == (1, 0)


def test_segments_follow_one_another_and_are_used_again(tmp_path: Path):
    journal = opened(tmp_path)
    for number in range(5000):
        journal.write(SETTLED, (row(str(number)),))
        journal.free(journal.number)
        journal.tidy()
    assert journal.number > 5
    assert len(list(tmp_path.rglob("*.journal"))) <= 4
    last = journal.position
    path = die(journal)
    with found(tmp_path) as left:
        rows = [entry.rows[0].request for _, entries in left for entry in entries]
    assert rows == [str(n) for n in range(5000 - len(rows), 5000)]  # the end, and none of before
    assert 0 < len(rows) <= last[1] / 60
    assert all(one.stat().st_size == SMALL for one in path.iterdir())


def test_what_is_not_freed_is_all_there(tmp_path: Path):
    journal = opened(tmp_path)
    for number in range(3000):
        journal.write(SETTLED, (row(str(number)),))
    die(journal)
    with found(tmp_path) as left:
        rows = [entry.rows[0].request for _, entries in left for entry in entries]
    assert rows == [str(number) for number in range(3000)]


def test_rows_that_are_too_many_for_one_record_are_written_in_several(tmp_path: Path):
    journal = opened(tmp_path, size=1024 * 1024)
    many = [row(attempt=number) for number in range(4000)]
    journal.write(SETTLED, many)
    assert [one for rows in journal.settled(1, journal.position) for one in rows] == many
    die(journal)
    with found(tmp_path) as left:
        assert [one for _, entries in left for entry in entries for one in entry.rows] == many


def test_a_process_that_is_killed_loses_nothing_it_had_written(tmp_path: Path):
    child = subprocess.Popen(
        [sys.executable, "-c", _KILLED, tmp_path], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert child.stdout is not None
    told = [int(next(child.stdout)) for _ in range(60)]
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    told += [int(line) for line in child.stdout]
    child.stdout.close()
    with found(tmp_path) as left:
        rows = [int(entry.rows[0].request) for _, entries in left for entry in entries]
    assert rows == list(range(len(rows)))
    assert len(rows) > told[-1]


def test_a_torn_last_record_is_no_loss_and_is_not_told(tmp_path: Path, caplog):
    journal = opened(tmp_path)
    journal.write(SETTLED, (row("1"),))
    end = journal.position[1]
    journal.write(SETTLED, (row("2"),))
    path = die(journal)
    for file in path.iterdir():
        data = bytearray(file.read_bytes())
        data[end + 40 :] = bytes(len(data) - end - 40)
        file.write_bytes(data)
    with found(tmp_path) as left:
        assert [entry.rows[0].request for _, entries in left for entry in entries] == ["1"]
    assert caplog.records == []


def test_a_corrupt_middle_is_told_and_the_rest_is_kept(tmp_path: Path, caplog):
    journal = opened(tmp_path)
    places = []
    for number in range(9):
        places.append(journal.position[1])
        journal.write(SETTLED, (row(str(number)),))
    path = die(journal)
    for file in path.iterdir():
        data = bytearray(file.read_bytes())
        data[places[3]] ^= 0xFF  # a length
        data[places[6] + 50] ^= 0x01  # a letter
        file.write_bytes(data)
    with found(tmp_path) as left:
        rows = [entry.rows[0].request for _, entries in left for entry in entries]
    assert rows == ["0", "1", "2", "4", "5", "7", "8"]
    [told] = caplog.records
    assert told.levelno == logging.ERROR
    assert "cannot be read" in told.getMessage()


@given(
    st.lists(st.binary(min_size=1, max_size=300), max_size=30),
    st.binary(max_size=400),
    st.randoms(),
)
def test_whatever_is_overwritten_all_other_records_are_read(said, garbage: bytes, random):
    journal = Journal(size=SMALL)
    for text in said:
        journal.write(SETTLED, (row(text.hex()),))
    end = journal.position[1]
    data = bytearray(journal._current.memory[:])
    at = random.randrange(FIRST, end + 1)
    data[at : at + len(garbage)] = garbage
    whole, _ = records(bytes(journal._current.memory[:]), FIRST, SMALL)
    assert len(whole) == len(said)
    read, lost = records(bytes(data[:SMALL]), FIRST, SMALL)
    kept = [one for one in read if one in whole]
    assert kept == read  # nothing that was not written
    assert len(read) >= len(said) - len(garbage) // 100 - 2
    assert lost <= len(garbage) + 800
    journal.close(keep=False)


def test_where_there_is_no_room_for_a_segment_nothing_is_left_over(tmp_path: Path):
    with pytest.raises(OSError):
        Segment(2**60, tmp_path / "1.journal")
    assert list(tmp_path.iterdir()) == []


def test_a_journal_in_memory_is_written_and_read_alike():
    journal = Journal(size=SMALL)
    journal.open()
    for number in range(1000):
        journal.write(SETTLED, (row(str(number)),))
    rows = [one.request for rows in journal.settled(1, journal.position) for one in rows]
    assert rows == [str(number) for number in range(1000)]
    journal.free(journal.number)
    journal.tidy()
    journal.sync()
    assert journal.segments == 1
    journal.close(keep=True)
