"""How many processes share limits is seen in Redis: its absence lets nobody beyond a limit."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from redis.asyncio import Redis
from tests.limits.run import _fullest
from tests.state.test_meter_memory import holder, requests
from tests.state.test_meter_redis import CALM, let_in, until
from tests.state.valkey import Valkey

from infway.kernel.clock import system_clock
from infway.state.meter_bounds import Bounds
from infway.state.meter_redis import RedisMeter

clock = system_clock()
Join = Callable[..., Awaitable[RedisMeter]]
MINUTE = (holder(requests=requests((60, 30))),)
MARKED = "infway:{limits}:1:marked"


@pytest.fixture
async def join(valkey: Valkey) -> AsyncIterator[Join]:
    """Return a function that opens the meter of one more process, which knows of no other."""
    async with AsyncExitStack() as stack:
        count = 0

        async def opened(bounds: Bounds = CALM, parts: int = 1) -> RedisMeter:
            nonlocal count
            count += 1
            meter = RedisMeter(valkey.url, f"p{count}", parts, clock, bounds)
            await stack.enter_async_context(meter.open())
            return meter

        yield opened


async def seen(meters: list[RedisMeter], count: int) -> None:
    await until(lambda: all(one._own.parts == count for one in meters))


async def killed(valkey: Valkey, meters: list[RedisMeter]) -> None:
    valkey.kill()
    await until(lambda: all(one._store is None for one in meters))


@pytest.mark.parametrize("before", [0, 4, 14, 15, 16, 30])
async def test_processes_that_did_not_say_how_many_they_are_keep_to_the_limit_without_redis(
    join: Join, valkey: Valkey, before: int
) -> None:
    meters = [await join() for _ in range(3)]
    await seen(meters, 3)
    for number in range(before):
        assert await let_in(meters[number % 3], MINUTE, 1) == 1
    await killed(valkey, meters)
    alone = [await let_in(one, MINUTE, 40) for one in meters]
    assert before + sum(alone) <= 30
    assert all(one > 0 for one in alone) == (before <= 15)  # half of it is known to be free
    await until(lambda: all(one.degraded for one in meters))
    alone += [await let_in(one, MINUTE, 40) for one in meters]
    assert before + sum(alone) <= 30


async def test_no_window_holds_more_than_the_limit_as_long_as_redis_is_gone(
    join: Join, valkey: Valkey
) -> None:
    meters = [await join() for _ in range(2)]
    await seen(meters, 2)
    holders = (holder(requests=requests((2, 12))),)
    uses: list[tuple[float, int]] = []

    async def ask(meter: RedisMeter, seconds: float) -> int:
        done, end = 0, clock.monotonic() + seconds
        while clock.monotonic() < end:
            began = clock.monotonic()
            if await let_in(meter, holders, 1):
                uses.append((began if meter._store else clock.monotonic(), 1))
                done += 1
            await asyncio.sleep(0.4)
        return done

    await asyncio.gather(*(ask(one, 1.5) for one in meters))
    await killed(valkey, meters)
    alone = await asyncio.gather(*(ask(one, 6.0) for one in meters))
    assert min(alone) > 0
    assert _fullest(uses, 2) <= 12


async def test_what_one_process_used_while_it_was_alone_is_known_to_the_next(
    join: Join, valkey: Valkey, client: Redis
) -> None:
    """It need not wait before it uses the second half, and marks the window all the same."""
    one = await join()
    assert await let_in(one, MINUTE, 29) == 29
    assert await client.zrange(MARKED, 0, -1) == [b"key:a 1:60"]
    both = [one, await join()]
    await seen(both, 2)
    await killed(valkey, both)
    assert 29 + sum([await let_in(each, MINUTE, 40) for each in both]) <= 30


async def test_more_are_said_than_are_seen(join: Join, valkey: Valkey) -> None:
    meters = [await join(parts=3) for _ in range(2)]
    await killed(valkey, meters)
    assert [await let_in(one, MINUTE, 40) for one in meters] == [5, 5]


async def test_a_process_that_is_gone_counts_no_more_after_a_while(
    join: Join, valkey: Valkey
) -> None:
    brief = CALM._replace(presence=1.0)
    one = await join(brief)
    async with RedisMeter(valkey.url, "other", 1, clock, brief).open():
        await seen([one], 2)
    await seen([one], 1)


async def test_a_store_that_was_emptied_does_not_make_the_others_forgotten(
    join: Join, client: Redis
) -> None:
    meters = [await join() for _ in range(3)]
    await seen(meters, 3)
    await client.flushall()
    epochs = {one._look.epoch for one in meters}
    fewest = 3
    async with asyncio.timeout(15):
        while any(one._look.epoch in epochs or one._own.parts != 3 for one in meters):
            fewest = min(fewest, *(one._own.parts for one in meters))
            await asyncio.sleep(0.005)
    assert fewest == 3
