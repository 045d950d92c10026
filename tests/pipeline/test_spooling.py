"""While the ledger is away: rows wait, as many and as long as the settings say, and none is lost."""

import asyncio
import logging
from pathlib import Path

from tests.ledger.journaling import SMALL, opened
from tests.pipeline.conftest import Start
from tests.pipeline.test_settle import CLOCK, WHO, Kept, settlement
from tests.wall import Wall
from tests.wall.asking import ask, offer, upstream

from infway.kernel.clock import Clock
from infway.ledger.journal import BEGUN, entries
from infway.ledger.segment import FIRST, records
from infway.pipeline.checkpoints import move
from infway.pipeline.itinerary import Persistence
from infway.pipeline.settle import Settlement
from infway.pipeline.settler import Settler, Spooling
from infway.pipeline.tried import Attempt


async def test_rows_beyond_what_memory_holds_wait_in_the_journal_and_come_back(tmp_path: Path):
    ledger, seen = Kept(), []
    ledger.broken = True
    journal = opened(tmp_path)
    settler = Settler(ledger, CLOCK, seen.extend, 10, spooling=Spooling(journal, rows=10_000))
    for number in range(1000):
        settlement(settler, f"r-{number}").close("ok", 200)
        if number % 100 == 0:
            await settler.flush()
    assert settler.count == 2000
    assert not settler.is_full
    assert len(settler._held) <= 110  # of those that came since the last look
    assert journal.segments >= 3
    ledger.broken = False
    await settler.flush()
    assert settler.count == 0
    assert [row.request for row in seen] == [f"r-{n}" for n in range(1000) for _ in range(2)]
    assert {row[:2] for row in ledger.rows} == {(f"r-{n}", a) for n in range(1000) for a in (0, 1)}
    assert len(ledger.rows) == 2000
    assert journal.segments == 1  # all is free again
    await settler.close()
    assert list(tmp_path.iterdir()) == []


async def test_rows_that_come_during_the_replay_are_not_forgotten(tmp_path: Path):
    ledger = Kept()
    ledger.broken = True
    settler = Settler(ledger, CLOCK, None, 1, spooling=Spooling(opened(tmp_path)))
    for number in range(100):
        settlement(settler, f"a-{number}").close("ok", 200)
    await settler.flush()
    ledger.broken = False
    flush = asyncio.create_task(settler.flush())
    for number in range(300):
        settlement(settler, f"b-{number}").close("ok", 200)
        await asyncio.sleep(0)
    await flush
    await settler.close()
    assert len(ledger.rows) == len({row[:2] for row in ledger.rows}) == 800


async def test_too_many_rows_or_too_long_a_time_refuse_requests_and_both_end(
    tmp_path: Path, caplog
):
    now = [0.0]
    clock = Clock(lambda: now[0], lambda: 1_700_000_000.0)
    ledger = Kept()
    spooling = Spooling(opened(tmp_path), rows=20, seconds=60.0)
    settler = Settler(ledger, clock, spooling=spooling)
    now[0] = 1000.0
    await settler.flush()
    ledger.broken = True
    settlement(settler, "first").close("ok", 200)
    for now[0] in (1001.0, 1059.0):
        await settler.flush()
        assert not settler.is_full
    now[0] = 1060.5
    await settler.flush()
    assert settler.is_full
    ledger.broken = False
    await settler.flush()
    assert not settler.is_full
    ledger.broken = True
    for number in range(10):
        assert not settler.is_full
        settlement(settler, f"r-{number}").close("ok", 200)
    assert settler.is_full  # at once
    await settler.flush()
    ledger.broken = False
    await settler.flush()
    assert not settler.is_full
    levels = [one.levelno for one in caplog.records]
    assert levels.count(logging.ERROR) == levels.count(logging.WARNING) == 4
    await settler.close()


async def test_what_the_ledger_never_took_waits_for_the_next_start(tmp_path: Path):
    ledger = Kept()
    ledger.broken = True
    settler = Settler(ledger, CLOCK, spooling=Spooling(opened(tmp_path)))
    settlement(settler).close("ok", 200)
    await settler.close()
    ledger.broken = False
    later = Settler(ledger, CLOCK, spooling=Spooling(opened(tmp_path)))
    running = asyncio.create_task(later.run())
    while not ledger.rows:
        await asyncio.sleep(0.001)
    running.cancel()
    await asyncio.wait([running])
    await later.close()
    assert [(row.attempt, row.outcome) for row in ledger.rows] == [(1, "ok"), (0, "ok")]
    assert list(tmp_path.iterdir()) == []


async def test_a_long_stream_does_not_hold_the_journal_up(tmp_path: Path):
    journal = opened(tmp_path, SMALL)
    ledger = Kept()
    settler = Settler(ledger, CLOCK, spooling=Spooling(journal))
    long = Settlement(ask(id="long"), WHO, 0.0, settler)
    long.begin(Attempt(offer(), 0.0), long.ask)
    for number in range(4000):
        settlement(settler, f"r-{number}").close("ok", 200)
        if number % 100 == 0:
            await settler.flush()
            move(settler.open, journal)
    assert journal.number > 10
    assert journal.segments <= 7
    found = [
        row.request
        for _, segment in journal._segments
        for entry in entries(records(segment.memory, FIRST, segment.at)[0])
        for row in entry.rows
    ]
    assert "long" in found
    long.close("client_gone", 499)
    await settler.close()
    assert list(tmp_path.iterdir()) == []


def _begun(settler: Settler) -> list[tuple[str, int]]:
    segment = settler.journal._current
    found = entries(records(segment.memory, FIRST, segment.at)[0])
    return [(e.rows[0].upstream, e.rows[0].attempt) for e in found if e.kind == BEGUN]


async def test_an_attempt_is_in_the_journal_before_its_upstream_is_called(line: Start, up: Wall):
    source = upstream("one", up.base_url)
    running = await line(offer("hang", source))
    task = asyncio.create_task(running.tell(ask()))
    while not up.attempts:
        assert len(_begun(running.settler)) <= 1
        await asyncio.sleep(0)
    assert _begun(running.settler) == [("one", 1)]
    task.cancel()
    await asyncio.wait([task])


async def test_fallbacks_hedges_and_rescues_are_in_the_journal_too(line: Start, up: Wall):
    first, second = upstream("one", up.base_url), upstream("two", up.base_url)
    running = await line(offer("status@500", first), offer("ok", second))
    await running.tell(ask())
    assert _begun(running.settler) == [("one", 1), ("two", 2)]
    running = await line(offer("cut@20", first), offer("ok", second))
    await running.tell(ask())
    assert _begun(running.settler) == [("one", 1), ("two", 2)]
    running = await line(
        offer("hang", first), offer("ok", second), persistence=Persistence(hedge=0.05)
    )
    await running.tell(ask())
    assert _begun(running.settler) == [("one", 1), ("two", 2)]
    assert len(up.attempts) == 6
