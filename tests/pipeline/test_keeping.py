"""Responses on their way to the store and back."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest
from tests.pipeline.virtual import VirtualLoop, run

from infway.kernel.clock import Clock
from infway.kernel.errors import UnavailableError
from infway.ledger.opening import LedgerError
from infway.ledger.responses import Kept, TooLarge
from infway.ledger.responses_sqlite import SqliteResponses
from infway.pipeline.keeping import Keeper
from infway.settings.models import ResponsesSettings

DAY = 86_400.0
ROOM = 2**30


@dataclass
class _Time:
    """A time of day that a test moves."""

    now: float = 1_000 * DAY
    clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = Clock(monotonic=lambda: 0.0, wall=lambda: self.now)


class _Refusing(SqliteResponses):
    """A store on a disk that is full for a while."""

    is_full = False

    def write(self, kept: Sequence[Kept]) -> None:
        if self.is_full:
            raise LedgerError("disk full")
        super().write(kept)


@dataclass
class _Parts:
    keeper: Keeper
    time: _Time
    store: _Refusing


@pytest.fixture
async def parts() -> AsyncIterator[_Parts]:
    time, store = _Time(), _Refusing()
    rules = ResponsesSettings(keep=30, size=2**20)
    keeper = Keeper(store, time.clock, rules, is_shared=True)
    async with keeper.open():
        yield _Parts(keeper, time, store)
        store.is_full = False


def one(id_: str, time: _Time, **more: object) -> Kept:
    """Return a response that is over."""
    kept = Kept(id_, "a", time.now, time.now, "completed", None, b"{}", b"[]")
    return kept._replace(**more)


async def test_what_waits_to_be_written_is_found(parts: _Parts) -> None:
    keeper, time = parts.keeper, parts.time
    parts.store.is_full = True
    first, second = one("r1", time, items=("i1",)), one("r2", time, previous="r1")
    keeper.keep(first)
    keeper.keep(second)
    await keeper.flush()
    assert await keeper.find("r1", "a") == first
    assert await keeper.chain("r2", "a", ROOM) == [first, second]
    assert await keeper.holders(["i1"], "a", ROOM) == {"i1": first}
    assert await keeper.find("r1", "b") is None
    parts.store.is_full = False
    await keeper.flush()
    assert await keeper.chain("r2", "a", ROOM) == [first._replace(items=()), second]


async def test_a_turn_that_waits_follows_those_that_are_written(parts: _Parts) -> None:
    keeper, time = parts.keeper, parts.time
    await keeper.begin(one("r1", time))
    keeper.keep(one("r2", time, previous="r1"))
    keeper.keep(one("r3", time, previous="r2"))
    found = await keeper.chain("r3", "a", ROOM)
    assert [kept.id for kept in found] == ["r1", "r2", "r3"]


async def test_a_response_is_forgotten_when_its_time_is_over(parts: _Parts) -> None:
    keeper, time = parts.keeper, parts.time
    keeper.keep(one("r1", time))
    await keeper.flush()
    time.now += 29.9 * DAY
    assert await keeper.find("r1", "a") is not None
    time.now += 0.2 * DAY
    assert await keeper.find("r1", "a") is None
    assert await keeper.chain("r1", "a", ROOM) == []
    assert await keeper.sweep() == 1


async def test_old_responses_are_swept_away_without_being_asked(parts: _Parts) -> None:
    keeper, time = parts.keeper, parts.time
    keeper.keep(one("r1", time))
    await keeper.flush()
    time.now += 31 * DAY
    keeper.keep(one("r2", time))
    await keeper.flush()
    assert parts.store.find("r1", "a") is None


async def test_the_size_of_all_has_a_limit(parts: _Parts) -> None:
    keeper, time = parts.keeper, parts.time
    for number in range(3):
        time.now += 1
        keeper.keep(one(f"r{number}", time, response=b"x" * 2**19))
    await keeper.flush()
    await keeper.sweep()
    found = [await keeper.find(f"r{number}", "a") is not None for number in range(3)]
    assert found == [False, False, True]


async def test_another_worker_may_write_a_moment_later(parts: _Parts) -> None:
    looking = asyncio.create_task(parts.keeper.find("r1", "a"))
    await asyncio.sleep(0)
    await parts.keeper.begin(one("r1", parts.time))
    assert await looking is not None


async def test_what_waits_has_a_limit_in_bytes(
    parts: _Parts, caplog: pytest.LogCaptureFixture
) -> None:
    keeper, time, body = parts.keeper, parts.time, b"x" * (20 * 2**20)
    parts.store.is_full = True
    for number in range(6):
        keeper.keep(one(f"r{number}", time, response=body))
    found = [await keeper.find(f"r{number}", "a") is not None for number in range(6)]
    assert found == [True, True, True, False, False, False]
    warnings = [record for record in caplog.records if "fast enough" in record.message]
    assert len(warnings) == 1
    parts.store.is_full = False
    await keeper.flush()
    keeper.keep(one("r6", time, response=body))
    assert await keeper.find("r6", "a") is not None


async def test_turns_that_wait_count_like_written_ones(parts: _Parts) -> None:
    keeper, time, body = parts.keeper, parts.time, b"x" * 98
    parts.store.is_full = False
    await keeper.begin(one("r1", time, response=body))
    keeper.keep(one("r2", time, response=body, previous="r1"))
    assert len(await keeper.chain("r2", "a", 200)) == 2
    for limit in (199, 99):
        with pytest.raises(TooLarge):
            await keeper.chain("r2", "a", limit)


async def test_the_end_of_a_response_that_was_cancelled_meanwhile_is_dropped(
    parts: _Parts,
) -> None:
    keeper, time = parts.keeper, parts.time
    for id_ in ("r1", "r2"):
        await keeper.begin(one(id_, time, status="in_progress"))
    assert await keeper.finish(one("r1", time, status="cancelled"))
    for id_ in ("r1", "r2"):
        keeper.keep(one(id_, time), was_begun=True)
    await keeper.flush()
    found = [await keeper.find(id_, "a") for id_ in ("r1", "r2")]
    assert [kept.status for kept in found if kept] == ["cancelled", "completed"]


async def test_a_store_that_is_gone_is_unavailable(parts: _Parts) -> None:
    parts.store.close()
    with pytest.raises(UnavailableError):
        await parts.keeper.find("r1", "a")
    parts.store.open()


def test_what_is_too_old_is_forgotten_where_nothing_new_is_kept() -> None:
    loop = VirtualLoop()
    store = SqliteResponses()
    keeper = Keeper(store, Clock(loop.time, loop.time), ResponsesSettings(store=False, keep=0.01))

    async def tick() -> None:
        while True:  # time passes while the thread works
            await asyncio.sleep(1)

    async def main() -> float:
        ticking = asyncio.create_task(tick())
        async with keeper.open():
            began = loop.now
            keeper.keep(Kept("r1", "a", began, began, "completed", None, b"{}", b"[]"))
            await keeper.flush()
            while await keeper._in_thread(lambda: store.find("r1", "a")):
                assert loop.now < began + DAY
                await asyncio.sleep(10)
            took = loop.now - began
        ticking.cancel()
        return took

    assert run(loop, main()) > 0.01 * DAY
