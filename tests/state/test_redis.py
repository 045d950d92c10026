"""The board over a real Valkey that is stopped, killed, flushed and given junk."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest
from redis.asyncio import Redis
from tests.state.valkey import Valkey
from tests.wall import closed_port

from infway.kernel.clock import system_clock
from infway.kernel.errors import SettingsError
from infway.state.redis import KEY, Bounds, RedisBoard

monotonic = system_clock().monotonic
QUICK = Bounds(deadline=0.3, pause=0.05)
CALM = Bounds(deadline=2.0, pause=0.05)  # late is only a Redis that says nothing

Join = Callable[..., RedisBoard]


@pytest.fixture
async def join(valkey: Valkey) -> AsyncIterator[Join]:
    """Return a function that gives a replica its board."""
    url = valkey.url
    async with AsyncExitStack() as stack:

        def make(sender: str, bounds: Bounds = CALM, url: str = url) -> RedisBoard:
            board = RedisBoard(url, sender, monotonic, bounds)
            stack.push_async_callback(board.close)
            return board

        yield make


async def heard(board: RedisBoard, *wanted: bytes) -> None:
    """Trade until these messages came, in this order and no others."""
    found: list[bytes] = []
    async with asyncio.timeout(10):
        while len(found) < len(wanted):
            found += await board.trade(None)
            await asyncio.sleep(0.01)
    assert found == list(wanted)


async def heard_again(speaker: RedisBoard, listener: RedisBoard) -> None:
    """Trade until a message gets through; what was said before may come late or be lost."""
    async with asyncio.timeout(10):
        while b"again" not in await listener.trade(None):
            await speaker.trade(b"again")
            await asyncio.sleep(0.02)


async def test_a_message_reaches_every_other_board_once(join: Join) -> None:
    one, two, three = join("one"), join("two"), join("three")
    assert await two.trade(None) == []
    await one.trade(b"first")
    await one.trade(b"second")
    await heard(two, b"first", b"second")
    await heard(three, b"first", b"second")
    assert await two.trade(None) == await three.trade(None) == []


async def test_no_board_hears_itself(join: Join) -> None:
    one = join("one")
    assert [await one.trade(b"mine") for _ in range(3)] == [[], [], []]


async def test_a_newcomer_hears_what_is_fresh_and_nothing_older(join: Join, client: Redis) -> None:
    seconds, _ = await client.time()
    for age, text in ((3600, "old"), (1, "fresh")):
        entry = {"from": "other", "says": text}
        await client.xadd(KEY, entry, id=f"{(seconds - age) * 1000}-0")
    await heard(join("one"), b"fresh")


async def test_the_stream_is_trimmed_and_goes_when_it_is_unused(join: Join, client: Redis) -> None:
    one = join("one", Bounds(kept=100, unused=30))
    for _ in range(500):
        await one.trade(b"x" * 100)
    assert await client.xlen(KEY) <= 200  # trimmed by whole nodes of 100 entries
    assert 0 < await client.ttl(KEY) <= 30


async def test_one_trade_reads_a_bounded_number_of_messages(join: Join) -> None:
    one, two = join("one"), join("two", Bounds(read=3))
    for number in range(5):
        await one.trade(b"%d" % number)
    assert await two.trade(None) == [b"0", b"1", b"2"]
    assert await two.trade(None) == [b"3", b"4"]


async def test_an_entry_that_is_no_message_is_an_empty_one(join: Join, client: Redis) -> None:
    one = join("one")
    await client.xadd(KEY, {"anything": "else"})
    await client.xadd(KEY, {"from": b"\xff\x00", "says": b"\xff"})
    await heard(one, b"", b"\xff")


async def test_a_silent_redis_costs_one_deadline_and_is_then_asked_seldom(
    join: Join, valkey: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = join("one", Bounds(deadline=0.5, pause=60.0)), join("two")
    await one.trade(b"before")
    with valkey.silent():
        began = monotonic()
        assert await one.trade(b"lost") == []
        first = monotonic()
        assert 0.5 <= first - began < 2.0
        for _ in range(100):
            trading = asyncio.create_task(one.trade(b"lost"))
            await asyncio.sleep(0)
            assert trading.done()  # it waits for nothing
            assert trading.result() == []
        assert [r.message.partition(":")[0] for r in caplog.records] == [
            "redis fails, evidence is not shared until it is back"
        ]
    await heard_again(join("three"), two)


async def test_a_redis_that_was_silent_is_found_again_and_hears_nothing_late(
    join: Join, client: Redis, valkey: Valkey
) -> None:
    one, two = join("one", QUICK), join("two", QUICK)
    await one.trade(b"before")
    await heard(two, b"before")
    with valkey.silent():
        until = monotonic() + 1.5
        said = 0
        while monotonic() < until:
            await one.trade(b"late %d" % said)
            await two.trade(None)
            said += 1
            await asyncio.sleep(0.01)
    await heard_again(one, two)
    entries = await client.xrange(KEY)
    late = [entry for _, entry in entries if entry[b"says"].startswith(b"late")]
    assert len(late) <= 1  # what was on its way when it fell silent
    assert len(await client.client_list()) <= 3


async def test_a_killed_redis_is_found_again(
    join: Join, valkey: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "infway")
    one, two = join("one"), join("two")
    await one.trade(b"before")
    await heard(two, b"before")
    valkey.kill()
    for _ in range(3):
        assert await one.trade(b"lost") == await two.trade(None) == []
        await asyncio.sleep(QUICK.pause)
    valkey.start()
    await heard_again(one, two)
    answers = "redis answers, limits and evidence are shared with other replicas"
    fails = "redis fails, evidence is not shared until it is back"
    told = [record.message.partition(":")[0] for record in caplog.records]
    assert sorted(told) == sorted([answers, fails, answers] * 2)


async def test_a_redis_that_refuses_commands_is_a_failure_until_it_takes_them(
    join: Join, client: Redis
) -> None:
    one, two = join("one"), join("two")
    await client.set(KEY, "no stream")
    assert await one.trade(b"lost") == []
    await client.delete(KEY)
    await heard_again(one, two)


async def test_a_flushed_redis_goes_unnoticed(join: Join, client: Redis) -> None:
    one, two = join("one"), join("two")
    await one.trade(b"before")
    await heard(two, b"before")
    await client.flushall()
    await one.trade(b"after")
    await heard(two, b"after")


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "no.such.host.invalid", "a..b"])
async def test_a_redis_that_is_not_there_raises_nothing(join: Join, host: str) -> None:
    board = join("one", url="redis://" + host.format(port=closed_port()))
    assert await board.trade(b"lost") == []


async def test_a_password_and_a_database_are_used_as_the_url_says(
    join: Join, valkey: Valkey, client: Redis
) -> None:
    await client.config_set("requirepass", "s3cret/x")
    url = f"redis://:s3cret%2Fx@127.0.0.1:{valkey.port}/5"
    one, two = join("one", url=url), join("two", url=url)
    await two.trade(None)
    await one.trade(b"hello")
    await heard(two, b"hello")
    async with Redis.from_url(url) as guest:
        assert await guest.xlen(KEY) == 1


async def test_a_wrong_password_is_not_told_to_the_log(
    join: Join, valkey: Valkey, client: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    await client.config_set("requirepass", "s3cret")
    board = join("one", url=f"redis://:wr0ng@127.0.0.1:{valkey.port}")
    assert await board.trade(b"lost") == []
    assert "redis fails" in caplog.text
    assert "wr0ng" not in caplog.text


async def test_options_in_the_url_change_nothing_that_is_ours(join: Join, valkey: Valkey) -> None:
    url = f"{valkey.url}?protocol=3&decode_responses=True&socket_timeout=7"
    one, two = join("one", url=url), join("two", url=url)
    await two.trade(None)
    await one.trade(b"\xff\xfe")
    await heard(two, b"\xff\xfe")


@pytest.mark.parametrize(
    "url", ["http://h", "localhost:6379", "redis://:pa/ss@h:6379", "redis://h?no_such_option=1"]
)
def test_what_is_no_redis_url_is_a_settings_problem_that_does_not_quote_it(url: str) -> None:
    with pytest.raises(SettingsError) as raised:
        RedisBoard(url, "one", monotonic)
    assert "state.redis" in str(raised.value)
    assert "pa" not in str(raised.value)
    assert raised.value.__suppress_context__
