"""Places given back and tokens settled, over a real Valkey, where requests and replies cross."""

import asyncio
from hashlib import sha1

import pytest
from redis.asyncio import Redis
from tests.state.spoiled import Command, Way
from tests.state.test_meter_memory import requests
from tests.state.test_meter_redis import CALM, ONE, holder, let_in, until
from tests.state.valkey import Valkey

from infway.kernel.account import Holder
from infway.kernel.clock import system_clock
from infway.state.meter import Need, Ticket
from infway.state.meter_redis import RedisMeter
from infway.state.meter_scripts import TAKE

clock = system_clock()
TAKE_NAME = sha1(TAKE.encode(), usedforsecurity=False).hexdigest().encode()
SLOW = CALM._replace(tick=60.0)  # nothing is told beside the requests
QUICK = CALM._replace(deadline=0.2, tick=0.05, probe=0.1, rejoin=0.2)
HELD = "infway:{limits}:1:project:p:held"
PROJECT = holder("project:p", concurrent=1)


def key(name: str, **limits: object) -> tuple[Holder, ...]:
    return (holder(name, **limits), PROJECT)


def is_take(command: Command) -> bool:
    return command[:2] == [b"EVALSHA", TAKE_NAME]


async def begun(meter: RedisMeter, holders: tuple[Holder, ...], need: Need = ONE) -> Ticket:
    ticket = (await meter.take(holders, need)).ticket
    assert ticket is not None
    return ticket


async def used(meter: RedisMeter, holders: tuple[Holder, ...]) -> int:
    told = (await meter.standing(holders)).tokens
    assert told is not None
    return told.limit - told.remaining


async def test_a_refused_request_does_not_keep_the_place_of_one_that_ended(valkey: Valkey) -> None:
    async with (meter := RedisMeter(valkey.url, "p", 1, clock, SLOW)).open():
        small = key("key:a", requests=requests((60, 1)))
        meter.release(await begun(meter, small))
        assert (await meter.take(small, ONE)).refused is not None
        await begun(meter, key("key:b"))


async def test_a_place_is_free_at_once_for_all_who_share_it(valkey: Valkey) -> None:
    async with (meter := RedisMeter(valkey.url, "p", 1, clock, SLOW)).open():
        for turn in range(20):
            ticket = await begun(meter, key(f"key:{turn}"))
            meter.release(ticket)


@pytest.mark.parametrize("parts", [1, 2])
async def test_a_request_whose_reply_was_lost_keeps_no_place(
    way: Way, client: Redis, parts: int
) -> None:
    """With two processes its own share, none, refuses it; alone it is let in and ends."""
    async with (meter := RedisMeter(way.url, "p", parts, clock, QUICK)).open():
        way.lose = is_take
        ticket = (await meter.take(key("key:a"), ONE)).ticket
        assert (ticket is None) == (parts == 2)
        assert await client.zcard(HELD) == 1
        way.lose = lambda _: False
        if ticket is not None:
            meter.release(ticket)
        await until(lambda: meter._store is not None and not meter._reports.is_urgent)
        assert await client.zcard(HELD) == 0


async def test_an_end_that_was_told_in_vain_is_told_again(way: Way, client: Redis) -> None:
    async with (meter := RedisMeter(way.url, "p", 2, clock, QUICK)).open():
        two = (holder("project:p", concurrent=2),)
        ticket = await begun(meter, two)
        meter.release(ticket)
        way.spoil = lambda command: (
            b"-ERR not now\r\n" if command[0] in (b"EVALSHA", b"ZREM") else None
        )
        await meter.take(two, ONE)
        way.spoil = lambda _: None
        await until(lambda: meter._store is not None and not meter._reports.is_urgent)
        assert ticket.lease.encode() not in await client.zrange(HELD, 0, -1)


async def test_a_cancelled_request_keeps_no_place(valkey: Valkey, client: Redis) -> None:
    async with (meter := RedisMeter(valkey.url, "p", 1, clock, QUICK)).open():
        for _ in range(10):
            asking = asyncio.create_task(meter.take(key("key:a"), ONE))
            await asyncio.sleep(0)
            asking.cancel()
            await asyncio.wait([asking])
            await until(lambda: not meter._reports.is_urgent)
            assert await client.zcard(HELD) == 0


