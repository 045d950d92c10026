"""A journal that has no room for another segment: what was admitted is settled all the same."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.ledger.journaling import SMALL, die, found, opened
from tests.pipeline.test_settle import CLOCK, WHO, Kept, settlement
from tests.wall.asking import ask, offer

from infway.database import Database, DatabaseError
from infway.kernel.events import Text
from infway.ledger.journal import SETTLED, Journal
from infway.ledger.rows import Row
from infway.ledger.sql import SqlLedger
from infway.pipeline.checkpoints import look, move
from infway.pipeline.settle import Settlement
from infway.pipeline.settler import Settler, Spooling
from infway.pipeline.tried import Attempt

ALL = "SELECT request, attempt FROM entries ORDER BY request, attempt"


class Refusing(SqlLedger):
    """A ledger that is away while `is_away`."""

    is_away = False

    def append(self, rows: Sequence[Row], owner: str = "") -> None:
        if self.is_away:
            raise DatabaseError("away", is_away=True)
        super().append(rows, owner)


@contextmanager
def no_room(journal: Journal) -> Iterator[None]:
    """Let no file be made where the journal is; those that are open are written as before."""
    place = journal._place
    assert place is not None
    elsewhere = place.path.rename(place.path.with_name(".elsewhere"))
    try:
        yield
    finally:
        elsewhere.rename(place.path)


def settle(settler: Settler, many: int, name: str = "r") -> None:
    for number in range(many):
        settlement(settler, f"{name}-{number:04}").close("ok", 200)


async def test_every_settled_row_reaches_the_ledger_where_the_journal_has_no_room(
    database: Database, tmp_path: Path, caplog
):
    ledger = Refusing(database)
    ledger.open()
    ledger.is_away = True
    journal = opened(tmp_path)
    settler = Settler(ledger, CLOCK, capacity=10, spooling=Spooling(journal))
    with no_room(journal):
        for part in range(20):
            settle(settler, 100, f"r-{part:02}")
            await settler.flush()
            journal.tidy()
        assert settler.is_full
        assert settler.count == 4000
        ledger.is_away = False
        await settler.flush()
    assert settler.count == 0
    names = [f"r-{part:02}-{number:04}" for part in range(20) for number in range(100)]
    assert database.read(ALL) == [(name, attempt) for name in names for attempt in (0, 1)]
    await settler.close()
    said = [one.getMessage() for one in caplog.records]
    assert sum("the journal is full" in one for one in said) == 1


def broken(folder: Path) -> Settler:
    """Return what settles, with room for few rows, and a ledger that takes none."""
    ledger = Kept()
    ledger.broken = True
    return Settler(ledger, CLOCK, capacity=10, spooling=Spooling(opened(folder)))


async def test_what_found_no_room_is_put_down_once_there_is_some(tmp_path: Path):
    settler = broken(tmp_path)
    journal = settler.journal
    with no_room(journal):
        settle(settler, 1000)
        journal.tidy()
        assert journal.is_full
        assert settler.put_down() > 0
    journal.tidy()
    assert not journal.is_full
    assert settler.put_down() == 0
    die(journal)
    with found(tmp_path) as left:
        kept = {row[:2] for _, entries in left for one in entries for row in one.rows}
    assert kept == {(f"r-{number:04}", attempt) for number in range(1000) for attempt in (0, 1)}


async def test_a_stop_leaves_to_the_next_start_what_found_no_room_before(tmp_path: Path, caplog):
    settler = broken(tmp_path)
    with no_room(settler.journal):
        settle(settler, 1000)
        await settler.flush()
    await settler.close()
    with found(tmp_path) as left:
        kept = {row.request for _, entries in left for one in entries for row in one.rows}
    assert len(kept) == 1000
    [said] = [one for one in caplog.records if "next start" in one.getMessage()]
    assert (said.levelno, said.args) == (logging.ERROR, (2000,))


async def test_what_is_lost_at_a_stop_is_told_as_lost(tmp_path: Path, caplog):
    settler = broken(tmp_path)
    with no_room(settler.journal):
        settle(settler, 1000)
        await settler.close()
    waiting, lost = (
        next(one.args[0] for one in caplog.records if word in one.getMessage())  # type: ignore[index]
        for word in ("next start", "they are lost")
    )
    assert waiting > 0 < lost
    assert waiting + lost == 2000


async def test_who_is_under_way_has_most_of_the_last_segment_in_reserve(tmp_path: Path):
    journal = opened(tmp_path)
    settler = Settler(Kept(), CLOCK, spooling=Spooling(journal))
    journal.tidy()
    with no_room(journal):
        while not journal.is_full:
            assert journal.write(SETTLED, [_row()])
            journal.tidy()
        room = SMALL - journal.position[1]
        assert room > SMALL * 0.74
        under_way = [settlement(settler, f"r-{number}") for number in range(100)]
        for one in under_way:
            one.close("ok", 200)
        assert settler.put_down() == 0
    await settler.close()


async def test_what_streams_have_said_takes_nothing_of_the_reserve(tmp_path: Path):
    journal = opened(tmp_path)
    settler = Settler(Kept(), CLOCK, spooling=Spooling(journal))
    one = Settlement(ask(id="long"), WHO, 0.0, settler)
    attempt = Attempt(offer(), 0.0)
    one.begin(attempt, one.ask)
    attempt.first = 0.0
    with no_room(journal):
        while not journal.is_full:
            assert journal.write(SETTLED, [_row()])
            journal.tidy()
        attempt.see([Text("x" * 4000)])
        last, segment = journal.position, one.segment
        look(settler.open, journal, 10.0)
        move(settler.open, journal)
        assert (journal.position, one.segment) == (last, segment)
    journal.tidy()
    look(settler.open, journal, 10.0)
    assert journal.position > last
    one.close("ok", 200)
    await settler.close()


def _row() -> Row:
    one = settlement(Settler(Kept(), CLOCK))
    return one.rows()[0]


async def test_a_row_that_is_too_long_for_any_record_reaches_the_ledger_too(tmp_path: Path):
    journal = opened(tmp_path)
    long = _row()._replace(outcome="x" * 300_000)
    assert not journal.write(SETTLED, [long])
    assert not journal.write(SETTLED, [_row(), long])
    ledger = Kept()
    settler = Settler(ledger, CLOCK, spooling=Spooling(journal))
    settlement(settler, "long").close("x" * 300_000, 200)
    assert settler.put_down() == 2
    await settler.flush()
    assert settler.put_down() == 0
    assert [len(row.outcome) for row in ledger.rows] == [2, 300_000]
    await settler.close()


async def test_a_journal_that_is_emptied_needs_no_room_for_more(tmp_path: Path):
    ledger = Kept()
    journal = opened(tmp_path)
    settler = Settler(ledger, CLOCK, spooling=Spooling(journal))
    assert len(list(tmp_path.rglob("*.journal"))) == 2
    with no_room(journal):
        for part in range(20):
            settle(settler, 50, f"r-{part}")
            await settler.flush()
            journal.tidy()
            assert not settler.is_full
    assert journal.number > 3
    assert len(ledger.rows) == 2000
    await settler.close()
