"""What callers are charged, where that is not what their attempts cost."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.api.budgeted import budgeted, opened
from tests.api.embedding import embedding
from tests.api.upstream import (
    USAGE,
    Asked,
    Script,
    answer,
    chunk,
    fault,
    frames,
    listening,
    stream,
    whole,
)
from tests.conftest import Gateway, Start, upstream_settings

from infway.database import Database

COST = 11 * 2_500_000 + 7 * 10_000_000
UNINSURED = {"billing": {"zero_completion_insurance": False}}
HIGHEST = {"billing": {"max_rate": True}}
TOLD = {"usage": {"include": True}}
USD = 10**12


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with opened(tmp_path / "budgets.db") as database:
        yield database


def silent(asked: Asked) -> Script:
    """Answer nothing, and charge for the prompt."""
    usage = {"prompt_tokens": 11, "completion_tokens": 0, "total_tokens": 11}
    message = {"role": "assistant", "content": ""}
    choice = {"index": 0, "message": message, "finish_reason": None}
    return whole(answer(choices=[choice], usage=usage))


def cut(_: Asked) -> Script:
    """Break off in the middle of an answer."""
    return stream(*frames("Hel", "lo")[:2], chunk({"content": "x"}, usage=USAGE), cut=True)


async def costs(gateway: Gateway) -> tuple[list[int], int]:
    """Return what the attempts cost, and what their caller was charged."""
    rows = await gateway.rows()
    return [row.cost for row in rows if row.attempt], next(
        row.cost for row in rows if not row.attempt
    )


@pytest.mark.parametrize("insured", [True, False])
async def test_an_answer_of_nothing_is_charged_only_without_insurance(
    start: Start, insured: bool
) -> None:
    gateway = await start(silent, **({} if insured else UNINSURED))
    heard = await gateway.chat(**TOLD)
    attempts, charged = await costs(gateway)
    assert attempts == [11 * 2_500_000]
    assert charged == (0 if insured else attempts[0])
    if heard.status == 200:
        assert heard.json["cost"] * USD == pytest.approx(charged)


@pytest.mark.parametrize("insured", [True, False])
async def test_an_answer_that_broke_off_is_charged_only_without_insurance(
    start: Start, insured: bool
) -> None:
    gateway = await start(cut, **({} if insured else UNINSURED), attempts={"max": 1})
    await gateway.chat(stream=True)
    (attempt,), charged = await costs(gateway)
    assert attempt > 0
    assert charged == (0 if insured else attempt)


async def test_with_insurance_whole_answers_are_charged_as_they_cost(start: Start) -> None:
    gateway = await start()
    heard = await gateway.chat(**TOLD)
    assert heard.header("infe-unit-cost") == "0.000098"
    assert await costs(gateway) == ([COST], COST)


async def test_with_insurance_vectors_are_charged_as_they_cost(start: Start) -> None:
    async with embedding(start) as gateway:
        heard = await gateway.post("/v1/embeddings", {"model": "e1", "input": "Hi"})
        assert heard.status == 200
        attempts, charged = await costs(gateway)
        assert [charged] == attempts != [0]


def priced(name: str, behind: object, into: str, out: str) -> object:
    model = {"id": "m1", "native": "n", "input_price": into, "output_price": out}
    return upstream_settings(name, behind, model)  # type: ignore[arg-type]


async def test_at_the_highest_rate_the_dearest_of_those_considered_is_charged(
    database: Database, start: Start
) -> None:
    async with listening() as behind, listening() as other:
        there = [priced("one", behind, "1", "40"), priced("two", other, "4", "8")]
        one = await budgeted(start, database, upstream=behind, upstreams=there, **HIGHEST)
        heard = await one.gateway.chat(max_tokens=50, **TOLD)
        charged = 11 * 4_000_000 + 7 * 40_000_000
        assert heard.json["cost"] * USD == pytest.approx(charged)
        assert heard.json["cost_details"]["prompt_cost"] * USD == pytest.approx(11 * 4_000_000)
        assert (await one.sums()).spent == charged


async def test_one_model_at_one_upstream_pins_its_price(start: Start) -> None:
    gateway = await start(**HIGHEST)
    await gateway.chat()
    assert await costs(gateway) == ([COST], COST)


async def test_a_failed_attempt_is_not_charged_beyond_its_insurance(
    database: Database, start: Start
) -> None:
    def broken(_: Asked) -> Script:
        return fault(504)

    async with listening(broken) as behind, listening() as other:
        there = [priced("one", behind, "1", "40"), priced("two", other, "4", "8")]
        one = await budgeted(start, database, upstream=behind, upstreams=there, **HIGHEST)
        heard = await one.gateway.chat(max_tokens=50, provider={"order": ["one", "two"]}, **TOLD)
        assert heard.status == 200
        assert (await one.sums()).spent == 11 * 4_000_000 + 7 * 40_000_000
