"""Limits over a Redis that answers, but not what it was asked for."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from random import Random

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError
from tests.state.spoiled import Command, Spoil, Way
from tests.state.test_meter_memory import requests
from tests.state.test_meter_redis import CALM, ONE, holder, let_in, until
from tests.state.valkey import Valkey

from infway.kernel.clock import Clock, system_clock
from infway.state.board import Probes
from infway.state.meter import Need
from infway.state.meter_redis import RedisMeter
from infway.state.probes import RedisProbes
from infway.state.redis import Bounds, RedisBoard

clock = system_clock()
SOON = CALM._replace(probe=0.1, tick=0.05, rejoin=0.3)
HOLDERS = (holder(requests=requests((60, 10**6)), tokens=requests((60, 10**6)), concurrent=900),)
PREFIX = "infway:{limits}:1:"

ERRORS = [
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
    "OOM command not allowed when used memory > 'maxmemory'.",
    "READONLY You can't write against a read only replica.",
    "MISCONF Redis is configured to save RDB snapshots, but it's unable to persist to disk.",
    "LOADING Redis is loading the dataset in memory",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "CLUSTERDOWN Hash slot not served",
    "CLUSTERDOWN",
    "MOVED 3999 127.0.0.1:6381",
    "MOVED",
    "MOVED x y z",
    "ASK 3999 127.0.0.1:6381",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "NOSCRIPT No matching script. Please use EVAL.",
    "NOAUTH Authentication required.",
    "NOPERM this user has no permissions to run the 'evalsha' command",
    "WRONGTYPE Operation against a key holding the wrong kind of value",
    "ERR max number of clients reached",
    "ERR user_script:12: attempt to index local 'book' (a number value)",
    "",
]
SHAPES = [
    b"+OK\r\n", b"+\r\n", b":0\r\n", b":1\r\n", b"$-1\r\n", b"*-1\r\n", b"*0\r\n", b"$2\r\n\xff\xfe\r\n",
    b"*1\r\n:0\r\n", b"*1\r\n:1\r\n", b"*1\r\n:9\r\n", b"*12\r\n" + b":1\r\n" * 12, b"*12\r\n" + b":2\r\n" * 12,
    b"*12\r\n:3\r\n:1\r\n:1\r\n:0\r\n:9000000000\r\n" + b":0\r\n" * 7, b"*12\r\n" + b":-1\r\n" * 12,
    b"*12\r\n" + b"$1\r\n1\r\n" * 12, b"*12\r\n" + b"-ERR in it\r\n" * 12, b"*1\r\n-LOADING it\r\n",
    b"*3\r\n$-1\r\n:1\r\n*0\r\n", b"*3\r\n$1\r\n\xff\r\n:1\r\n*0\r\n", b"*3\r\n:1\r\n:1\r\n:1\r\n",
    b"*3\r\n$1\r\na\r\n:1\r\n*1\r\n$-1\r\n", b"*3\r\n$1\r\na\r\n:1\r\n*1\r\n:7\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n",
    b"?what\r\n", b"*1\r\n" * 40, b":x\r\n", b"+OK\r\n+OK\r\n", b">2\r\n+push\r\n+it\r\n", b"%1\r\n+a\r\n:1\r\n", b"#t\r\n", b"_\r\n",
]  # fmt: skip
REPLIES = [f"-{one}\r\n".encode() for one in ERRORS] + SHAPES


def is_script(command: Command) -> bool:
    return command[0] == b"EVALSHA"


def is_take(command: Command) -> bool:
    return is_script(command) and any(b"key:a" in one for one in command[3:]) and command[2] != b"1"


@pytest.fixture
async def meter(way: Way) -> AsyncIterator[RedisMeter]:
    meter = RedisMeter(way.url, "p1", 1, clock, SOON)
    async with meter.open():
        assert await let_in(meter, HOLDERS, 1) == 1
        yield meter


async def joined(meter: RedisMeter) -> None:
    """Wait until a whole turn of the wheel went well."""
    await until(lambda: meter._store is not None and not meter.degraded)
    looked = meter._looked
    await until(lambda: meter._store is not None and meter._looked > looked)


@pytest.mark.parametrize("which", [is_take, lambda _: True], ids=["of limits", "to anything"])
async def test_no_reply_of_redis_is_an_error_of_a_request(
    meter: RedisMeter, way: Way, which: Callable[[Command], bool]
) -> None:
    for reply in REPLIES:
        await _survived(meter, way, lambda one, reply=reply: reply if which(one) else None)


async def _survived(meter: RedisMeter, way: Way, spoil: Spoil) -> None:
    way.spoil = spoil
    verdicts = await asyncio.gather(*(meter.take(HOLDERS, ONE) for _ in range(6)))
    assert all((one.ticket is None) == (one.refused is not None) for one in verdicts)
    assert (await meter.standing(HOLDERS)).ticket is None
    for one in verdicts:
        if one.ticket is not None:
            meter.settle(one.ticket, 3)
            meter.release(one.ticket)
    way.spoil = lambda _: None
    await joined(meter)
    last = [await meter.take(HOLDERS, ONE) for _ in range(3)]
    assert all(one.ticket is not None for one in last), last
    assert meter._store is not None


LEAVES = (b":-1\r\n", b":0\r\n", b":1\r\n", b":2\r\n", b":3\r\n", b":%d\r\n" % 2**62, b"$1\r\n\xff\r\n",
          b"$2\r\nok\r\n", b"$-1\r\n", b"*-1\r\n", b"+OK\r\n", b"-ERR no\r\n", b"-MOVED\r\n")  # fmt: skip


def some_reply(dice: Random, depth: int = 3) -> bytes:
    """Return a reply of a shape by chance."""
    if not depth or dice.random() < 0.4:
        return dice.choice(LEAVES)
    parts = [some_reply(dice, depth - 1) for _ in range(dice.choice((0, 1, 2, 3, 3, 12, 12, 13)))]
    return b"*%d\r\n%b" % (len(parts), b"".join(parts))


async def test_replies_of_any_shape_fail_no_request(meter: RedisMeter, way: Way) -> None:
    dice = Random(3)
    way.spoil = lambda command: some_reply(dice) if is_script(command) else None
    for _ in range(300):
        verdict = await meter.take(HOLDERS, ONE)
        assert (verdict.ticket is None) == (verdict.refused is not None)
        await meter.standing(HOLDERS)
        await asyncio.sleep(0.005)
    way.spoil = lambda _: None
    await joined(meter)


async def test_scripts_that_are_forgotten_with_many_under_way_are_sent_again(
    meter: RedisMeter, client: Redis
) -> None:
    tickets = [(await meter.take(HOLDERS, Need(100))).ticket for _ in range(20)]
    await asyncio.sleep(SOON.tick * 2)
    await client.script_flush()
    verdicts = await asyncio.gather(*(meter.take(HOLDERS, Need(100)) for _ in range(10)))
    assert all(one.ticket is not None for one in verdicts)
    await client.script_flush()
    for ticket in tickets:
        assert ticket is not None
        meter.settle(ticket, 5)
    await joined(meter)
    assert not meter._reports._changes
    told = (await meter.standing(HOLDERS)).tokens
    assert told is not None
    assert told.limit - told.remaining == 1 + 20 * 5 + 10 * 100


@pytest.mark.parametrize(
    "key", ["epoch", "marked", "processes", "key:a", "key:a:1:60", "key:a:held"]
)
@pytest.mark.parametrize("kind", ["list", "text"])
async def test_a_key_that_somebody_else_wrote_fails_no_request(
    meter: RedisMeter, client: Redis, key: str, kind: str
) -> None:
    if kind == "list":
        await client.delete(PREFIX + key)
        await client.rpush(PREFIX + key, "what is this")
    else:
        await client.set(PREFIX + key, "what is this")
    for _ in range(20):
        assert await let_in(meter, HOLDERS, 2) == 2
        await asyncio.sleep(0.02)
    await client.flushall()
    await joined(meter)
    assert await let_in(meter, HOLDERS, 2) == 2


async def test_a_redis_that_is_busy_with_a_script_fails_no_request(
    meter: RedisMeter, client: Redis, valkey: Valkey
) -> None:
    await client.config_set("busy-reply-threshold", "20")
    async with Redis.from_url(valkey.url) as other:
        endless = asyncio.create_task(other.eval("while true do end", 0))
        await asyncio.sleep(0.2)
        assert await let_in(meter, HOLDERS, 5) == 5
        await until(lambda: meter.degraded)
        await client.script_kill()
        with pytest.raises(ResponseError):
            await endless
    await joined(meter)
    assert await let_in(meter, HOLDERS, 5) == 5


async def test_the_wheel_goes_on_after_an_error_that_nobody_thought_of(
    way: Way, caplog: pytest.LogCaptureFixture
) -> None:
    failures = ["the clock stumbles"]

    def now() -> float:
        if failures and asyncio.current_task() is not ours:
            raise RuntimeError(failures.pop())
        return clock.monotonic()

    ours = asyncio.current_task()
    meter = RedisMeter(way.url, "p1", 1, Clock(now, clock.wall), SOON)
    async with meter.open():
        await until(lambda: not failures)
        await joined(meter)
        assert await let_in(meter, HOLDERS, 3) == 3
    told = [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR]
    assert len(told) == 1
    assert "the clock stumbles" in told[0]


async def test_no_reply_of_redis_is_an_error_of_the_board_or_of_a_probe(way: Way) -> None:
    for reply in REPLIES:
        await _traded(way, reply)


async def _traded(way: Way, reply: bytes) -> None:
    way.spoil = lambda _: None
    board = RedisBoard(way.url, "one", clock.monotonic, Bounds(deadline=0.1, pause=0.0))
    probes: Probes = RedisProbes(way.url, "one", clock.monotonic)
    await board.trade(b"before")
    await probes.keep(lambda _: None)
    way.spoil = lambda _: reply
    for _ in range(2):
        heard = await board.trade(b"mine")
        assert all(isinstance(one, bytes) for one in heard)
        assert await probes.claim("some/offer") >= 0
        await probes.keep(lambda _: None)
    await board.close()
    await probes.close()
