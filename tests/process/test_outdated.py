"""A newer infway has migrated the database: the older one serves on, writes nothing and says so."""

import logging
from pathlib import Path

import pytest
from tests.conftest import Start
from tests.process.stores import Store

from infway.accounts.capabilities import Actor
from infway.accounts.register import STEPS as ACCOUNTS
from infway.accounts.register import Register
from infway.database import Database, NewerError
from infway.database.opening import database_at
from infway.ledger.tables import STEPS

NEWER = "the ledger is of version 99; this infway knows"


def set_version(database: Database, room: str, version: int) -> None:
    with database.transaction() as work:
        work.run("UPDATE infway_versions SET version = ? WHERE room = ?", (version, room))


async def test_rows_wait_and_the_process_is_not_ready(
    start: Start, tmp_path: Path, place: str | Path, caplog
):
    caplog.set_level(logging.ERROR)
    store = Store(database_at(place), lambda: pytest.fail("it stays"))
    gateway = await start(parts_of=store.parts(tmp_path / "spool"))
    assert (await gateway.chat()).status == 200
    assert len(await store.rows(gateway)) == 2
    set_version(store.database, "ledger", 99)
    for _ in range(3):
        assert (await gateway.chat()).status == 200
        assert len(await store.rows(gateway)) == 2
    heard = await gateway.get("/readyz")
    assert heard.status == 503
    assert NEWER in heard.json["error"]["message"]
    assert (await gateway.get("/healthz")).status == 200
    assert sum(NEWER in one.getMessage() for one in caplog.records) == 1
    assert gateway.app.settler.count == 6
    set_version(store.database, "ledger", len(STEPS))
    assert len(await store.rows(gateway)) == 8
    assert (await gateway.get("/readyz")).status == 200


def test_the_register_is_not_changed(database: Database):
    register = Register(database, "mark")
    register.open()
    set_version(database, "accounts", len(ACCOUNTS) + 1)
    with pytest.raises(NewerError), register.change(Actor("root"), 0.0):
        pytest.fail("nothing is changed")
