"""Several real gateways over one real Valkey: one probe of all, and what one learned, all know."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.api.upstream import Asked, Script, fault, listening, whole
from tests.api.upstream import Upstream as Behind
from tests.conftest import Gateway, Start, seeded, upstream_settings
from tests.state.valkey import Valkey, running

from infway.ims.slot import Slot
from infway.kernel.clock import system_clock
from infway.state.probes import Bounds, RedisProbes

monotonic = system_clock().monotonic
REPLICAS = 4
LONG = "Once upon a time. " * 500  # long enough for a prompt cache
OFFER = "cheap/m1"
CALM = Bounds(deadline=2.0, connect=5.0)  # a Valkey that others keep from its turn is not silent


@dataclass
class Cheap:
    """How the cheaper of two upstreams behaves: it fails, or answers once it may."""

    fails: bool = True
    status: int = 500
    headers: tuple[str, ...] = ()
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    def say(self, _: Asked) -> Script:
        if self.fails:
            return fault(self.status, headers=self.headers)
        script = whole()
        return Script([self.may_answer, *script.pieces])


@dataclass
class Fleet:
    """Gateways over one Valkey; `start` adds another."""

    gateways: list[Gateway]
    cheap: Cheap
    behind: Behind
    start: Callable[[], object]

    @property
    def slots(self) -> list[Slot]:
        return [one.app.gateway.router.health.by_id[OFFER] for one in self.gateways]

    async def ask_all(self, **fields: object) -> None:
        answers = await asyncio.gather(*(one.chat(**fields) for one in self.gateways))
        assert {answer.status for answer in answers} == {200}

    async def trip(self) -> None:
        """Ask until nobody asks the cheap one any more."""
        while not all(slot.breaker.tripped for slot in self.slots):
            await self.ask_all()

    async def wait_for_the_probe(self) -> None:
        await until(lambda: all(slot.breaker.due(monotonic()) for slot in self.slots))


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    with running(tmp_path / "valkey") as valkey:
        yield valkey


@pytest.fixture
async def fleet(start: Start, valkey: Valkey) -> AsyncIterator[Fleet]:
    cheap = Cheap()
    async with listening(cheap.say) as behind, listening() as good:
        model = {"id": "m1", "input_price": "0.1", "output_price": "0.1", "cache_read_price": 0}
        upstreams = [
            upstream_settings("cheap", behind, model),
            upstream_settings("good", good, "m1"),
        ]
        tree = {"upstreams": upstreams, "state": {"redis": valkey.url}}
        fleet = Fleet([], cheap, behind, list)

        async def more() -> Gateway:
            one = await start(upstream=good, parts_of=seeded(len(fleet.gateways)), **tree)
            fleet.gateways.append(one)
            return one

        fleet.start = more
        for _ in range(REPLICAS):
            await more()
        yield fleet


async def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait in turns of ten milliseconds: a halt of the whole machine is one of them."""
    for _ in range(round(seconds * 100)):
        if holds():
            return
        await asyncio.sleep(0.01)
    assert holds()


async def test_one_probe_of_all_replicas_is_sent_and_its_success_is_that_of_all(fleet: Fleet):
    await fleet.trip()
    await fleet.wait_for_the_probe()
    fleet.cheap.fails, before = False, len(fleet.behind.asked)
    asked = [asyncio.create_task(fleet.ask_all()) for _ in range(5)]
    await until(lambda: len(fleet.behind.asked) > before)
    await asyncio.wait(asked, timeout=0.5)
    assert len(fleet.behind.asked) == before + 1
    fleet.cheap.may_answer.set()
    await asyncio.gather(*asked)
    assert len(fleet.behind.asked) == before + 1
    await until(lambda: not any(slot.breaker.tripped for slot in fleet.slots), 2.0)


async def test_a_probe_that_fails_lets_all_wait_and_the_next_is_one_again(fleet: Fleet):
    await fleet.trip()
    for _ in range(2):
        await fleet.wait_for_the_probe()
        before = len(fleet.behind.asked)
        await asyncio.gather(*(fleet.ask_all() for _ in range(5)))
        await until(lambda: not any(slot.breaker.due(monotonic()) for slot in fleet.slots))
        await fleet.ask_all()
        assert len(fleet.behind.asked) == before + 1


async def test_without_redis_each_replica_probes_for_itself(fleet: Fleet, valkey: Valkey):
    await fleet.trip()
    valkey.kill()
    await fleet.wait_for_the_probe()
    before = len(fleet.behind.asked)
    await asyncio.gather(*(fleet.ask_all() for _ in range(3)))
    assert len(fleet.behind.asked) == before + REPLICAS


