"""Budgets at the edge: what may be spent, what is refused, and what is told."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.api.budgeted import TOTAL, budgeted, opened
from tests.api.caller import BEARER, JSON, chat_body, refused
from tests.api.upstream import Asked, Script, answer, either, fault, listening, whole
from tests.conftest import Start, upstream_settings

from infway.database import Database
from infway.kernel.account import Period, period_of
from infway.kernel.clock import system_clock
from infway.ledger.spending import Sums

COST = 11 * 2_500_000 + 7 * 10_000_000  # of one reply of the upstream: 0.0000975 USD
SMALL = {"max_tokens": 50}  # at worst a prompt of 1,100 tokens, and an answer of 124: 0.004 USD


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with opened(tmp_path / "budgets.db") as database:
        yield database
        # the gateways have ended by now: whatever happened, they leave nothing behind
        assert database.read("SELECT * FROM grants") == []


def budget(usd: str, per: str = "total") -> dict[str, object]:
    return {"per": per, "usd": usd}


async def test_what_a_request_cost_is_spent_and_nothing_else_is_held_for_it(
    database: Database, start: Start
) -> None:
    one = await budgeted(start, database)
    assert (await one.gateway.chat(**SMALL)).status == 200
    assert (await one.gateway.chat(**SMALL, stream=True)).status == 200
    assert (await one.sums()).spent == 2 * COST
    escrow = one.gateway.app.gateway.escrow
    assert escrow is not None
    assert escrow.reserved == 0


async def test_a_request_that_may_cost_more_than_is_left_is_refused_before_it_is_sent(
    database: Database, start: Start
) -> None:
    one = await budgeted(start, database, key={"budgets": [budget("0.003")]})
    heard = await one.gateway.chat(**SMALL)
    refused(heard, 402, "not_enough_funds")
    assert heard.header("x-should-retry") == "false"
    message = heard.json["error"]["message"]
    assert "key `tests`" in message
    assert "0.003 USD, in all" in message
    assert "0.003 USD are left" in message
    assert one.gateway.upstream.asked == []
    assert await one.sums() == Sums(0, 3 * 10**9)


async def test_an_answer_without_a_limit_is_reserved_as_long_as_the_model_may_make_it(
    database: Database, start: Start
) -> None:
    one = await budgeted(start, database)
    refused(await one.gateway.chat(), 402, "not_enough_funds")
    assert (await one.gateway.chat(max_completion_tokens=100)).status == 200


async def test_money_is_spent_to_the_last_request_that_fits(
    database: Database, start: Start
) -> None:
    one = await budgeted(start, database, key={"budgets": [budget("0.005")]})
    count = 0
    while (heard := await one.gateway.chat(**SMALL)).status == 200:
        count += 1
    refused(heard, 402, "not_enough_funds")
    spent = (await one.sums()).spent
    assert spent == count * COST <= 5 * 10**9
    assert count > 5
    assert len(one.gateway.upstream.asked) == count


async def test_requests_at_once_never_spend_more_than_there_is(
    database: Database, start: Start
) -> None:
    one = await budgeted(start, database, key={"budgets": [budget("0.02")]})
    heard = await asyncio.gather(*(one.gateway.chat(**SMALL) for _ in range(40)))
    told = [reply.status for reply in heard]
    assert set(told) == {200, 402}
    assert (
        (await one.sums()).spent == told.count(200) * COST == len(one.gateway.upstream.asked) * COST
    )


@pytest.mark.parametrize("per", list(Period), ids=lambda one: one.value)
@pytest.mark.parametrize("level", ["key", "project", "organisation"])
async def test_a_budget_holds_at_every_level_and_in_every_period(
    database: Database, start: Start, per: Period, level: str
) -> None:
    told = {"budgets": [budget("0.003", per.value)]}
    one = await budgeted(
        start,
        database,
        key={"project": "web", **(told if level == "key" else {})},
        projects=[{"name": "web", "organisation": "acme", **(told if level == "project" else {})}],
        organisations=[{"name": "acme", **(told if level == "organisation" else {})}],
    )
    heard = await one.gateway.chat(**SMALL)
    refused(heard, 402, "not_enough_funds")
    name = {"key": "tests", "project": "web", "organisation": "acme"}[level]
    assert f"{level} `{name}`" in heard.json["error"]["message"]


async def test_every_budget_is_paid_by_one_request(database: Database, start: Start) -> None:
    one = await budgeted(
        start,
        database,
        key={"project": "web", "budgets": [budget("1", "day"), budget("1", "month")]},
        projects=[{"name": "web", "organisation": "acme", "budgets": [budget("2")]}],
        organisations=[{"name": "acme", "budgets": [budget("3", "month")]}],
    )
    assert (await one.gateway.chat(**SMALL)).status == 200
    now = system_clock().wall()
    day, month = period_of(Period.DAY, now), period_of(Period.MONTH, now)
    for holder, period in (
        ("key:tests", day),
        ("key:tests", month),
        ("project:web", "total"),
        ("organisation:acme", month),
    ):
        assert (await one.sums(holder, period)).spent == COST


async def test_a_key_without_a_budget_of_its_own_asks_no_database(
    database: Database, start: Start
) -> None:
    one = await budgeted(start, database, key={})
    assert (await one.gateway.chat()).status == 200
    assert database.read("SELECT count(*) FROM grants") == [(0,)]


async def test_a_failed_request_gives_everything_back(database: Database, start: Start) -> None:
    def say(_: Asked) -> Script:
        return fault(400, "no")

    one = await budgeted(start, database, say)
    assert (await one.gateway.chat(**SMALL)).status == 400
    assert (await one.sums()).spent == 0
    escrow = one.gateway.app.gateway.escrow
    assert escrow is not None
    assert escrow.reserved == 0


async def test_a_model_without_a_price_is_refused_under_a_budget(
    database: Database, start: Start
) -> None:
    async with listening(either) as behind:
        there = [upstream_settings("one", behind, {"id": "nameless"}, allow_unpriced=True)]
        one = await budgeted(start, database, upstream=behind, upstreams=there)
        heard = await one.gateway.chat(model="nameless", **SMALL)
        refused(heard, 403, "model_not_accessible", "model")
        assert behind.asked == []
        named = {"budgets": [TOTAL], "unpriced": ["one/nameless"]}
        two = await budgeted(start, database, upstream=behind, upstreams=there, key=named)
        assert (await two.gateway.chat(model="nameless", **SMALL)).status == 200
        assert (await two.sums()).spent == 0


def dear_and_cheap(dear: object, cheap: object) -> list[object]:
    prices = {"native": "native-m1", "id": "m1"}
    return [
        upstream_settings("dear", dear, {**prices, "input_price": "100", "output_price": "400"}),  # type: ignore[arg-type]
        upstream_settings("cheap", cheap, {**prices, "input_price": "1", "output_price": "4"}),  # type: ignore[arg-type]
    ]


PREFERRED = {"provider": {"order": ["dear", "cheap"]}}


@pytest.mark.parametrize(
    ("key", "answered"),
    [
        pytest.param({"budgets": [budget("0.1")]}, [0, 1], id="the dear one cannot be paid"),
        pytest.param({"budgets": [budget("1")]}, [1, 0], id="there is money enough"),
    ],
)
async def test_the_dear_offer_answers_where_it_can_be_paid_and_the_cheaper_one_elsewhere(
    database: Database, start: Start, key: dict[str, object], answered: list[int]
) -> None:
    async with listening() as dear, listening() as cheap:
        there = dear_and_cheap(dear, cheap)
        one = await budgeted(start, database, upstream=dear, upstreams=there, key=key)
        assert (await one.gateway.chat(**SMALL, **PREFERRED)).status == 200
        assert [len(dear.asked), len(cheap.asked)] == answered


@pytest.mark.parametrize(("usd", "status"), [("1", 200), ("0.1", 502)])
async def test_another_attempt_is_paid_for_before_it_is_made(
    database: Database, start: Start, usd: str, status: int
) -> None:
    key = {"budgets": [budget(usd)]}

    def broken(_: Asked) -> Script:
        return fault(500)

    async with listening() as dear, listening(broken) as cheap:
        there = dear_and_cheap(dear, cheap)
        order = {"provider": {"order": ["cheap", "dear"]}}
        one = await budgeted(start, database, upstream=dear, upstreams=there, key=key)
        assert (await one.gateway.chat(**SMALL, **order)).status == status
        assert len(dear.asked) == (status == 200)


async def test_several_models_are_reserved_for_together(database: Database, start: Start) -> None:
    one = await budgeted(start, database, key={"budgets": [budget("0.006")]})
    body = {"model": {"llms": ["m1", "m2"], "imsn": 2}, "messages": chat_body()["messages"]}
    heard = await one.gateway.post("/v1/chat/completions", {**body, **SMALL})
    refused(heard, 402, "not_enough_funds")
    assert one.gateway.upstream.asked == []
    two = await budgeted(start, database)
    heard = await two.gateway.post("/v1/chat/completions", {**body, **SMALL})
    assert heard.status == 200
    assert (await two.sums()).spent == 2 * COST


async def test_a_caller_that_leaves_pays_what_came_and_leaves_nothing_reserved(
    database: Database, start: Start
) -> None:
    hold = asyncio.Event()

    def say(_: Asked) -> Script:
        return Script([hold, b"{}"])

    one = await budgeted(start, database, say)
    async with one.gateway.line() as line:
        line.send(
            "POST", "/v1/chat/completions", (BEARER, JSON), json.dumps(chat_body(**SMALL)).encode()
        )
        await one.gateway.upstream.reached.wait()
    await one.gateway.upstream.gone.wait()
    escrow = one.gateway.app.gateway.escrow
    assert escrow is not None
    while escrow.reserved:
        await asyncio.sleep(0)
    assert (await one.sums()).spent <= COST


async def test_while_the_database_is_away_a_gateway_spends_what_it_was_granted_and_no_more(
    database: Database, start: Start
) -> None:
    one = await budgeted(start, database, key={"budgets": [budget("5.12")]})
    assert (await one.gateway.chat(**SMALL)).status == 200  # 0.02 USD more are granted with it
    await one.sums()
    database.close()
    told = [(await one.gateway.chat(**SMALL)).status for _ in range(4)]
    heard = await one.gateway.chat(max_tokens=5000)
    database.open()
    assert told == [200] * 4
    refused(heard, 503, "accounting_unavailable")
    assert heard.header("retry-after") is not None
    assert (await one.sums()).spent == 5 * COST


@pytest.mark.parametrize("text", [answer(usage={"prompt_tokens": 10**9, "completion_tokens": 7})])
async def test_usage_that_cannot_be_is_not_billed_beyond_what_can(
    database: Database, start: Start, text: dict[str, object]
) -> None:
    def say(_: Asked) -> Script:
        return whole(text)

    one = await budgeted(start, database, say)
    heard = await one.gateway.chat(**SMALL)
    assert heard.status == 200
    assert (await one.sums()).spent < 10**10
