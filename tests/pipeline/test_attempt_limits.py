"""Deadlines, callers that leave, and the budget of retries, against the wall."""

import asyncio
from contextlib import aclosing

import pytest
from tests.pipeline.conftest import ANYONE, Start
from tests.wall import ANSWER, Wall
from tests.wall.asking import ask, offer, upstream

from infway.kernel.chat import Offer, Prices, Timeouts
from infway.kernel.events import Verbatim
from infway.kernel.faults import Fault

CHEAP, DEAR = Prices(1, 1), Prices(10**9, 10**9)


def pair(up: Wall, script: str, second: str = "ok") -> tuple[Offer, Offer]:
    """The cheap offer that plays `script`, and a dear one behind it; time is not what is tested."""
    first = upstream("bad", up.base_url, timeouts=Timeouts())
    other = upstream("good", up.base_url, timeouts=Timeouts())
    return offer(script, first, prices=CHEAP), offer(second, other, prices=DEAR)


# --- deadlines, cancellation, budgets


async def test_the_total_deadline_ends_an_endless_stream(line: Start, up: Wall):
    limits = Timeouts(connect=5, first_token=5, whole=5, idle=5, total=1.0)
    running = await line(offer("endless", upstream("u", up.base_url, timeouts=limits)))
    told = await running.tell(ask())
    assert told.fault is Fault.DEADLINE
    assert await running.outcomes() == ["deadline"]


@pytest.mark.parametrize("script", ["hang", "silent", "pings"])
async def test_a_client_that_leaves_before_the_first_token_starts_no_fallback(
    line: Start, up: Wall, script: str
):
    limits = Timeouts(first_token=30)
    first = offer(script, upstream("bad", up.base_url, timeouts=limits), prices=CHEAP)
    running = await line(first, pair(up, "ok")[1])
    task = asyncio.create_task(running.tell(ask()))
    while not up.attempts:
        await asyncio.sleep(0)
    task.cancel()
    assert await up.attempts[0].closes_within(0.25)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await running.outcomes() == ["client_gone"]
    assert len(up.attempts) == 1
    request = (await running.rows())[0]
    assert (request.outcome, request.status) == ("client_gone", 499)


async def test_a_client_that_leaves_in_the_middle_is_billed_what_it_got(line: Start, up: Wall):
    running = await line(offer("stall@20~pause=1", upstream("u", up.base_url)))
    answer = await running.gateway.chat(ask(), ANYONE)
    frames = 0
    async with aclosing(answer.batches()) as batches:
        async for events in batches:
            frames += sum(event.frames if isinstance(event, Verbatim) else 1 for event in events)
            if frames > 10:
                break
    assert await up.attempts[0].closes_within(0.25)
    request, attempt = await running.rows()
    assert (request.outcome, attempt.outcome, request.status) == ("client_gone", "client_gone", 499)
    assert attempt.completion_tokens >= 10
    assert attempt.estimated == 1


async def test_a_slow_reader_is_never_taken_for_a_silent_upstream(line: Start, up: Wall):
    limits = Timeouts(idle=0.05, total=20)
    running = await line(offer("ok~pause=1", upstream("u", up.base_url, timeouts=limits)))
    answer = await running.gateway.chat(ask(), ANYONE)
    seen = []
    async with aclosing(answer.batches()) as batches:
        async for events in batches:
            seen += events
            if len(seen) < 4:
                await asyncio.sleep(0.15)  # three silences long
    assert await running.outcomes() == ["ok"]


async def test_one_dead_upstream_of_two_is_invisible_at_any_concurrency(line: Start, up: Wall):
    running = await line(*pair(up, "status@503"))
    told = await asyncio.gather(*(running.tell(ask(id=f"r-{n}")) for n in range(60)))
    assert [one.text == ANSWER for one in told] == [True] * 60
    assert len(await running.rows()) >= 120


async def test_retries_stay_within_their_budget_when_everything_fails(line: Start, up: Wall):
    running = await line(pair(up, "status@503")[0])
    await asyncio.gather(*(running.tell(ask(id=f"r-{n}")) for n in range(100)))
    assert len(up.attempts) <= 100 * 1.2 + 3


async def test_a_short_retry_after_of_the_only_offer_is_waited_for(line: Start, up: Wall):
    running = await line(offer("status@429~retry-after=0|ok", upstream("u", up.base_url)))
    assert (await running.tell(ask())).text == ANSWER
    assert await running.outcomes() == ["rate_limited", "ok"]


async def test_a_429_that_is_left_tells_the_shortest_wait(line: Start, up: Wall):
    first, second = pair(up, "status@429~retry-after=60", "status@429~retry-after=40")
    running = await line(first, second)
    told = await running.tell(ask())
    assert told.error is not None
    assert (told.error.status, told.error.retry_after) == (429, 40)


async def test_a_request_row_sums_its_attempts(line: Start, up: Wall):
    running = await line(*pair(up, "reset"))
    await running.tell(ask())
    request, *attempts = await running.rows()
    assert request.attempt == 0
    for name in ("cost", "prompt_tokens", "completion_tokens", "cached_tokens"):
        assert getattr(request, name) == sum(getattr(row, name) for row in attempts)
    assert (request.upstream, request.outcome) == ("good", "ok")
    assert request.end_ms >= attempts[0].end_ms
