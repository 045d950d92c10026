"""What a caller is charged is the same wherever it is told: reply, header, ledger, budget, lookup."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import ROUND_CEILING, Decimal
from pathlib import Path

import pytest
from tests.api.budgeted import Budgeted, budgeted, opened
from tests.api.caller import BEARER, JSON, Heard, chat_body
from tests.api.upstream import (
    USAGE,
    Asked,
    Say,
    Script,
    answer,
    chunk,
    either,
    frames,
    listening,
    stream,
    whole,
)
from tests.conftest import Start, upstream_settings

from infway.database import Database
from infway.ledger.rows import Row

COST = 11 * 2_500_000 + 7 * 10_000_000
TOLD = {"usage": {"include": True}, "max_tokens": 50}
RULES = {True: {}, False: {"billing": {"zero_completion_insurance": False}}}
USD = 10**12
ORDER = {"provider": {"order": ["one", "two"]}}
BOTH = pytest.mark.parametrize("insured", [True, False])


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with opened(tmp_path / "budgets.db") as database:
        yield database


def garbage(_: Asked) -> Script:
    """Answer what nobody can read: its prompt was worked on, and is paid."""
    return whole(b"{nope")


def silent(_: Asked) -> Script:
    """Answer nothing, for no reason."""
    choice = {"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": None}
    return whole(answer(choices=[choice], usage={**USAGE, "completion_tokens": 0}))


def cut(_: Asked) -> Script:
    """Break off in the middle of an answer."""
    return stream(*frames("Hel", "lo")[:2], chunk({"content": "l"}, usage=USAGE), cut=True)


def in_credits(pico: int) -> str:
    """Return what the header should say: six decimals, rounded up."""
    return str((Decimal(pico) / USD).quantize(Decimal("0.000001"), ROUND_CEILING))


@asynccontextmanager
async def paying(
    start: Start, database: Database, *says: Say, **tree: object
) -> AsyncIterator[Budgeted]:
    """Start a gateway with a budget, and these upstreams in their order."""
    async with AsyncExitStack() as stack:
        behind = [await stack.enter_async_context(listening(say)) for say in says]
        there = [
            upstream_settings(name, upstream, "m1", "m2")
            for name, upstream in zip(("one", "two"), behind, strict=False)
        ]
        yield await budgeted(start, database, upstream=behind[0], upstreams=there, **tree)


async def rows_of(one: Budgeted) -> list[Row]:
    """Return the rows of the one request there was, its own first."""
    await one.gateway.app.settler.flush()
    found = one.database.read("SELECT DISTINCT request FROM entries")
    rows = await one.gateway.app.settler.rows_of(str(found[0][0]))
    return sorted(rows, key=lambda row: row.attempt)


async def charged(one: Budgeted, heard: Heard | None = None) -> tuple[int, list[int]]:
    """Return what a request was charged, which all that tell it agree on, and its attempts' cost."""
    row, *attempts = await rows_of(one)
    found = (await one.gateway.get(f"/v1/generation?id={row.request}")).json["data"]
    assert found["total_cost"] * USD == pytest.approx(row.cost)
    assert (await one.sums()).spent == row.cost
    if heard is not None and heard.body.startswith(b"data:"):
        tell(heard.chunks[-1], row.cost)
    elif heard is not None:
        assert heard.header("infe-unit-cost") == in_credits(row.cost)
        tell(heard.json, row.cost)
    return row.cost, [attempt.cost for attempt in attempts]


def tell(said: dict, cost: int) -> None:
    """Check what a reply or its last chunk says."""
    if "error" not in said:
        details = said["cost_details"]
        assert said["cost"] * USD == pytest.approx(cost)
        assert details["prompt_cost"] + details["completion_cost"] == pytest.approx(said["cost"])


@BOTH
async def test_an_answer_of_nothing(start: Start, database: Database, insured: bool) -> None:
    async with paying(start, database, silent, **RULES[insured]) as one:
        paid, attempts = await charged(one, await one.gateway.chat(**TOLD))
        assert attempts == [11 * 2_500_000]
        assert paid == (0 if insured else sum(attempts))


@BOTH
async def test_an_error_after_a_prompt_that_was_paid(
    start: Start, database: Database, insured: bool
) -> None:
    async with paying(start, database, garbage, **RULES[insured]) as one:
        heard = await one.gateway.chat(**TOLD)
        assert heard.status == 502
        paid, attempts = await charged(one, heard)
        assert min(attempts) > 0
        assert paid == (0 if insured else sum(attempts))


