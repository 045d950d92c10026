"""A Redis that lost its counts, and processes that are gone: what they let in is not let in again."""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

from redis.asyncio import Redis
from tests.state.test_meter_lost import used
from tests.state.test_meter_memory import requests
from tests.state.test_meter_redis import CALM, ONE, holder, let_in, until
from tests.state.valkey import Valkey

from infway.kernel.account import Holder
from infway.kernel.clock import system_clock
from infway.state.meter import PastUse
from infway.state.meter_past import Refill
from infway.state.meter_redis import RedisMeter

clock = system_clock()
LIMITED = holder("key:a", requests=requests((60, 60)))
SHARED = holder("project:p", requests=requests((60, 100)), tokens=requests((60, 10_000)))


class Record:
    """What is on record of all processes."""

    def __init__(self) -> None:
        self.uses: list[PastUse] = []
        self.is_away = False

    def note(self, process: str, holders: Sequence[Holder], count: int) -> None:
        """Write down what a process let in just now."""
        names = [one.id for one in holders]
        self.uses.append(PastUse(process, names, clock.wall(), count, count * 10, count))

    def past(self, since: float, until: float) -> Sequence[PastUse]:
        """Return what happened in this time."""
        if self.is_away:
            raise OSError("the database is away")
        return [one for one in self.uses if since <= one.at < until]


def process(valkey: Valkey, name: str, record: Record, parts: int = 1) -> RedisMeter:
    meter = RedisMeter(valkey.url, name, parts, clock, CALM)
    meter.refill = Refill(name, clock, record.past, (0.0, 0.5, 1.0))
    return meter


async def filled(meter: RedisMeter, epoch: str) -> None:
    await until(lambda: meter._look.epoch != epoch and meter._untold is None)
    await until(lambda: not meter.refill.is_open)


async def test_a_process_that_starts_after_a_flush_lets_in_no_more_than_the_one_before_left(
    valkey: Valkey, client: Redis
) -> None:
    record = Record()
    async with (before := process(valkey, "before", record)).open():
        assert await let_in(before, (LIMITED,), 45) == 45
        record.note("before", (LIMITED,), 45)
    await client.flushall()
    async with (after := process(valkey, "after", record)).open():
        assert await let_in(after, (LIMITED,), 60) == 15


async def test_a_fresh_installation_is_as_usable_as_ever(valkey: Valkey) -> None:
    async with (meter := process(valkey, "first", Record())).open():
        assert not meter.refill.is_open
        assert await let_in(meter, (LIMITED,), 70) == 60


async def test_what_the_living_remember_counts_once_and_what_the_dead_let_in_as_well(
    valkey: Valkey, client: Redis
) -> None:
    record = Record()
    async with (one := process(valkey, "one", record, 2)).open():
        async with (gone := process(valkey, "gone", record, 2)).open():
            assert await let_in(gone, (LIMITED, SHARED), 20) == 20
            record.note("gone", (LIMITED, SHARED), 20)
        assert await let_in(one, (LIMITED, SHARED), 5) == 5
        record.note("one", (LIMITED, SHARED), 5)
        async with (two := process(valkey, "two", record, 2)).open():
            assert await let_in(two, (SHARED,), 3) == 3
            record.note("two", (SHARED,), 3)
            epoch = one._look.epoch
            await client.flushall()
            await asyncio.gather(filled(one, epoch), filled(two, epoch))
            assert await used(one, LIMITED) == 20 + 5
            assert await used(two, SHARED) == 20 + 5 + 3


async def test_a_record_that_is_written_late_counts_once_as_well(
    valkey: Valkey, client: Redis
) -> None:
    record = Record()
    record.note("gone", (LIMITED,), 10)
    late = record.uses[0]._replace(requests=4)
    await client.flushall()
    async with (meter := process(valkey, "after", record)).open():
        assert await used(meter, LIMITED) == 10
        record.uses.append(late)
        await until(lambda: not meter.refill._due)
        assert await used(meter, LIMITED) == 14
        async with (other := process(valkey, "other", record)).open():
            assert not other.refill.is_open
            assert await used(other, LIMITED) == 14


async def test_while_the_record_cannot_be_read_each_process_holds_to_its_share(
    valkey: Valkey, client: Redis
) -> None:
    record = Record()
    async with (meter := process(valkey, "one", record, 4)).open():
        record.note("gone", (LIMITED,), 50)
        record.is_away = True
        epoch = meter._look.epoch
        await client.flushall()
        await until(lambda: meter._look.epoch != epoch and meter._untold is None)
        assert meter.refill.is_open
        assert await let_in(meter, (LIMITED,), 60) <= 15
        record.is_away = False
        await filled(meter, epoch)
        assert (await meter.take((LIMITED,), ONE)).refused is not None


async def test_the_rights_that_the_documentation_names_are_enough(
    valkey: Valkey, client: Redis
) -> None:
    text = (Path(__file__).parents[2] / "docs" / "replicas.md").read_text()
    (said,) = re.findall(r"\*\*Rights\*\*: `([^`]+)`", text)
    await client.execute_command("ACL", "SETUSER", "narrow", "on", ">word", *said.split())
    record = Record()
    record.note("gone", (LIMITED,), 10)
    url = valkey.url.replace("redis://", "redis://narrow:word@")
    meter = RedisMeter(url, "one", 1, clock, CALM)
    meter.refill = Refill("one", clock, record.past)
    async with meter.open():
        assert await let_in(meter, (LIMITED, holder("key:b", concurrent=2)), 2) == 2
        epoch = meter._look.epoch
        await client.flushall()
        await filled(meter, epoch)
        assert await used(meter, LIMITED) == 12
        assert not meter.degraded
