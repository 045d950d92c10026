"""Journals whose rows were swept before they came back: what was written stays counted once."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.ledger.journaling import SMALL, die, opened
from tests.pipeline.test_settle import settlement
from tests.wall.asking import ask, offer

from infway.database import Database
from infway.database.sqlite import SqliteDatabase
from infway.kernel.clock import Clock
from infway.ledger.journal import Journal
from infway.ledger.purses import Purse
from infway.ledger.spending import Spending
from infway.ledger.sql import SqlLedger
from infway.pipeline.recovery import Recovery
from infway.pipeline.settle import Settlement
from infway.pipeline.settler import Settler, Spooling
from infway.pipeline.tried import Attempt

TOTAL = Purse("key:someone", "total")
BEGIN = 1_700_000_000.0
YEAR = 365 * 86_400.0


class Hand:
    """A clock that is moved by hand."""

    now = BEGIN

    def clock(self) -> Clock:
        return Clock(lambda: self.now - BEGIN, lambda: self.now)


@pytest.fixture
def base(tmp_path: Path) -> Iterator[Database]:
    with closing(SqliteDatabase(tmp_path / "ledger.db")) as database:
        database.open()
        yield database


@pytest.fixture
def ledger(base: Database) -> SqlLedger:
    ledger = SqlLedger(base)
    ledger.open()
    return ledger


def settling(spool: Path, ledger: SqlLedger, hand: Hand, size: int) -> tuple[Journal, Settler]:
    """Return a journal with segments of a size, and what settles by it."""
    journal = opened(spool, size=size)
    return journal, Settler(ledger, hand.clock(), spooling=Spooling(journal))


def spent(database: Database) -> int:
    return Spending(database).spent(TOTAL)


def end(settler: Settler, name: str) -> int:
    """Settle one request; return what it cost."""
    one = settlement(settler, name)
    one.close("ok", 200)
    return one.rows()[-1].cost


def recover(spool: Path, ledger: SqlLedger) -> None:
    Recovery(spool, ledger, lambda _: None, lambda _: None).run()


async def test_a_machine_that_comes_back_after_the_sweep_brings_only_what_was_never_written(
    tmp_path: Path, ledger: SqlLedger, base: Database
):
    spool, hand = tmp_path / "spool", Hand()
    journal, settler = settling(spool, ledger, hand, size=1024 * 1024)
    cost = end(settler, "written")
    await settler.flush()
    assert spent(base) == cost > 0
    end(settler, "waiting")
    one = Settlement(ask(id="under-way"), settlement(settler).who, 0.0, settler)
    one.begin(Attempt(offer(), 0.0), one.ask)
    die(journal)
    assert ledger.sweep(BEGIN + YEAR, 100) > 0
    recover(spool, ledger)
    assert ledger.rows_of("written") == []
    assert len(ledger.rows_of("waiting")) == 2
    begun = ledger.rows_of("under-way")
    assert [row.outcome for row in begun] == ["interrupted"] * 2
    assert spent(base) == 2 * cost + begun[0].cost
    assert base.read("SELECT * FROM journals") == []
    ledger.sweep(0.0, 100)
    assert base.read("SELECT * FROM forgotten") == []


async def test_a_process_that_is_older_than_what_is_kept_may_die(
    tmp_path: Path, ledger: SqlLedger, base: Database
):
    spool, hand = tmp_path / "spool", Hand()
    journal, settler = settling(spool, ledger, hand, size=1024 * 1024)
    cost = 0
    for day in range(5):
        hand.now = BEGIN + day * 86_400
        cost += end(settler, f"r-{day}")
        await settler.flush()
        await settler.let_go(journal.first)
        ledger.sweep(hand.now - 86_400, 100)
    die(journal)
    recover(spool, ledger)
    assert spent(base) == cost
    assert [len(ledger.rows_of(f"r-{day}")) for day in range(5)] == [0, 0, 0, 2, 2]


async def test_what_a_journal_has_cleared_leaves_no_mark(
    tmp_path: Path, ledger: SqlLedger, base: Database
):
    hand = Hand()
    journal, settler = settling(tmp_path / "spool", ledger, hand, size=SMALL)
    cleared = journal.first
    for number in range(1500):
        hand.now += 60
        end(settler, f"r-{number}")
        if number % 50 == 0:
            await settler.flush()
            journal.tidy()
            cleared = await settler.let_go(cleared)
    await settler.flush()
    cleared = await settler.let_go(cleared)
    await settler.let_go(cleared)
    ledger.sweep(hand.now + 1, 10_000)
    assert journal.number > 4
    assert journal.segments == 1
    held = len({row.request for [row, *_] in journal.settled(journal.first, journal.position)})
    [(marked,)] = base.read("SELECT count(DISTINCT request) FROM forgotten")
    assert held <= marked < 750
    before = spent(base)
    die(journal)
    recover(tmp_path / "spool", ledger)
    assert spent(base) == before


async def test_a_request_that_took_very_long_is_marked_as_any_other(
    tmp_path: Path, ledger: SqlLedger, base: Database
):
    spool, hand = tmp_path / "spool", Hand()
    journal, settler = settling(spool, ledger, hand, size=1024 * 1024)
    long = settlement(settler, "long")
    hand.now += YEAR
    cost = end(settler, "short")
    await settler.flush()
    await settler.let_go(journal.first)
    long.close("ok", 200)
    await settler.flush()
    assert spent(base) == 2 * cost
    die(journal)
    ledger.sweep(hand.now + 1, 100)
    recover(spool, ledger)
    assert spent(base) == 2 * cost


async def test_a_process_that_stops_in_order_is_known_to_bring_nothing(
    tmp_path: Path, ledger: SqlLedger, base: Database
):
    journal, settler = settling(tmp_path / "spool", ledger, Hand(), size=SMALL)
    end(settler, "r-1")
    await settler.flush()
    assert base.read("SELECT owner, since FROM journals") == [(journal.name, BEGIN)]
    await settler.close()
    assert base.read("SELECT owner FROM journals") == []
