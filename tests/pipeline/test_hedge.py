"""A second offer that is asked beside one that says nothing."""

import asyncio
import contextlib

import pytest
from tests.pipeline.conftest import Line, Start
from tests.wall import ANSWER, Wall
from tests.wall.asking import CALM, ask, offer, upstream

from infway.kernel.chat import Prices
from infway.pipeline.budget import RetryBudget
from infway.pipeline.hedge import race
from infway.pipeline.itinerary import Persistence

CHEAP, DEAR = Prices(1, 1), Prices(10**9, 10**9)


async def hedged(
    line: Start, up: Wall, first: str, second: str, after: float | str = 0.05, **rules
) -> Line:
    """A line that asks the dear offer too where the cheap one says nothing for so long."""
    return await line(
        offer(first, upstream("slow", up.base_url, timeouts=CALM), prices=CHEAP),
        offer(second, upstream("fast", up.base_url, timeouts=CALM), prices=DEAR),
        persistence=Persistence(hedge=after, backoff_base=0.0, **rules),
    )


async def test_whoever_says_something_first_answers_and_the_other_is_ended_and_booked(
    line: Start, up: Wall
):
    running = await hedged(line, up, "silent", "ok")
    told = await running.tell(ask())
    assert (told.text, told.error) == (ANSWER, None)
    request, slow, fast = await running.rows()
    assert (slow.upstream, slow.outcome, fast.outcome) == ("slow", "hedged", "ok")
    assert (slow.prompt_tokens, slow.completion_tokens, slow.estimated) == (25, 0, 1)
    assert request.cost == slow.cost + fast.cost
    assert (request.outcome, request.upstream) == ("ok", "fast")
    await asyncio.wait_for(up.attempts[0].closed.wait(), 4)


async def test_an_offer_that_speaks_in_time_is_not_hedged(line: Start, up: Wall):
    running = await hedged(line, up, "ok", "ok", after=5.0)
    assert (await running.tell(ask())).text == ANSWER
    assert await running.outcomes() == ["ok"]


async def test_the_first_may_still_win(line: Start, up: Wall):
    running = await hedged(line, up, "late@150", "silent")
    assert (await running.tell(ask())).text == ANSWER
    assert await running.outcomes() == ["ok", "hedged"]


async def test_where_both_fail_the_walk_goes_on(line: Start, up: Wall):
    slow = offer("late-error@100", upstream("slow", up.base_url, timeouts=CALM), prices=CHEAP)
    fast = offer("status@500", upstream("fast", up.base_url, timeouts=CALM), prices=DEAR)
    last = offer("ok", upstream("last", up.base_url, timeouts=CALM), prices=Prices(10**10, 10**10))
    running = await line(slow, fast, last, persistence=Persistence(hedge=0.02))
    assert (await running.tell(ask())).text == ANSWER
    assert await running.outcomes() == ["http_500", "http_500", "ok"]


async def test_whole_replies_are_not_hedged(line: Start, up: Wall):
    running = await hedged(line, up, "late@100", "ok", after=0.0)
    assert (await running.tell(ask(stream=False))).text == ANSWER
    assert await running.outcomes() == ["ok"]


async def test_hedges_have_a_share_of_all_requests(line: Start, up: Wall):
    running = await hedged(
        line, up, "late@30", "late@30", after=0.0, budget=RetryBudget(0.2, 3, 0.0)
    )
    for number in range(5):
        assert (await running.tell(ask(id=f"r-{number}"))).text == ANSWER
    assert len(up.attempts) == 5 + 1


async def test_a_caller_that_leaves_ends_both(line: Start, up: Wall):
    running = await hedged(line, up, "silent", "silent")
    task = asyncio.create_task(running.tell(ask()))
    while len(up.attempts) < 2:
        await asyncio.sleep(0.005)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    for attempt in up.attempts:
        await asyncio.wait_for(attempt.closed.wait(), 4)
    assert await running.outcomes() == ["client_gone", "client_gone"]


@pytest.mark.parametrize("script", ["silent"])
async def test_the_wait_may_be_what_nearly_all_replies_take(line: Start, up: Wall, script: str):
    running = await hedged(line, up, script, "ok", after="p95")
    slot = running.gateway.router.health.slots[0]
    slot.view = slot.view._replace(start=0.02, start_sd=0.5)
    assert (await running.tell(ask())).text == ANSWER
    assert await running.outcomes() == ["hedged", "ok"]


async def test_both_hear_that_the_caller_left_wherever_they_are():
    told: list[object] = []

    async def busy() -> None:
        try:
            while True:
                await asyncio.sleep(0)
        except asyncio.CancelledError as ended:
            told.extend(ended.args)
            raise

    task = asyncio.create_task(race(busy(), 0.0, busy, lambda _: None))
    for _ in range(9):
        await asyncio.sleep(0)
    task.cancel("left")
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert told == ["left", "left"]
