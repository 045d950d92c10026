"""Answers that break off where second offers are asked beside silent ones, and the other way round."""

import asyncio

import pytest
from tests.pipeline.conftest import Line, Start
from tests.providers.reading import text
from tests.wall import ANSWER, TEXT_OF, Wall
from tests.wall.asking import CALM, ask, offer, upstream

from infway.kernel.chat import Prices
from infway.pipeline.budget import RetryBudget
from infway.pipeline.itinerary import Persistence

CUT = "cut@20~pause=1"


async def hedging(line: Start, up: Wall, *scripts: str, **rules: object) -> Line:
    """A line that asks the next offer too where one says nothing for a moment."""
    made = [
        offer(script, upstream(name, up.base_url, timeouts=CALM), prices=Prices(price, price))
        for script, name, price in zip(scripts, "abcd", (1, 10**8, 10**10, 10**12), strict=False)
    ]
    known = {"hedge": 0.3, "backoff_base": 0.0, "budget": RetryBudget(1.0, 9, 1.0), **rules}
    return await line(*made, persistence=Persistence(**known))  # type: ignore[arg-type]


async def heard(running: Line) -> str:
    """Return what a caller reads, whatever events it comes in."""
    events = (await running.tell(ask())).events
    return "".join(text([event]) for event in events)


async def told(running: Line) -> list[tuple[str, str, str]]:
    """Return what became of each attempt: who, how it ended, and how it went on with the answer."""
    return [(row.upstream, row.outcome, row.rescue) for row in await running.rows() if row.attempt]


async def test_the_winner_of_a_race_that_breaks_off_is_rescued_by_a_third(line: Start, up: Wall):
    running = await hedging(line, up, "silent", CUT, "ok")
    assert await heard(running) == ANSWER
    assert await told(running) == [
        ("a", "hedged", ""),
        ("b", "stream_cut", ""),
        ("c", "ok", "splice"),
    ]


async def test_the_loser_of_a_race_may_finish_the_winners_answer(line: Start, up: Wall):
    running = await hedging(line, up, "silent|ok", CUT)
    assert await heard(running) == ANSWER
    assert await told(running) == [
        ("a", "hedged", ""),
        ("b", "stream_cut", ""),
        ("a", "ok", "splice"),
    ]


async def test_a_silent_rescuer_is_hedged_too(line: Start, up: Wall):
    running = await hedging(line, up, CUT, "silent", "ok")
    assert await heard(running) == ANSWER
    assert await told(running) == (
        [("a", "stream_cut", ""), ("b", "hedged", "splice"), ("c", "ok", "splice")]
    )
    for attempt in up.attempts[:2]:
        await asyncio.wait_for(attempt.closed.wait(), 4)


async def test_of_two_rescuers_the_one_that_says_something_else_is_no_winner(line: Start, up: Wall):
    running = await hedging(line, up, CUT, "late@600", "other")
    assert await heard(running) == ANSWER
    assert sorted(await told(running)) == (
        [("a", "stream_cut", ""), ("b", "ok", "splice"), ("c", "diverged", "splice")]
    )


async def test_what_hedges_and_rescues_cost_is_in_the_sum(line: Start, up: Wall):
    running = await hedging(line, up, "silent", CUT, "ok")
    await running.tell(ask())
    request, *attempts = await running.rows()
    assert request.cost == sum(row.cost for row in attempts)
    assert all(row.cost for row in attempts)


@pytest.mark.parametrize("attempts", [1, 2])
async def test_both_draw_from_the_attempts_of_one_request(line: Start, up: Wall, attempts: int):
    running = await hedging(
        line, up, "silent" if attempts == 2 else CUT, CUT, "ok", attempts=attempts
    )
    assert await heard(running) == TEXT_OF[20]
    assert len(up.attempts) == attempts
