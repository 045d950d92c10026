"""What one replica sees, others know: real gateways and books over one real Valkey."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from math import inf, nan
from pathlib import Path
from random import Random
from statistics import median

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis
from tests.api.upstream import Upstream as Behind
from tests.api.upstream import fault, listening
from tests.conftest import Gateway, Start, seeded, settled, upstream_settings
from tests.state.valkey import Valkey, running

from infway.ims.catalog import Catalog
from infway.ims.health import Health
from infway.ims.outcome import Outcome
from infway.ims.rank import Router
from infway.ims.tuning import Tuning
from infway.kernel.chat import Feature, Offer, Prices, Upstream
from infway.kernel.clock import system_clock
from infway.kernel.faults import Fault
from infway.pipeline.sharing import Sharing
from infway.pipeline.telling import MOST, Message, decode, encode, outcomes_of, told_outcomes
from infway.state.redis import KEY, Bounds, RedisBoard

monotonic = system_clock().monotonic
REFUSED = Outcome(fault=Fault.CONNECT_REFUSED, end=0.1)
TEXT = st.text(max_size=20)
SECONDS = st.none() | st.floats(0.0, 1e6)
OUTCOMES = st.builds(
    Outcome,
    input_tokens=st.just(0),
    limits=st.none(),  # what of these concerns others is told with the account
    fault=st.none() | st.sampled_from(Fault),
    start=SECONDS,
    end=SECONDS,
    output_tokens=st.none() | st.integers(0, 10**6),
    retry_after=SECONDS,
    visible=st.booleans(),
    probe=st.booleans(),
)


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    with running(tmp_path / "valkey") as valkey:
        yield valkey


def say(seen: list[tuple[str, Outcome]]) -> bytes:
    """Write a message that tells these outcomes."""
    return encode(Message(told_outcomes(seen)))


def offers() -> list[Offer]:
    """Two offers of one model, at `bad` and at `good`."""
    return [
        Offer(
            index=index,
            model="m1",
            upstream=Upstream(name=name, vendor="custom", dialect="openai", chat_url="http://x"),
            native="n",
            prices=Prices(1, 1),
            features=Feature(0),
            quality=50.0,
        )
        for index, name in enumerate(("bad", "good"))
    ]


class Replica:
    """A book, and what keeps it in touch with others."""

    def __init__(self, name: str, url: str, bounds: Bounds | None = None) -> None:
        self.offers = offers()
        self.health = Health(self.offers, Tuning(), Random(1), share=True)
        self.board = RedisBoard(url, name, monotonic, bounds)
        router = Router(Catalog(self.offers), self.health, Tuning(), Random(1))
        self.sharing = Sharing(self.board, lambda: router, monotonic)

    def live(self, *outcomes: Outcome, times: int = 1) -> None:
        """Let attempts at `bad` end so."""
        for outcome in outcomes * times:
            self.health.dispatched(self.offers[0], monotonic())
            self.health.observe(self.offers[0], monotonic(), outcome)

    @property
    def failed(self) -> float:
        """How many failures of `bad` this replica counts."""
        slot = self.health.slots[0]
        return slot.evidence.slow.failed * self.health.decay.factors(monotonic())[0]


async def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait in turns of ten milliseconds: a halt of the whole machine is one of them."""
    for _ in range(round(seconds * 100)):
        if holds():
            return
        await asyncio.sleep(0.01)
    assert holds()


@given(st.lists(st.tuples(TEXT, OUTCOMES), max_size=20))
def test_what_is_told_is_what_is_understood(seen: list[tuple[str, Outcome]]) -> None:
    assert outcomes_of(decode(say(seen))) == seen


def test_what_an_upstream_exaggerates_does_not_spoil_a_message() -> None:
    said = Outcome(output_tokens=10**30, retry_after=inf)
    ((_, outcome),) = outcomes_of(decode(say([("bad/m1", said)])))
    assert outcome.output_tokens == 2**31
    assert outcome.retry_after == 1e9
    said = Outcome(output_tokens=-1, retry_after=nan)
    ((_, outcome),) = outcomes_of(decode(say([("bad/m1", said)])))
    assert outcome.output_tokens == outcome.retry_after == 0


