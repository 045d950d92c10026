"""Limits over a real Valkey, which is killed, frozen, flushed, filled and made a replica."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest
from hypothesis import HealthCheck, given, settings
from redis.asyncio import Redis
from tests.state.test_meter_memory import STEPS, Hand, requests
from tests.state.valkey import Valkey, running
from tests.wall import closed_port

from infway.kernel.account import Holder, Limits
from infway.kernel.clock import system_clock
from infway.state.meter import Kind, Need, Ticket, Verdict
from infway.state.meter_bounds import Bounds
from infway.state.meter_memory import MemoryMeter
from infway.state.meter_redis import RedisMeter
from infway.state.meter_store import Use

clock = system_clock()
ONE = Need(1, 1)
Join = Callable[..., Awaitable[RedisMeter]]
# A machine that many tests share answers late at times: that is not what these tests are about
CALM = Bounds(deadline=1.0)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    with running(tmp_path_factory.mktemp("valkey")) as valkey:
        yield valkey


@pytest.fixture
async def join(valkey: Valkey) -> AsyncIterator[Join]:
    """Return a function that opens the meter of one more process."""
    async with AsyncExitStack() as stack:
        count = 0

        async def opened(
            parts: int = 1, bounds: Bounds = CALM, url: str = valkey.url
        ) -> RedisMeter:
            nonlocal count
            count += 1
            meter = RedisMeter(url, f"p{count}", parts, clock, bounds)
            await stack.enter_async_context(meter.open())
            return meter

        yield opened


def holder(name: str = "key:a", **limits: object) -> Holder:
    return Holder(name, Limits(**limits))  # type: ignore[arg-type]


async def let_in(meter: RedisMeter, holders: tuple[Holder, ...], tries: int) -> int:
    verdicts = [await meter.take(holders, ONE) for _ in range(tries)]
    return sum(one.ticket is not None for one in verdicts)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not is_so():
            await asyncio.sleep(0.01)


def _same(one: Verdict, other: Verdict) -> bool:
    """Tell whether two verdicts agree; the clocks of resets differ."""
    told = [(s.limit, s.remaining) if s else None for s in (one.requests, one.tokens)]
    others = [(s.limit, s.remaining) if s else None for s in (other.requests, other.tokens)]
    refused, also = one.refused, other.refused
    return told == others and (refused is None) == (also is None) and (
        refused is None or also is None or (refused.what, refused.holder, refused.never)
        == (also.what, also.holder, also.never)
    )  # fmt: skip


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_redis_counts_as_the_memory_of_one_process_does(server: Valkey, steps: list) -> None:
    """The memory is told the time at which the store decided."""
    limits = Limits(requests((1, 4), (10, 9)), requests((10, 20)), requests((3, 30)), 3)
    asyncio.run(_compared(server, steps, limits))


async def _compared(server: Valkey, steps: list, limits: Limits) -> None:
    async with Redis.from_url(server.url) as client:
        await client.flushall()
    hand = Hand()
    memory = MemoryMeter(hand.clock())
    meter = RedisMeter(server.url, "p", 1, clock, CALM)
    holders = (Holder("key:a", limits), Holder("project:p", limits._replace(concurrent=None)))
    async with meter.open():
        store = meter._store
        assert store is not None
        under_way: list[tuple[str, Ticket]] = []
        for number, (wait, tokens, characters, then) in enumerate(steps):
            await asyncio.sleep(min(wait, 0.01))
            need, lease = Need(tokens, characters), f"lease{number}"
            taken = await store.take(holders, need, lease)
            hand.at = (taken.at + 0.5) / 1000
            expected = memory.taken(holders, need)
            assert _same(meter._verdict(taken, None), expected)
            if expected.refused is not None and taken.refused is not None:
                assert abs(expected.refused.retry_after - taken.refused.retry_after) < 0.001
            if expected.ticket is not None:
                under_way.append((lease, expected.ticket))
            if under_way and then == "release":
                lease, ticket = under_way.pop(0)
                memory.release(ticket)
                await store.release("key:a", [lease])
            elif under_way and then == "settle":
                ticket = under_way[0][1]
                less, at = -ticket.tokens, ticket.at
                memory.settle(ticket, 0)
                for one in holders if less else ():
                    await store.put({one.id: [Use(Kind.TOKENS, 10, at, less)]})


async def test_processes_count_together(join: Join) -> None:
    meters = [await join(parts=3) for _ in range(3)]
    holders = (holder(requests=requests((60, 10))),)
    verdicts = [await meters[turn % 3].take(holders, ONE) for turn in range(15)]
    assert [one.ticket is not None for one in verdicts] == [True] * 10 + [False] * 5
    assert verdicts[0].requests is not None
    assert (verdicts[0].requests.limit, verdicts[0].requests.remaining) == (10, 9)


async def test_requests_at_once_are_counted_together_and_given_back(join: Join) -> None:
    one, two = await join(), await join()
    holders = (holder(concurrent=2),)
    first, second = await one.take(holders, ONE), await two.take(holders, ONE)
    refused = (await one.take(holders, ONE)).refused
    assert refused is not None
    assert refused.what is Kind.CONCURRENT
    assert first.ticket is not None
    assert second.ticket is not None
    one.release(first.ticket)
    assert (await one.take(holders, ONE)).ticket is not None
    two.release(second.ticket)
    await until(lambda: not two._reports.is_urgent)
    assert (await two.take(holders, ONE)).ticket is not None


async def test_places_of_a_process_that_died_come_back_and_those_of_a_living_one_stay(
    join: Join, valkey: Valkey
) -> None:
    short = CALM._replace(lease=1.0, tick=0.1)
    living = await join(bounds=short)
    holders = (holder(concurrent=2),)
    kept = await living.take(holders, ONE)
    dead = RedisMeter(valkey.url, "dead", 1, clock, short)
    async with dead.open():
        assert (await dead.take(holders, ONE)).ticket is not None
    assert (await living.take(holders, ONE)).refused is not None
    await asyncio.sleep(1.2)
    assert (await living.take(holders, ONE)).ticket is not None
    assert (await living.take(holders, ONE)).refused is not None
    assert kept.ticket is not None


async def test_settled_tokens_are_corrected_where_they_were_counted(join: Join) -> None:
    one, two = await join(), await join()
    holders = (holder(tokens=requests((60, 100))),)
    ticket = (await one.take(holders, Need(90))).ticket
    assert ticket is not None
    one.settle(ticket, 20)
    await one._reports.tell(one._store)  # type: ignore[arg-type]
    told = (await two.standing(holders)).tokens
    assert told is not None
    assert told.remaining == 80
    ticket = (await two.take(holders, Need(10))).ticket
    assert ticket is not None
    two.settle(ticket, 60)
    await two._reports.tell(two._store)  # type: ignore[arg-type]
    told = (await one.standing(holders)).tokens
    assert told is not None
    assert told.remaining == 20


async def test_a_silent_redis_costs_a_deadline_once_and_two_lines(
    join: Join, valkey: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    meter = await join(bounds=Bounds())
    holders = (holder(requests=requests((60, 10_000))),)
    assert await let_in(meter, holders, 5) == 5
    with valkey.silent():
        late = []
        for _ in range(300):
            began = clock.monotonic()
            asking = asyncio.create_task(meter.take(holders, ONE))
            await asyncio.sleep(0)
            waits = not asking.done()  # who waits for nobody is late with the machine alone
            assert (await asking).ticket is not None
            late.append(waits and clock.monotonic() - began > 0.04)
            await asyncio.sleep(0.005)
        assert sum(late) <= 3
        await until(lambda: meter.degraded)
    began = clock.monotonic()
    await until(lambda: not meter.degraded)
    assert clock.monotonic() - began < 5  # the figure says how long: 2 s at most
    assert await let_in(meter, holders, 5) == 5
    lines = [one.message for one in caplog.records if one.name.startswith("infway")]
    assert len(lines) == 2, lines


async def test_without_redis_a_process_holds_to_its_share(join: Join) -> None:
    meter = await join(parts=4, url=f"redis://127.0.0.1:{closed_port()}")
    assert await let_in(meter, (holder(requests=requests((60, 10))),), 5) == 2


async def test_whoever_is_cut_off_lets_in_no_more_than_is_certain(
    join: Join, valkey: Valkey
) -> None:
    meters = [await join(parts=4) for _ in range(4)]
    full = (holder("key:full", requests=requests((60, 40))),)
    fresh = (holder("key:fresh", requests=requests((60, 40))),)
    assert await let_in(meters[0], full, 50) == 40
    await until(lambda: all("key:full 1:60" in one._marked for one in meters))
    valkey.kill()
    await until(lambda: all(one._store is None for one in meters))
    assert [await let_in(one, full, 20) for one in meters] == [0, 0, 0, 0]
    assert [await let_in(one, fresh, 20) for one in meters] == [5, 5, 5, 5]  # half of the shares


async def test_the_second_half_of_a_window_waits_until_all_know_that_the_first_is_used(
    join: Join,
) -> None:
    one, two = await join(parts=2), await join(parts=2)
    holders = (holder(requests=requests((60, 10))),)
    began = clock.monotonic()
    assert await let_in(one, holders, 5) == 5
    assert "key:a 1:60" not in two._marked
    assert await let_in(one, holders, 1) == 1
    assert clock.monotonic() - began >= 0.4
    assert "key:a 1:60" in two._marked
    assert await let_in(one, holders, 9) == 4


async def test_what_was_lost_is_put_together_again(join: Join, client: Redis) -> None:
    one, two = await join(parts=2), await join(parts=2)
    holders = (holder(requests=requests((60, 20)), concurrent=30),)
    assert await let_in(one, holders, 8) == 8
    assert await let_in(two, holders, 6) == 6
    await client.flushall()
    began = clock.monotonic()
    done = await let_in(one, holders, 1) + await let_in(two, holders, 1)
    while clock.monotonic() - began < 3:
        await asyncio.sleep(0.2)
        done += await let_in(one, holders, 1) + await let_in(two, holders, 1)
    assert 1 <= done <= 6
    assert await client.zcard("infway:{limits}:1:key:a:held") == 14 + done


@pytest.mark.parametrize("trouble", ["full", "replica", "forgotten"])
async def test_errors_of_redis_are_no_errors_of_requests(
    join: Join, client: Redis, valkey: Valkey, trouble: str
) -> None:
    meter = await join(bounds=CALM._replace(probe=0.2, tick=0.05))
    holders = (holder(requests=requests((60, 100))),)
    assert await let_in(meter, holders, 3) == 3
    if trouble == "forgotten":
        await client.script_flush()
        assert await let_in(meter, holders, 3) == 3
        assert not meter.degraded
        return
    if trouble == "full":
        await client.config_set("maxmemory", "1")
    else:
        await client.replicaof("127.0.0.1", closed_port())
    assert await let_in(meter, holders, 5) == 5
    await until(lambda: meter.degraded)
    await client.config_set("maxmemory", "0")
    await client.replicaof("NO", "ONE")
    await until(lambda: not meter.degraded)
    assert await let_in(meter, holders, 3) == 3
    told = (await meter.standing(holders)).requests
    assert told is not None
    assert told.remaining <= 89


async def test_keys_go_when_they_are_unused(join: Join, client: Redis) -> None:
    meter = await join()
    await meter.take((holder(requests=requests((1, 5)), concurrent=2),), ONE)
    left = [await client.pttl(key) for key in await client.keys("*key:a*")]
    assert len(left) == 3
    assert all(0 < one <= 61_000 for one in left)
