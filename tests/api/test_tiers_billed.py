"""Service tiers over the whole gateway: what budgets pay, and what they must have for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.api.budgeted import Budgeted, budgeted, opened
from tests.api.upstream import USAGE, Asked, Script, answer, chunk, frames, listening, stream, whole
from tests.conftest import Start, upstream_settings

from infway.database import Database

PRIORITY = {"input_price": "2", "output_price": "8"}
MODEL = {
    "id": "m1", "native": "n", "input_price": "1", "output_price": "4", "context": 1000,
    "tiers": {"priority": PRIORITY, "flex": {"input_price": "0.5", "output_price": "2"}},
}  # fmt: skip
COST = {"default": 11 * 1_000_000 + 7 * 4_000_000, "priority": 11 * 2_000_000 + 7 * 8_000_000,
        "flex": 11 * 500_000 + 7 * 2_000_000}  # fmt: skip


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with opened(tmp_path / "budgets.db") as database:
        yield database


async def spent(one: Budgeted, **said: object) -> int:
    heard = await one.gateway.chat(max_tokens=50, **said)
    assert heard.status == 200
    return (await one.sums()).spent


@pytest.mark.parametrize("served", ["default", "priority", "flex"])
async def test_the_tier_that_answered_is_paid_whole_and_streamed(
    database: Database, start: Start, served: str
) -> None:
    def say(asked: Asked) -> Script:
        if b'"stream":true' in asked.body:
            end = chunk(None, usage=USAGE, service_tier=served)
            return stream(*frames("Hel", "lo")[:-2], chunk({}, "stop"), end, b"data: [DONE]\n\n")
        return whole(answer(service_tier=served))

    async with listening(say) as behind:
        there = [upstream_settings("one", behind, MODEL)]  # type: ignore[arg-type]
        one = await budgeted(start, database, upstream=behind, upstreams=there)
        assert await spent(one, service_tier="auto") == COST[served]
        assert await spent(one, service_tier="auto", stream=True) == 2 * COST[served]


async def test_a_request_that_may_be_served_at_priority_needs_twice_the_budget(
    database: Database, start: Start
) -> None:
    async with listening() as behind:
        there = [upstream_settings("one", behind, MODEL)]  # type: ignore[arg-type]
        usual = 1_500 * 1_000_000 + 124 * 4_000_000  # more than its worst case, less than twice it
        key = {"budgets": [{"per": "total", "usd": str(usual / 10**12)}]}
        one = await budgeted(start, database, upstream=behind, upstreams=there, key=key)
        for word in (None, "auto", "priority"):
            said = {} if word is None else {"service_tier": word}
            assert (await one.gateway.chat(max_tokens=50, **said)).status == 402, word
        assert await spent(one, service_tier="default") == COST["default"]
        assert await spent(one, service_tier="flex") == COST["default"] + COST["flex"]