async def test_a_silent_redis_delays_the_one_request_that_probes_by_its_deadline(
    fleet: Fleet, valkey: Valkey
):
    await fleet.trip()
    await fleet.wait_for_the_probe()
    with valkey.silent():
        asked = [asyncio.create_task(fleet.ask_all()) for _ in range(3)]
        await until(lambda: all(one.done() for one in asked), 2.0)
        await asyncio.gather(*asked)


async def test_who_comes_late_knows_of_open_breakers_within_a_second(fleet: Fleet):
    await fleet.trip()
    await fleet.trip()
    known = fleet.slots[0].breaker
    late = await fleet.start()
    await until(lambda: fleet.slots[-1].breaker.tripped, 1.0)
    assert fleet.slots[-1].breaker.shut <= known.shut + 1.0
    assert (await late.chat()).status == 200


async def test_who_comes_late_knows_ceilings_and_rests_within_a_second(fleet: Fleet):
    account = fleet.slots[0].account
    for _ in range(20):
        account.dispatched(monotonic())
    account.refused(monotonic())
    account.rest(monotonic() + 60.0)
    learned = account.most_in_flight
    others = [slot.account for slot in fleet.slots[1:]]
    await until(lambda: all(one.most_in_flight == learned == 18.0 for one in others), 1.0)
    await fleet.start()
    late = fleet.slots[-1].account
    await until(lambda: late.resting_until > monotonic() + 50.0, 1.0)
    assert late.most_in_flight == learned


async def test_what_headers_say_is_left_is_known_to_all(fleet: Fleet):
    fleet.cheap.fails = False
    fleet.cheap.may_answer.set()
    fleet.slots[0].account.told(monotonic(), 0.0, 30.0)
    await until(lambda: all(slot.account.shut > monotonic() + 20.0 for slot in fleet.slots), 1.0)


async def test_a_conversation_is_sent_to_its_warm_cache_by_every_replica(fleet: Fleet):
    fleet.cheap.fails = False
    fleet.cheap.may_answer.set()
    one = fleet.gateways[0]
    messages = [{"role": "user", "content": LONG}]
    assert (await one.chat(messages=messages)).status == 200
    ((value, warm),) = one.app.gateway.router.affinity.latest(10)

    def knows(gateway: Gateway) -> bool:
        found = gateway.app.gateway.router.affinity.warm(value, monotonic())
        return found is not None and found.offer == warm.offer and found.tokens == warm.tokens

    await until(lambda: all(map(knows, fleet.gateways)), 1.0)
    late = await fleet.start()
    await until(lambda: knows(late), 1.0)
    memory = late.app.gateway.router.affinity
    assert (await late.chat(messages=messages)).status == 200
    assert memory.latest(10)[0][0] == value  # it is the same number in every process
    assert len(memory) == 1


async def test_the_probe_of_a_replica_that_died_is_given_to_another(valkey: Valkey):
    bounds = CALM._replace(lease=1.0, pause=0.0)
    one = RedisProbes(valkey.url, "one", monotonic, bounds)
    two = RedisProbes(valkey.url, "two", monotonic, bounds)
    for replica in (one, two):
        await replica.keep(lambda _: None)
    assert await one.claim(OFFER) == 0.0
    assert 0.0 < await two.claim(OFFER) <= 1.0
    end = monotonic() + 1.3
    while monotonic() < end:  # while it lives, it is renewed
        await one.keep(lambda _: None)
        await asyncio.sleep(0.05)
    assert await two.claim(OFFER) > 0.0
    await one.close()
    async with asyncio.timeout(20):
        while await two.claim(OFFER):
            await asyncio.sleep(0.02)
    await two.close()


async def test_nobody_ends_the_probe_of_another(valkey: Valkey):
    one = RedisProbes(valkey.url, "one", monotonic, CALM._replace(lease=0.2))
    two = RedisProbes(valkey.url, "two", monotonic, CALM._replace(lease=30.0))
    for replica in (one, two):
        await replica.keep(lambda _: None)
    assert await one.claim(OFFER) == 0.0
    async with asyncio.timeout(20):
        while await two.claim(OFFER):  # `one` stands still for longer than its lease
            await asyncio.sleep(0.02)
    await one.keep(lambda _: 0.0)
    three = RedisProbes(valkey.url, "three", monotonic, CALM)
    await three.keep(lambda _: None)
    assert await three.claim(OFFER) > 0.0
    for replica in (one, two, three):
        await replica.close()
