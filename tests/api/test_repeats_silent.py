"""Requests with an `Idempotency-Key` while the database is silent: nobody else waits for them (P5, P6)."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from bench.postgres import Postgres
from tests.api.test_repeats import again, ask
from tests.conftest import Gateway, Start, settled
from tests.pipeline.test_settle import CLOCK
from tests.pipeline.test_settle import Kept as KeptRows
from tests.process.stores import locked

from infway.api.repeats import Repeats
from infway.configured import repeats_of
from infway.database import Database
from infway.database.sqlite import SqliteDatabase
from infway.kernel.errors import UnavailableError
from infway.ledger.replays import Claim, Kept, Once, Replays
from infway.pipeline.settler import Settler

LONG = {"messages": [{"role": "user", "content": "word " * 80_000}]}  # read beside the other work
Silence = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def silence(place: str | Path, request: pytest.FixtureRequest) -> Silence:
    """Return what makes the database say nothing."""
    if isinstance(place, Path):
        return partial(locked, place)
    server: Postgres = request.getfixturevalue("postgres")
    return server.silent


class Counting(Replays):
    """Replays that count how often they are asked for a claim."""

    asked = 0

    def claim(self, once: Once, owner: str, now: float) -> Kept | None:
        self.asked += 1
        return super().claim(once, owner, now)


def repeats_in(gateway: Gateway) -> Repeats:
    repeats = gateway.app.front.repeats
    assert repeats is not None
    return repeats


async def test_others_are_answered_while_claims_wait_for_a_silent_database(
    database: Database, silence: Silence, start: Start
):
    replays = Counting(database)
    gateway = await start(parts_of=lambda built: replace(built, replays=replays))
    await again(gateway, "before")
    await again(gateway, "before")
    replays.asked = 0
    with silence():
        waiting = [asyncio.create_task(ask(gateway, f"{number}")) for number in range(40)]
        while len(repeats_in(gateway)._claiming) < 40:
            await asyncio.sleep(0)
        assert (await gateway.chat(**LONG)).status == 200
        await asyncio.to_thread(gateway.app.settler.journal.sync)  # where the register is read, too
        assert not any(one.done() for one in waiting)
        heard = await asyncio.gather(*waiting)
        assert {(one.status, one.code) for one in heard} == {(503, "accounting_unavailable")}
        assert 1 <= replays.asked <= 4  # one silence for all of them
        late = await ask(gateway, "late")
        assert (late.status, late.header("retry-after")) == (503, "1")
        assert replays.asked <= 4
    while (back := await ask(gateway, "0")).status == 503:
        await asyncio.sleep(0.01)
    assert back.status == 200


async def test_of_claims_that_wait_there_are_so_many_and_no_more(tmp_path: Path):
    database = SqliteDatabase(tmp_path / "replays.db", wait=60.0)
    database.open()
    repeats = repeats_of(Replays(database), Settler(KeptRows(), CLOCK), settled({})[0])
    assert repeats is not None
    claims = [Claim(Once("tests", f"{n} /v1", b"digest"), f"p.{n}") for n in range(1001)]
    async with repeats.open():
        with locked(tmp_path / "replays.db"):
            taken = [asyncio.create_task(repeats._claim(claim)) for claim in claims[:1000]]
            while len(repeats._claiming) < 1000:
                await asyncio.sleep(0)
            with pytest.raises(UnavailableError) as told:
                await repeats._claim(claims[1000])
            assert told.value.code == "accounting_unavailable"
        assert await asyncio.gather(*taken) == [None] * 1000
        assert await repeats._claim(claims[1000]) is None
    database.close()
