"""How long a refused caller is told to wait: whoever does so, and alone asks, is let in then."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from copy import deepcopy
from math import ceil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis
from tests.state.test_meter_memory import Hand, holder, requests
from tests.state.test_meter_redis import CALM
from tests.state.valkey import Valkey, running

from infway.kernel.account import Holder, Limits
from infway.kernel.clock import Clock
from infway.state.meter import Kind, Need, Refused, Standing
from infway.state.meter_alone import OwnMeter
from infway.state.meter_memory import MemoryMeter
from infway.state.meter_redis import RedisMeter
from infway.state.meter_scripts import TAKE

Told = tuple[Refused | None, Standing | None, Standing | None]
Ask = Callable[[Sequence[Holder], Need], Awaitable[Told]]
Use = Callable[[Ask, Hand], Awaitable[None]]

MOST = st.sampled_from([1, 2, 20])
REQUESTS = st.dictionaries(st.sampled_from([60, 600, 3600]), MOST, min_size=1).map(
    lambda said: requests(*sorted(said.items()))
)
GAPS = st.lists(st.sampled_from([0.0, 0.001, 0.06, 1.0, 3.0, 17.3, 61.0, 700.0]), max_size=40)
TOKENS = st.none() | st.integers(20, 40)
ROUNDED = st.booleans()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    with running(tmp_path_factory.mktemp("valkey")) as valkey:
        yield valkey


def midst() -> Hand:
    """Return a clock in the midst of a millisecond: what is added may be a little off."""
    hand = Hand()
    hand.at += 0.0005
    return hand


async def in_memory(use: Use) -> None:
    hand = midst()
    meter = MemoryMeter(hand.clock())

    async def ask(holders: Sequence[Holder], need: Need) -> Told:
        verdict = meter.taken(holders, need)
        return verdict.refused, verdict.requests, verdict.tokens

    await use(ask, hand)


async def in_redis(server: Valkey, use: Use) -> None:
    """The store's clock is the hand: it is told the time before each try."""
    hand = midst()
    moved = TAKE.replace("redis.call('TIME')", "redis.call('HMGET', 'hand', 'seconds', 'rest')")
    assert moved != TAKE
    async with Redis.from_url(server.url) as client:
        await client.flushall()
        meter = RedisMeter(server.url, "p", 1, hand.clock(), CALM._replace(tick=60.0))
        async with meter.open():
            store = meter._store
            assert store is not None
            store._hashes[TAKE] = await client.script_load(moved)
            number = 0

            async def ask(holders: Sequence[Holder], need: Need) -> Told:
                nonlocal number
                number += 1
                now = round(hand.at * 1e6)
                await client.hset("hand", mapping={"seconds": now // 10**6, "rest": now % 10**6})
                taken = await store.take(holders, need, f"lease{number}")
                return taken.refused, taken.requests, taken.tokens

            await use(ask, hand)


def obedient(limits: Limits, gaps: Sequence[float], *, rounded: bool) -> Use:
    """Ask after each of these gaps, and where that is refused, once more when it was told to."""
    holders, need = (Holder("key:a", limits),), Need(20)

    async def use(ask: Ask, hand: Hand) -> None:
        for gap in gaps:
            hand.at += gap
            refused, *_ = await ask(holders, need)
            if refused is not None:
                wait = refused.retry_after
                hand.at += max(1, ceil(wait)) if rounded else wait
                refused, *_ = await ask(holders, need)
                assert refused is None

    return use


@given(asked=REQUESTS, tokens=TOKENS, gaps=GAPS, rounded=ROUNDED)
def test_whoever_waits_as_told_is_let_in(asked, tokens, gaps, rounded) -> None:
    limits = Limits(asked, requests((60, tokens)) if tokens else ())
    asyncio.run(in_memory(obedient(limits, gaps, rounded=rounded)))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=REQUESTS, tokens=TOKENS, gaps=GAPS, rounded=ROUNDED)
def test_whoever_waits_as_told_is_let_in_by_redis(server, asked, tokens, gaps, rounded) -> None:
    limits = Limits(asked, requests((60, tokens)) if tokens else ())
    asyncio.run(in_redis(server, obedient(limits, gaps, rounded=rounded)))


@given(asked=REQUESTS, gaps=GAPS)
def test_nobody_waits_longer_than_there_is_need(asked, gaps) -> None:
    """A millisecond before, whoever waits would be refused still."""
    hand = midst()
    meter = MemoryMeter(hand.clock())
    holders = (Holder("key:a", Limits(asked)),)
    for gap in gaps:
        hand.at += gap
        refused = meter.taken(holders, Need()).refused
        if refused is not None:
            wait = refused.retry_after
            early = MemoryMeter(Clock(lambda at=hand.at + wait - 0.001: at, hand.clock().wall))
            early.books = deepcopy(meter.books)
            assert early.taken(holders, Need()).refused is not None


async def twenty(ask: Ask, hand: Hand) -> None:
    holders = (holder(requests=requests((60, 20))),)
    for _ in range(20):
        assert (await ask(holders, Need()))[0] is None
        hand.at += 3
    hand.at -= 1  # a second before the first of them has left the window
    refused, *_ = await ask(holders, Need())
    assert refused is not None
    assert 4 <= refused.retry_after <= 4.1  # the first and the second: this try counts as well
    hand.at += refused.retry_after
    assert (await ask(holders, Need()))[0] is None


async def one(ask: Ask, hand: Hand) -> None:
    holders = (holder(requests=requests((60, 1))),)
    assert (await ask(holders, Need()))[0] is None
    hand.at += 30
    refused, *_ = await ask(holders, Need())
    assert refused is not None
    assert 60 <= refused.retry_after <= 60.1
    hand.at += refused.retry_after
    assert (await ask(holders, Need()))[0] is None


async def busy(ask: Ask, hand: Hand) -> None:
    """A try that is refused for its tokens counts as a request, which may be the last one."""
    holders = (holder(requests=requests((60, 2)), tokens=requests((60, 100))),)
    assert (await ask(holders, Need(60)))[0] is None
    hand.at += 10
    refused, *_ = await ask(holders, Need(60))
    assert refused is not None
    assert refused.what is Kind.TOKENS
    assert 50 <= refused.retry_after <= 50.1
    hand.at += 20
    refused, *_ = await ask(holders, Need(60))
    assert refused is not None
    assert 40 <= refused.retry_after <= 40.1


async def stale(ask: Ask, hand: Hand) -> None:
    """What has left the window is not told as used, by whoever refuses nor by those behind."""
    key = holder(requests=requests((60, 1)), tokens=requests((60, 100)))
    project = holder("project:p", requests=requests((60, 9)), tokens=requests((60, 50)))
    assert (await ask((project,), Need(40)))[0] is None
    assert (await ask((holder("key:a", tokens=key.limits.tokens),), Need(90)))[0] is None
    hand.at += 61
    assert (await ask((key, project), Need(10)))[0] is None
    hand.at += 61
    full = key._replace(limits=key.limits._replace(requests=requests((60, 0))))
    refused, by_requests, by_tokens = await ask((full, project), Need(10))
    assert refused is not None
    assert by_requests is not None
    assert by_tokens is not None
    assert by_requests[:2] == (0, 0)
    assert by_tokens[:2] == (50, 50)


@pytest.mark.parametrize("use", [twenty, one, busy, stale])
async def test_a_refusal_tells_what_holds(server: Valkey, use: Use) -> None:
    await in_memory(use)
    await in_redis(server, use)


@given(gaps=GAPS, most=st.sampled_from([4, 20, 41]), cut=st.integers(0, 39), marked=st.booleans())
def test_whoever_waits_as_told_is_let_in_by_a_process_that_was_cut_off(
    gaps, most, cut, marked
) -> None:
    """It holds to less than its share until what was let in before has left the window."""
    hand = midst()
    meter = OwnMeter(hand.clock(), 2)
    holders = (holder(requests=requests((60, most), (600, most * 3))),)
    for number, gap in enumerate(gaps):
        hand.at += gap
        if number < cut:
            meter.note(holders, Need())
            continue
        if number == cut:
            meter.cut_off({"key:a 1:60", "key:a 1:600"} if marked else frozenset(), 0)
            meter.settle_down()
        refused = meter.taken(holders, Need()).refused
        if refused is not None:
            hand.at += refused.retry_after
            assert meter.taken(holders, Need()).refused is None
