"""Rows 63 to 65: the ledger is locked, away or has no room, and callers hardly notice."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from tests.api.upstream import Asked, Script, fault
from tests.conftest import Gateway, Start
from tests.ledger.journaling import SMALL, row
from tests.pipeline.test_full_disk import no_room
from tests.process.stores import Store, filled, mounted, spooled, store

from infway.ledger.journal import SEEN, Journal
from infway.ledger.sqlite import SqliteLedger
from infway.pipeline.settler import Spooling

__all__ = ["store"]


async def until(gateway: Gateway, status: int) -> None:
    while (await gateway.chat()).status != status:
        await asyncio.sleep(0.01)


async def test_a_ledger_that_is_away_is_no_matter_of_callers(
    start: Start, tmp_path: Path, store: Store
):
    gateway = await start(parts_of=store.parts(tmp_path / "spool"))
    with store.away():
        for turn in range(10):
            assert (await gateway.chat(stream=turn % 2 == 0)).status == 200
        assert gateway.app.settler.count == 20
        assert b"infway_ledger_waiting 20.0" in gateway.app.metrics.page()
        assert (await gateway.get("/readyz")).status == 200
    rows = await store.rows(gateway)
    assert len(rows) == 20
    assert {row.outcome for row in rows} == {"ok"}
    assert b"infway_ledger_waiting 0.0" in gateway.app.metrics.page()


async def test_as_many_rows_wait_as_the_settings_say(start: Start, tmp_path: Path, store: Store):
    gateway = await start(parts_of=store.parts(tmp_path / "spool", rows=10))
    with store.away():
        for _ in range(5):
            assert (await gateway.chat()).status == 200
        for _ in range(3):
            heard = await gateway.chat()
            assert (heard.status, heard.json["error"]["code"]) == (503, "accounting_unavailable")
            assert int(heard.header("retry-after")) >= 1
    assert len(await store.rows(gateway)) == 10
    assert (await gateway.chat()).status == 200
    assert len(gateway.upstream.asked) == 6


async def test_a_ledger_that_stays_away_refuses_requests_and_has_them_all_later(
    start: Start, tmp_path: Path, caplog, store: Store
):
    gateway = await start(parts_of=store.parts(tmp_path / "spool", seconds=0.5))
    with store.away():
        await until(gateway, 503)
    await until(gateway, 200)
    served = len(gateway.upstream.asked)
    assert len(await store.rows(gateway)) == 2 * served
    said = [one.getMessage() for one in caplog.records if one.name == "infway.pipeline.settler"]
    assert sum("no request is begun" in one for one in said) == 1
    assert sum("requests are begun again" in one for one in said) == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path / "small") as folder:
        yield folder


async def test_a_full_disk_costs_no_row_and_no_running_process(
    start: Start, small_disk: Path, caplog
):
    caplog.set_level(logging.WARNING)
    ledger = small_disk / "ledger.db"
    gateway = await start(
        parts_of=lambda built: replace(
            spooled(small_disk / "spool")(built), ledger=SqliteLedger(ledger)
        )
    )
    gateway.ledger = ledger
    assert (await gateway.chat()).status == 200
    assert len(await gateway.rows()) == 2
    journal = gateway.app.settler.journal
    served = 1
    with filled(small_disk):
        # what SQLite has of its own is used up first, then the journal's last segment
        while (await gateway.chat()).status == 200:
            served += 1
            if served % 50 == 0:
                _use_up(journal)
        heard = await gateway.chat()
        assert (heard.status, heard.json["error"]["code"]) == (503, "accounting_unavailable")
        assert (await gateway.get("/v1/models")).status == 200
    await until(gateway, 200)
    rows = await gateway.rows()
    requests = {row.request for row in rows if not row.attempt}
    assert len(requests) == served + 1
    assert len(rows) == 2 * len(requests)


def _use_up(journal: Journal) -> None:
    """Write as much as many checkpoints do."""
    for number in range(500):
        journal.write(SEEN, (row(f"other-{number}", outcome="x" * 200),))


async def test_an_attempt_that_finds_no_room_on_record_is_not_made(start: Start, tmp_path: Path):
    """The first upstream fails, and by then the journal is full to its last byte."""
    journal = Journal(tmp_path / "spool", SMALL)
    stack = ExitStack()

    def fail(_: Asked) -> Script:
        stack.enter_context(no_room(journal))
        while journal.write(SEEN, (row(),)):
            pass
        return fault(500)

    gateway = await start(fail, parts_of=lambda built: replace(built, spooling=Spooling(journal)))
    with stack:
        heard = await gateway.chat()
        assert (heard.status, heard.json["error"]["code"]) == (503, "accounting_unavailable")
        assert len(gateway.upstream.asked) == 1
    rows = await gateway.rows()
    assert [(one.attempt, one.status, one.outcome) for one in rows] == [
        (0, 503, "http_500"),
        (1, 500, "http_500"),
    ]
