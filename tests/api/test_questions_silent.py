"""Callers who ask what they used while the database is silent: nobody else waits for them (P5, P6)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace

import pytest
from bench.postgres import Postgres
from tests.api.test_repeats_silent import LONG
from tests.conftest import Gateway, Start
from tests.database.fixtures import emptied

from infway.database.postgres import Patience, PostgresDatabase
from infway.ledger.sql import SqlLedger

LONGER = Patience(connect=30, turn=30.0, silence=30.0)  # than any chat takes


@pytest.fixture
async def gateway(postgres: Postgres, start: Start) -> AsyncIterator[Gateway]:
    """A gateway that reads what was used in Postgres."""
    with closing(PostgresDatabase(emptied(postgres.url()), LONGER)) as database:
        ledger = SqlLedger(database)
        ledger.open()
        yield await start(parts_of=lambda built: replace(built, ledger=ledger, database=database))


@pytest.mark.parametrize("path", ["/v1/key", "/v1/generation?id=nobody-1"])
async def test_others_are_answered_while_questions_wait_for_a_silent_database(
    gateway: Gateway, postgres: Postgres, path: str
):
    known = await gateway.get(path)
    with postgres.silent():
        waiting = [asyncio.create_task(gateway.get(path)) for _ in range(12)]
        assert (await gateway.chat(**LONG)).status == 200
        assert not any(one.done() for one in waiting)
    heard = await asyncio.gather(*waiting)
    assert {one.status for one in heard} <= {known.status, 503}