def test_a_message_of_a_newer_replica_with_more_in_it_is_understood() -> None:
    row = ["bad/m1", "rate_limited", 1.0, 2.0, 10, 3.0, True, False, {"new": "field"}]
    message = [[row], [], [], [], False, False, "a newer field"]
    ((offer, outcome),) = outcomes_of(decode(msgspec.msgpack.encode(message)))
    assert (offer, outcome) == ("bad/m1", Outcome(Fault.RATE_LIMITED, 1.0, 2.0, 10, 0, 3.0, True))


def told(*fields: object, times: int = 1) -> bytes:
    """Write a message with rows of outcomes, whatever is in them."""
    return msgspec.msgpack.encode([[list(fields)] * times])


JUNK = {
    "nothing": b"",
    "text": b"\xa5hello",
    "no utf-8": b"\x91\x97\xa2\xff\xfe" + b"\xc0" * 6,
    "depth": b"\x91" * 50_000,
    "a false length": b"\xdd\xff\xff\xff\xff",
    "cut": say([("bad/m1", REFUSED)])[:-3],
    "more behind it": say([("bad/m1", REFUSED)]) + b"x",
    "an unknown fault": told("bad/m1", "new", 1, 1, 1, 1, False),
    "a NaN": told("bad/m1", None, nan, 1, 1, 1, False),
    "an infinity": told("bad/m1", None, 1, inf, 1, 1, False),
    "a negative time": told("bad/m1", None, -1, 1, 1, 1, False),
    "too many": told("bad/m1", None, 1, 1, 1, 1, False, times=MOST + 1),
    "an infinite ceiling": msgspec.msgpack.encode([[], [["bad", inf, None, None, 0, 0]]]),
    "a prompt that is no number": msgspec.msgpack.encode([[], [], [["p", "bad/m1", 1]]]),
}


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
def test_no_junk_is_taken_for_a_message(junk: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        decode(junk)


async def test_failures_seen_by_one_open_the_breaker_of_the_other(valkey: Valkey) -> None:
    one, two = Replica("one", valkey.url), Replica("two", valkey.url)
    async with one.sharing.open(), two.sharing.open():
        one.live(REFUSED, times=5)
        await until(lambda: two.health.slots[0].breaker.tripped, 1.0)
        assert two.failed == pytest.approx(one.failed, rel=0.01)
        assert not two.health.slots[1].breaker.tripped


async def test_a_rest_that_one_was_asked_for_is_kept_by_the_other(valkey: Valkey) -> None:
    one, two = Replica("one", valkey.url), Replica("two", valkey.url)
    async with one.sharing.open(), two.sharing.open():
        one.live(Outcome(fault=Fault.RATE_LIMITED, end=0.1, retry_after=30.0))
        await until(lambda: two.health.slots[0].account.shut > monotonic() + 20.0, 1.0)


async def test_nobody_learns_twice_from_the_same_attempt(valkey: Valkey) -> None:
    one, two = Replica("one", valkey.url), Replica("two", valkey.url)
    async with one.sharing.open(), two.sharing.open():
        one.live(Outcome(fault=Fault.HTTP_500, end=0.1))
        two.live(Outcome(fault=Fault.HTTP_500, end=0.1))
        await until(lambda: one.failed > 1.5 and two.failed > 1.5, 1.0)
        one.live(Outcome(fault=Fault.HTTP_500, end=0.1))
        await until(lambda: two.failed > 2.5, 1.0)
        assert one.failed == pytest.approx(3.0, rel=0.05)
        assert two.failed == pytest.approx(3.0, rel=0.05)


async def test_junk_is_dropped_with_one_line_and_what_follows_is_understood(
    valkey: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = Replica("one", valkey.url), Replica("two", valkey.url)
    async with Redis.from_url(valkey.url) as client:
        for junk in JUNK.values():
            await client.xadd(KEY, {"from": "other", "says": junk})
        await client.xadd(KEY, {"whatever": "else"})
        async with one.sharing.open(), two.sharing.open():
            one.live(REFUSED, times=5)
            await until(lambda: two.health.slots[0].breaker.tripped, 1.0)
    assert two.failed == pytest.approx(one.failed, rel=0.01)
    assert len([r for r in caplog.records if "cannot be read" in r.message]) == 2  # one each


async def test_without_redis_a_replica_learns_by_itself_and_hoards_nothing(valkey: Valkey) -> None:
    one = Replica("one", valkey.url, Bounds(deadline=0.1, pause=0.1))
    with valkey.silent():
        async with one.sharing.open():
            one.live(REFUSED, times=2000)
            assert one.health.slots[0].breaker.tripped
            assert one.failed > 1.0
            await until(lambda: not one.health._unsent, 2.0)


async def test_a_message_stays_small_however_much_happened(valkey: Valkey) -> None:
    one = Replica("one", valkey.url)
    one.live(REFUSED, times=20_000)
    await one.sharing.trade()
    async with Redis.from_url(valkey.url) as client:
        ((_, entry),) = await client.xrange(KEY)
    assert len(decode(entry[b"says"]).outcomes) == MOST
    assert len(entry[b"says"]) < 64 * 1024
    await one.board.close()


@dataclass
class Pair:
    """Two gateways over one Valkey; behind both are `bad`, the cheaper, and `good`."""

    one: Gateway
    two: Gateway
    bad: Behind
    tree: dict[str, object]


@pytest.fixture
async def pair(start: Start, valkey: Valkey) -> AsyncIterator[Pair]:
    async with listening(lambda _: fault(500)) as bad, listening() as good:
        cheap = {"id": "m1", "input_price": "0.1", "output_price": "0.1"}
        upstreams = [upstream_settings("bad", bad, cheap), upstream_settings("good", good, "m1")]
        tree: dict[str, object] = {"upstreams": upstreams, "state": {"redis": valkey.url}}
        one = await start(upstream=bad, parts_of=seeded(1), **tree)
        two = await start(upstream=good, parts_of=seeded(2), **tree)
        yield Pair(one, two, bad, tree)


def known(gateway: Gateway, offer: str) -> float:
    """How many attempts at an offer a gateway counts, its own and those it was told."""
    health = gateway.app.gateway.router.health
    return health.by_id[offer].evidence.slow.n * health.decay.factors(monotonic())[0]


async def test_what_fails_at_one_gateway_is_not_tried_first_by_the_other(pair: Pair) -> None:
    asked = -1
    while asked < len(pair.bad.asked):  # until it has learned
        asked = len(pair.bad.asked)
        assert (await pair.one.chat()).status == 200
    assert asked >= 1
    await until(lambda: known(pair.two, "bad/m1") > 0.9 * known(pair.one, "bad/m1"), 1.0)
    for _ in range(5):
        assert (await pair.two.chat()).status == 200
    assert len(pair.bad.asked) == asked


async def test_a_gateway_whose_configuration_was_swapped_still_tells_and_learns(
    pair: Pair,
) -> None:
    for gateway in (pair.one, pair.two):
        gateway.app.swap(*settled(pair.tree))
    assert (await pair.one.chat()).status == 200
    await until(lambda: known(pair.two, "bad/m1") > 0.5, 1.0)


async def test_requests_do_not_notice_that_redis_is_silent_or_gone(
    pair: Pair, valkey: Valkey
) -> None:
    async def usual() -> float:
        """Ask for longer than a board waits for Redis; return the median of it in seconds."""
        times, end = list[float](), monotonic() + 1.5
        while monotonic() < end:
            began = monotonic()
            answers = await asyncio.gather(pair.one.chat(), pair.two.chat())
            times.append(monotonic() - began)
            assert [answer.status for answer in answers] == [200, 200]
        return median(times)

    with valkey.silent():
        assert await usual() < Bounds().deadline
    valkey.kill()
    assert await usual() < Bounds().deadline
    valkey.start()
    before = known(pair.two, "good/m1")
    async with asyncio.timeout(20):
        while known(pair.two, "good/m1") <= before:  # it is asked nothing itself
            assert (await pair.one.chat()).status == 200
            await asyncio.sleep(0.02)


async def test_without_redis_in_the_settings_nothing_is_kept_for_others(start: Start) -> None:
    alone = await start()
    await alone.chat()
    beside = [getattr(open_one, "__self__", None) for open_one in alone.app.beside]
    assert not any(isinstance(one, Sharing) for one in beside)
    assert alone.app.gateway.router.health.drain() == []
