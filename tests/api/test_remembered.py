"""Replies that are kept for repeats take so much room and no more, of each caller and in all."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.api.test_repeats import again, ask, ended
from tests.conftest import Start

from infway.api.remembered import Remembered, level
from infway.database import Database
from infway.kernel.clock import Clock
from infway.ledger.replays import OPEN, Claim, Kept, Memory, Once, Replays
from infway.threads import Threads

KIB = 1024
ROOM = Memory(keep=100.0, total=1000 * KIB, per_key=400 * KIB)
BARE = Kept(b"", 200, b"", b"")


class Room:
    """Replies of callers, as one process keeps them."""

    def __init__(self, replays: Replays, threads: Threads) -> None:
        self.replays = replays
        self.now = 1000.0
        clock = Clock(lambda: self.now, lambda: self.now)
        self.remembered = Remembered(replays, clock, threads, ROOM)

    def answer(self, caller: str, name: str, size: int = 10 * KIB) -> Kept | None:
        """Answer a request, and return what is kept of that."""
        claim = Claim(Once(caller, name, b"digest"), f"p.{caller}.{name}")
        assert self.replays.claim(*claim, self.now) is None
        answer = self.remembered.fitting(caller, Kept(b"", 200, b"head", b"x" * size))
        self.now += 1e-3
        self.replays.end([(claim, answer)], self.now)
        return answer

    def known(self, caller: str, names: Iterable[object]) -> list[str]:
        """Return those of these names that are known still."""
        known = []
        for name in map(str, names):
            claim = Claim(Once(caller, name, b"digest"), "p.look")
            if self.replays.claim(*claim, self.now) is None:
                self.replays.end([(claim, None)], self.now)
            else:
                known.append(name)
        return known


@pytest.fixture
async def room(database: Database) -> AsyncIterator[Room]:
    async with rooms(database) as room:
        yield room


@asynccontextmanager
async def rooms(database: Database) -> AsyncIterator[Room]:
    replays, threads = Replays(database), Threads("repeats", 2)
    replays.open()
    yield Room(replays, threads)
    await threads.close()


async def test_a_key_that_names_every_request_anew_fills_its_share_and_no_more(room: Room):
    kept = [room.answer("greedy", str(number)) for number in range(100)]
    bodies = [one for one in kept if one is not None and one.body]
    assert bodies == kept[: len(bodies)]
    assert 370 * KIB < sum(len(one.body) for one in bodies) <= ROOM.per_key
    assert kept[-1] == BARE  # that it was given is known, and it is not given again
    assert (answer := room.answer("other", "0")) is not None
    assert answer.body
    assert room.replays.held()["greedy"] <= ROOM.per_key + 100 * 512


async def test_a_look_forgets_the_oldest_of_who_has_most_until_there_is_room(room: Room):
    for number in range(100):
        room.answer("greedy", str(number))
    room.answer("modest", "0")
    await room.remembered.look()
    held = room.replays.held()
    assert held["modest"] == 512 + 4 + 10 * KIB
    assert 0.8 * ROOM.per_key < held["greedy"] <= 0.9 * ROOM.per_key
    known = room.known("greedy", range(100))
    assert known == [str(number) for number in range(100 - len(known), 100)]  # the latest ones
    answer = room.answer("greedy", "new")
    assert answer is not None
    assert answer.body


async def test_all_callers_together_have_so_much_and_who_has_least_loses_nothing(room: Room):
    for number in range(35):
        for caller in ("a", "b", "c", "d"):
            room.answer(caller, str(number))
    room.remembered = Remembered(room.replays, room.remembered._clock, Threads("r", 1), ROOM)
    room.answer("small", "0", 50 * KIB)  # by a process that has not looked yet
    assert sum(room.replays.held().values()) > ROOM.total
    await room.remembered.look()
    held = room.replays.held()
    assert sum(held.values()) <= 0.9 * ROOM.total
    assert held["small"] > 50 * KIB
    assert min(held.values()) == held["small"]


async def test_two_processes_forget_what_is_too_much_once(database: Database, room: Room):
    for number in range(100):
        room.answer("greedy", str(number))
    async with rooms(database) as other:
        await room.remembered.look()
        left = room.replays.held()
        other.now = room.now
        await other.remembered.look()
        assert room.replays.held() == left


async def test_what_is_too_old_goes_in_parts_and_what_is_under_way_stays(room: Room):
    for number in range(250):
        room.answer("a", str(number), 10)
    claim = Claim(Once("a", "long", b"digest"), "p.long")
    assert room.replays.claim(*claim, 1000.0) is None
    room.now = 1200.0
    room.answer("a", "late", 10)
    await room.remembered.look()
    assert room.known("a", [*range(250), "late"]) == ["late"]
    assert room.replays.claim(claim.once, "p.other", room.now) == Kept(b"digest", OPEN, b"", b"")
    room.replays.end([(claim, BARE)], room.now)
    room.now += 99.0  # from its end
    await room.remembered.look()
    assert room.known("a", ["long"]) == ["long"]
    room.now += 2.0
    await room.remembered.look()
    assert room.known("a", ["long"]) == []


async def test_what_nobody_can_be_at_any_more_is_free_after_a_day(room: Room):
    claim = Claim(Once("a", "lost", b"digest"), "dead.1")
    assert room.replays.claim(*claim, room.now) is None
    room.now += 86_400.0 + 99.0
    await room.remembered.look()
    assert room.known("a", ["lost"]) == ["lost"]
    room.now += 2.0
    await room.remembered.look()
    assert room.known("a", ["lost"]) == []


@given(st.lists(st.integers(0, 1000), max_size=20), st.integers(0, 5000))
def test_a_level_keeps_all_within_the_room_and_takes_no_more_than_it_has_to(held, most):
    each = level(held, most)
    kept = sum(min(one, each) for one in held)
    assert kept <= most
    assert kept == sum(held) or kept > most - len(held)


async def test_a_caller_beyond_its_share_hears_that_it_was_answered(
    database: Database, start: Start
):
    gateway = await start(
        parts_of=lambda built: replace(built, replays=Replays(database)),
        idempotency={"per_key": 65_536},
    )
    fields = {"messages": [{"role": "user", "content": "Hello?"}]}
    names = [str(number) for number in range(120)]
    for name in names:
        assert (await ask(gateway, name, **fields)).status == 200
    assert (await again(gateway, "0", **fields)).status == 200
    heard = await ended(gateway, names[-1], **fields)
    assert (heard.status, heard.code) == (409, "idempotency_key_used")
    assert len(gateway.upstream.asked) == 120