@BOTH
async def test_a_stream_that_breaks_off(start: Start, database: Database, insured: bool) -> None:
    async with paying(start, database, cut, **RULES[insured]) as one:
        paid, attempts = await charged(one, await one.gateway.chat(stream=True, **TOLD))
        assert min(attempts) > 0
        assert paid == (0 if insured else sum(attempts))


@pytest.mark.parametrize("seen", [0, 1])
async def test_a_caller_that_leaves_pays_for_what_was_done(
    start: Start, database: Database, seen: int
) -> None:
    held = [chunk({"content": "Hel"})] * seen

    async with paying(start, database, lambda _: stream(*held, asyncio.Event())) as one:
        async with one.gateway.line() as line:
            body = json.dumps(chat_body(stream=True, **TOLD)).encode()
            line.send("POST", "/v1/chat/completions", (BEARER, JSON), body)
            await asyncio.wait_for(one.gateway.upstream.reached.wait(), 5)
            if seen:
                await line.head()
                await asyncio.wait_for(line.piece(), 5)
            line.hang_up()
            await asyncio.wait_for(one.gateway.upstream.gone.wait(), 5)
        paid, attempts = await charged(one)
        assert [paid] == attempts != [0]


@BOTH
@pytest.mark.parametrize("streamed", [True, False])
async def test_another_answers_after_an_attempt_that_was_paid(
    start: Start, database: Database, insured: bool, streamed: bool
) -> None:
    def first(asked: Asked) -> Script:
        return stream(b"data: {nope\n\n") if streamed else garbage(asked)

    async with paying(start, database, first, either, **RULES[insured]) as one:
        heard = await one.gateway.chat(stream=streamed, **ORDER, **TOLD)
        assert heard.header("x-gateway-provider") == "two"
        paid, (failed, good) = await charged(one, heard)
        assert good == COST
        assert failed > 0
        assert paid == (good if insured else failed + good)


@BOTH
async def test_a_stream_that_was_rescued(start: Start, database: Database, insured: bool) -> None:
    async with paying(start, database, cut, either, **RULES[insured]) as one:
        heard = await one.gateway.chat(stream=True, **ORDER, **TOLD)
        assert heard.chunks[-1]["x_rescue"]["to"]["provider"] == "two"
        paid, (broken, good) = await charged(one, heard)
        assert min(broken, good) > 0
        assert paid == (good if insured else broken + good)


@BOTH
async def test_one_of_several_models_fails(start: Start, database: Database, insured: bool) -> None:
    def say(asked: Asked) -> Script:
        return garbage(asked) if asked.json["model"] == "native-m2" else whole()

    rules = {**RULES[insured], "attempts": {"max": 1}}
    async with paying(start, database, say, **rules) as one:
        models = {"llms": ["m1", "m2"], "imsn": 2}
        paid, attempts = await charged(one, await one.gateway.chat(model=models, **TOLD))
        assert len(attempts) == 2
        assert paid == (COST if insured else sum(attempts))


async def test_several_answers_are_told_in_sum(start: Start, database: Database) -> None:
    async with paying(start, database, either) as one:
        models = {"llms": ["m1", "m2"], "imsn": 2}
        heard = await one.gateway.chat(model=models, **TOLD)
        assert await charged(one, heard) == (2 * COST, [COST, COST])
        completion = heard.json["cost_details"]["completion_cost"]
        assert completion * USD == pytest.approx(2 * 7 * 10_000_000)


@pytest.mark.parametrize("slow", ["m1", "m2"])
async def test_the_best_of_several_answers_names_the_model(
    start: Start, database: Database, slow: str
) -> None:
    def say(asked: Asked) -> Script:
        pause = 0.2 if asked.json["model"] == f"native-{slow}" else 0.0
        return Script([pause, json.dumps(answer()).encode()])

    async with paying(start, database, say) as one:
        heard = await one.gateway.chat(model={"llms": ["m1", "m2"], "imsn": 2}, **TOLD)
        request, *attempts = await rows_of(one)
        found = (await one.gateway.get(f"/v1/generation?id={request.request}")).json["data"]
        best = heard.json["choices"][0]["model"]["ref"]
        assert heard.json["model"] == request.model == found["model"] == best
        assert request.native == f"native-{best}"
        assert {row.model for row in attempts} == {"m1", "m2"}


async def test_a_credit_is_worth_what_the_configuration_says(
    start: Start, database: Database
) -> None:
    async with paying(start, database, either, billing={"credit_usd": "0.01"}) as one:
        heard = await one.gateway.chat(**TOLD)
        assert heard.header("infe-unit-cost") == "0.009750"
        assert heard.json["cost"] == pytest.approx(0.0000975)