async def test_a_renewal_brings_back_no_place_that_was_given_back_meanwhile(
    way: Way, client: Redis
) -> None:
    async with (meter := RedisMeter(way.url, "p", 1, clock, SLOW)).open():
        many = [(holder(f"key:{number}", concurrent=1),) for number in range(250)]
        tickets = [await begun(meter, one) for one in many]
        assert meter._store is not None
        renewing = asyncio.create_task(meter._renew(meter._store))
        sent = len(way.seen)
        await until(lambda: len(way.seen) > sent + 20)
        for ticket in tickets:
            meter.release(ticket)
        await renewing
        await until(lambda: not meter._reports.is_urgent and meter._reports.telling is None)
        left = [
            await client.zcard(f"infway:{{limits}}:1:key:{number}:held") for number in range(250)
        ]
        assert sum(left) == 0


async def test_what_was_settled_when_the_store_lost_its_data_counts_once(
    valkey: Valkey, client: Redis
) -> None:
    holders = (holder(tokens=requests((60, 10_000))),)
    async with (meter := RedisMeter(valkey.url, "p", 1, clock, SLOW)).open():
        less, more = await begun(meter, holders, Need(1000)), await begun(meter, holders, Need(10))
        meter.settle(less, 300)
        meter.settle(more, 60)
        await client.flushall()
        await meter.take(holders, Need(7))
        await until(lambda: meter._store is not None and meter._untold is None)
        assert meter._store is not None
        await meter._reports.tell(meter._store)
        assert await used(meter, holders) == 300 + 60 + 7


async def test_what_was_settled_while_redis_was_away_is_told_when_it_is_back(
    way: Way, client: Redis
) -> None:
    holders = (holder(tokens=requests((60, 10_000))),)
    async with (meter := RedisMeter(way.url, "p", 1, clock, QUICK)).open():
        ticket = await begun(meter, holders, Need(1000))
        await asyncio.sleep(1.2)  # what was let in a second before is told anew
        way.spoil = lambda _: b"-ERR not now\r\n"
        await until(lambda: meter.degraded)
        meter.settle(ticket, 300)
        way.spoil = lambda _: None
        await until(lambda: not meter.degraded)
        await until(lambda: not meter._reports._changes)
        assert meter._store is not None
        await meter._reports.tell(meter._store)
        assert await used(meter, holders) == 300


async def test_places_given_back_while_redis_is_away_are_not_kept_in_mind(way: Way) -> None:
    async with (meter := RedisMeter(way.url, "p", 1, clock, QUICK)).open():
        before = await begun(meter, key("key:a"))
        way.spoil = lambda _: b"-ERR not now\r\n"
        await until(lambda: meter.degraded)
        meter.release(before)
        for _ in range(100):
            meter.release(await begun(meter, key("key:a")))
        assert list(meter._reports._ended) == [before.lease]
        assert not meter._reports._held
        assert not meter._reports._unheard


async def test_a_request_let_in_while_redis_was_away_has_its_place_there_afterwards(
    way: Way, client: Redis
) -> None:
    async with (meter := RedisMeter(way.url, "p", 1, clock, QUICK)).open():
        way.spoil = lambda _: b"-ERR not now\r\n"
        await until(lambda: meter.degraded)
        ticket = await begun(meter, key("key:a"))
        way.spoil = lambda _: None
        await until(lambda: not meter.degraded)
        assert await client.zcard(HELD) == 1
        meter.release(ticket)
        await until(lambda: not meter._reports.is_urgent)
        assert await client.zcard(HELD) == 0


async def test_asking_where_limits_stand_uses_nothing(valkey: Valkey) -> None:
    holders = (holder(requests=requests((1, 20))),)
    async with (meter := RedisMeter(valkey.url, "p", 1, clock, CALM)).open():
        for _ in range(30):
            assert await let_in(meter, holders, 1) == 1
            await asyncio.sleep(0.1)
            await meter.standing(holders)
