"""What becomes of requests whose offers have all fallen silent."""

import asyncio
from dataclasses import replace

from tests.pipeline.conftest import Line, Start, Told
from tests.wall import ANSWER, Wall
from tests.wall.asking import QUICK, ask, offer, upstream

from infway.ims.breaker import Breaker
from infway.ims.tuning import Trip
from infway.kernel.chat import Offer, Prices
from infway.pipeline.itinerary import Persistence

# silence is known after a tenth of a second; one failure opens, and the first window is long
TRIP = Trip(streak=1.0, quick=0.1, first=60.0, jitter=0.0, pause=30.0)
LIMITS = replace(QUICK, first_token=1.0, idle=5.0)  # a busy machine takes its time too
LONE = Persistence(attempts=1, backoff_base=0.0)


def one(up: Wall, name: str, script: str, price: int = 1) -> Offer:
    return offer(script, upstream(name, up.base_url, timeouts=LIMITS), prices=Prices(price, price))


def breaker(line: Line, place: int) -> Breaker:
    return line.gateway.router.health.slots[place].breaker


def rest(line: Line, place: int) -> None:
    """Let the pause of an offer be over, as if time had passed."""
    one = breaker(line, place)
    one.tried -= TRIP.pause
    one.alone_since -= TRIP.pause


def was_refused(told: Told, wait: float = TRIP.pause) -> bool:
    """Tell whether a request was refused at once, and told when to come again."""
    error = told.error
    if error is None or error.code != "upstream_unavailable":
        return False
    assert error.status == 503
    assert error.retry_after is not None
    assert 0 < error.retry_after <= wait
    return True


async def together(line: Line, count: int) -> list[Told]:
    return await asyncio.gather(*(line.tell(ask(id=f"r-{n}")) for n in range(count)))


async def test_who_has_only_silent_offers_is_refused_without_an_attempt(line: Start, up: Wall):
    running = await line(one(up, "a", "hang"), persistence=LONE, trip=TRIP)
    assert (await running.tell(ask())).error.code == "upstream_timeout"  # type: ignore[union-attr]
    assert all(was_refused(told) for told in await together(running, 10))
    assert len(up.attempts) == 1
    rows = await running.rows()
    refusals = [row for row in rows if row.outcome == "upstream_unavailable"]
    assert {(row.attempt, row.status, row.cost) for row in refusals} == {(0, 503, 0)}


async def test_after_a_pause_one_request_tries_before_the_breaker_would(line: Start, up: Wall):
    running = await line(one(up, "a", "hang|late@100"), persistence=LONE, trip=TRIP)
    await running.tell(ask())
    rest(running, 0)
    told = await together(running, 10)
    assert [one.text for one in told if one.error is None] == [ANSWER]
    assert sum(was_refused(one) for one in told) == 9
    assert len(up.attempts) == 2
    assert not breaker(running, 0).tripped


async def test_a_trial_that_fails_is_followed_by_a_pause(line: Start, up: Wall):
    running = await line(one(up, "a", "hang"), persistence=LONE, trip=TRIP)
    await running.tell(ask())
    rest(running, 0)
    told = await together(running, 3)
    assert sorted(one.error.code for one in told if one.error) == (
        ["upstream_timeout", "upstream_unavailable", "upstream_unavailable"]
    )
    assert was_refused(await running.tell(ask()))
    assert len(up.attempts) == 2


async def test_a_trial_that_takes_too_long_does_not_keep_others_from_trying(line: Start, up: Wall):
    running = await line(one(up, "a", "hang|hang|ok"), persistence=LONE, trip=TRIP)
    await running.tell(ask())
    rest(running, 0)
    slow = asyncio.create_task(running.tell(ask(id="slow")))
    while len(up.attempts) < 2:
        await asyncio.sleep(0.001)
    assert was_refused(await running.tell(ask()))
    rest(running, 0)
    assert (await running.tell(ask())).text == ANSWER
    assert (await slow).error is not None


async def test_of_several_the_one_left_alone_for_longest_is_tried(line: Start, up: Wall):
    both = one(up, "a", "hang"), one(up, "b", "hang|ok", price=2)
    running = await line(*both, persistence=LONE, trip=TRIP)
    await running.tell(ask())
    assert (await running.tell(ask())).error is not None
    assert breaker(running, 0).alone_since < breaker(running, 1).alone_since
    assert was_refused(await running.tell(ask()))
    rest(running, 0)
    rest(running, 1)
    breaker(running, 0).alone_since = breaker(running, 1).alone_since + 0.01
    assert (await running.tell(ask())).text == ANSWER  # of the second, since the first would hang


async def test_a_request_does_not_fall_back_to_what_is_silent(line: Start, up: Wall):
    both = one(up, "a", "hang"), one(up, "b", "status@400|status@500", price=2)
    running = await line(*both, persistence=Persistence(backoff_base=0.0), trip=TRIP)
    await running.tell(ask())
    told = await running.tell(ask())
    assert told.error is not None
    assert told.error.code == "upstream_error"
    assert [one.fault for one in up.attempts] == ["hang", "status", "status", "status"]


async def test_offers_that_fail_quickly_are_asked_by_everyone(line: Start, up: Wall):
    running = await line(one(up, "a", "status@500|status@500|ok"), persistence=LONE, trip=TRIP)
    for _ in range(2):
        told = await running.tell(ask())
        assert told.error is not None
        assert told.error.code == "upstream_error"
    assert (await running.tell(ask())).text == ANSWER


async def test_one_that_speaks_again_is_asked_by_everyone(line: Start, up: Wall):
    running = await line(one(up, "a", "hang|ok~pause=5|ok"), persistence=LONE, trip=TRIP)
    await running.tell(ask())
    rest(running, 0)
    speaks = asyncio.create_task(running.tell(ask()))
    while breaker(running, 0).silent:
        await asyncio.sleep(0.001)
    assert all(told.text == ANSWER for told in await together(running, 5))
    assert (await speaks).text == ANSWER
