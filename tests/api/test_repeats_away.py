"""Requests that come twice while the database is away, or in which somebody is cancelled."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.api.caller import Heard
from tests.api.test_repeats import again, ask
from tests.api.upstream import Asked, Script, whole
from tests.conftest import Gateway, Start, settled
from tests.pipeline.test_settle import CLOCK
from tests.pipeline.test_settle import Kept as KeptRows
from tests.process.stores import locked

from infway.api.endings import Endings
from infway.configured import repeats_of
from infway.database import DatabaseError
from infway.database.sqlite import SqliteDatabase
from infway.kernel.errors import StoppedError
from infway.ledger.journal import Journal
from infway.ledger.replays import Claim, Kept, Once, Replays
from infway.pipeline.recovery import Recovery
from infway.pipeline.settler import Settler, Spooling
from infway.threads import Threads

ONCE = Once("tests", "a /v1", b"digest")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "replays.db"


@pytest.fixture
def hasty(path: Path) -> Iterator[SqliteDatabase]:
    """A database that soon gives up on others, and not on the threads of this process."""
    with closing(SqliteDatabase(path, wait=1.0)) as database:
        database.open()
        yield database


@pytest.fixture
def patient(path: Path) -> Iterator[SqliteDatabase]:
    with closing(SqliteDatabase(path)) as database:
        database.open()
        yield database


async def started(start: Start, replays: Replays, say: object = None) -> Gateway:
    more = () if say is None else (say,)
    return await start(*more, parts_of=lambda built: replace(built, replays=replays))


async def patiently(gateway: Gateway, name: str) -> Heard:
    """Ask until it is known what became of the request before, and the database is known to be back."""
    while (heard := await ask(gateway, name)).status in (409, 503):
        assert heard.code in ("request_in_progress", "accounting_unavailable")
        await asyncio.sleep(0.01)
    return heard


async def test_a_reply_that_ends_while_the_database_is_away_is_kept_once_it_is_back(
    path: Path, hasty: SqliteDatabase, start: Start
):
    go_on, begun = asyncio.Event(), asyncio.Event()

    def say(_: Asked) -> Script:
        begun.set()
        return Script([go_on, *whole().pieces])

    gateway = await started(start, Replays(hasty), say)
    first = asyncio.create_task(ask(gateway, "a"))
    await begun.wait()
    with locked(path):
        go_on.set()
        answered = await first
        assert answered.status == 200
        refused = await ask(gateway, "a")
        assert (refused.status, refused.code) == (503, "accounting_unavailable")
        assert refused.header("retry-after") == "1"
    heard = await patiently(gateway, "a")
    assert heard.body == answered.body
    assert heard.header("idempotent-replayed") == "true"
    assert len(gateway.upstream.asked) == 1


def stopped() -> StoppedError:
    return StoppedError(503, "overloaded", "There is no room.")


async def test_a_request_that_is_ended_while_it_is_claimed_may_be_sent_again(
    start: Start, path: Path, patient: SqliteDatabase
):
    gateway = await started(start, Replays(patient))
    await ask(gateway, "before")
    await again(gateway, "before")
    with locked(path):
        first = asyncio.create_task(ask(gateway, "a"))
        while not gateway.app.front.repeats._claiming:  # type: ignore[union-attr]
            await asyncio.sleep(0)
        gateway.app.front.intake.end_all(stopped)
        assert (await first).status == 503
    assert (await again(gateway, "a")).status == 200
    assert len(gateway.upstream.asked) == 2


class Losing(Replays):
    """Replays whose first claim is kept, and its answer lost."""

    is_lost = False

    def claim(self, once: Once, owner: str, now: float) -> Kept | None:
        found = super().claim(once, owner, now)
        if not self.is_lost:
            self.is_lost = True
            raise DatabaseError("lost", is_away=True)
        return found


async def test_a_claim_whose_answer_was_lost_is_freed(patient: SqliteDatabase, start: Start):
    gateway = await started(start, Losing(patient))
    heard = await ask(gateway, "a")
    assert (heard.status, heard.code) == (503, "accounting_unavailable")
    assert (await patiently(gateway, "a")).status == 200
    assert len(gateway.upstream.asked) == 1


async def test_a_failed_claim_frees_nobody_elses(patient: SqliteDatabase, start: Start):
    replays = Losing(patient)
    replays.open()
    Replays(patient).claim(Once("tests", "a /v1/chat/completions", b"x"), "other.1", 4e9)
    gateway = await started(start, replays)
    assert (await ask(gateway, "a")).status == 503
    endings = gateway.app.front.repeats._endings  # type: ignore[union-attr]
    while endings._waiting:
        await asyncio.sleep(0)
    assert (await ask(gateway, "a")).code == "idempotency_key_reused"


def settler_in(folder: Path) -> Settler:
    return Settler(KeptRows(), CLOCK, spooling=Spooling(Journal(folder), 100))


@pytest.mark.parametrize("is_away", [False, True])
async def test_a_stop_leaves_no_claim_behind(path: Path, hasty: SqliteDatabase, is_away: bool):
    replays, spool = Replays(hasty), path.parent / "spool"
    settler = settler_in(spool)
    settler.journal.open()
    repeats = repeats_of(replays, settler, settled({})[0])
    assert repeats is not None
    with ExitStack() as stack:
        async with repeats.open():
            assert replays.claim(ONCE, f"{settler.journal.name}.1", 0.0) is None
            if is_away:
                stack.enter_context(locked(path))
        await settler.close()
    next_one = settler_in(spool)
    repeats_of(replays, next_one, settled({})[0])
    assert bool(list(spool.iterdir())) is is_away
    Recovery(spool, KeptRows(), lambda _: None, next_one.buried).run()
    assert replays.claim(ONCE, "next.1", 0.0) is None
    assert list(spool.iterdir()) == []


async def test_replies_that_wait_have_so_much_room_and_no_more(patient: SqliteDatabase):
    replays = Replays(patient)
    replays.open()
    threads = Threads("repeats", 1)
    endings = Endings(replays, threads, CLOCK.wall)
    claims = [Claim(ONCE._replace(name=f"{number}"), f"p.{number}") for number in range(3)]
    for claim in claims:
        assert replays.claim(*claim, 0.0) is None
        endings.add(claim, Kept(b"", 200, b"head", b"x" * (25 * 2**20)))
    await endings.flush()
    await threads.close()
    found = [replays.claim(claim.once, "q", 1.0) for claim in claims]
    assert [(one.status, len(one.body) >> 20) for one in found if one is not None] == [
        (200, 25),
        (200, 25),
        (200, 0),
    ]
