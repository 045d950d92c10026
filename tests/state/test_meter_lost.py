"""A store that lost its counts is told them again: each once, whatever becomes of the telling."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha1

import pytest
from redis import Redis as BlockingRedis
from redis.asyncio import Redis
from tests.limits.remembered import remembered
from tests.state.spoiled import Command, Way
from tests.state.test_meter_redis import CALM, ONE, let_in, until
from tests.state.valkey import Valkey

from infway.kernel.account import Holder
from infway.kernel.clock import system_clock
from infway.state.meter_bounds import Bounds
from infway.state.meter_redis import RedisMeter
from infway.state.meter_scripts import PUT

clock = system_clock()
PUT_NAME = sha1(PUT.encode(), usedforsecurity=False).hexdigest().encode()
TURNS = 900  # of an hour, used by each key
QUICK = CALM._replace(deadline=0.2, tick=0.05, probe=0.1, rejoin=0.2)


def is_put(command: Command) -> bool:
    return command[:2] == [b"EVALSHA", PUT_NAME]


async def used(meter: RedisMeter, one: Holder) -> int:
    """Return what the store says of a key."""
    assert meter._store is not None
    told = (await meter._store.take((one,), ONE, "")).requests
    assert told is not None
    return told.limit - told.remaining


async def test_much_that_was_lost_is_told_within_the_deadlines_and_counts_once(
    valkey: Valkey, client: Redis
) -> None:
    async with (meter := RedisMeter(valkey.url, "p", 1, clock, Bounds(deadline=0.2))).open():
        holders = remembered(meter, 60, TURNS)
        epoch = meter._look.epoch
        await client.flushall()
        await until(lambda: meter._look.epoch != epoch and meter._untold is None)
        assert {await used(meter, one) for one in holders} == {TURNS}


@asynccontextmanager
async def forgotten(way: Way, client: Redis, many: int) -> AsyncIterator[RedisMeter]:
    """Yield a meter whose store has just lost the turns of so many keys; each is told it once in the end."""
    async with (meter := RedisMeter(way.url, "p", 1, clock, QUICK)).open():
        holders = remembered(meter, many, TURNS)
        await client.flushall()
        yield meter
        assert {await used(meter, one) for one in holders} == {TURNS}


@pytest.mark.parametrize("nth", [1, 2, 3])
async def test_a_part_whose_answer_was_lost_counts_once(way: Way, client: Redis, nth: int) -> None:
    """Some first answers are lost; what the store did is known by nobody but itself."""
    sent: list[bytes] = []

    def lose(command: Command) -> bool:
        if not is_put(command) or command[-1] in sent:
            return False
        sent.append(command[-1])
        return len(sent) % nth == 0

    async with forgotten(way, client, 2) as meter:
        way.lose = lose
        await until(lambda: len(sent) > 2 and meter._untold is None)


async def test_a_part_that_never_came_counts_once_it_does(way: Way, client: Redis) -> None:
    refused: list[bytes] = []

    def refuse(command: Command) -> bytes | None:
        if not is_put(command) or command[-1] in refused:
            return None
        refused.append(command[-1])
        return b"-BUSY it is busy\r\n"

    async with forgotten(way, client, 1) as meter:
        way.spoil = refuse
        await until(lambda: len(refused) > 2 and meter._untold is None)


async def test_a_store_that_is_lost_again_while_it_is_told_is_told_all(
    way: Way, valkey: Valkey, client: Redis
) -> None:
    """Each part is told to the store that it is for, and to no other."""
    lost: list[bytes] = []

    async with forgotten(way, client, 2) as meter:
        epochs = {meter._look.epoch}

        def once_more(command: Command) -> bytes | None:
            if is_put(command) and len(lost) < 3:
                lost.append(command[-1])
                flush(valkey)
            return None

        way.spoil = once_more
        await until(lambda: len(lost) == 3 and meter._untold is None)
        assert meter._look.epoch not in epochs


async def test_what_is_let_in_while_the_store_is_told_is_told_as_well(
    way: Way, client: Redis
) -> None:
    async with (meter := RedisMeter(way.url, "p", 1, clock, QUICK)).open():
        (one,) = remembered(meter, 1, TURNS)
        await client.flushall()
        done, epoch = 0, meter._look.epoch
        async with asyncio.timeout(15):
            while meter._look.epoch == epoch or meter._untold is not None:
                done += await let_in(meter, (one,), 1)
                await asyncio.sleep(0.001)
        assert await used(meter, one) == TURNS + done


def flush(valkey: Valkey) -> None:
    """Empty a store from within a command to it."""
    with BlockingRedis.from_url(valkey.url) as client:
        client.flushall()
