"""Alerts of budgets: once over all processes, signed, told again, and no matter of requests."""

import asyncio
import base64
import hashlib
import hmac
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.api.upstream import Asked, Script, listening, whole
from tests.wall import closed_port

from infway.database import Database
from infway.database.sqlite import SqliteDatabase
from infway.kernel.account import Budget, Period
from infway.kernel.clock import Clock
from infway.ledger.alerts import Alert, Alerts, reached
from infway.ledger.purses import Purse
from infway.pipeline.alarms import TRIES, Alarms, Hook
from infway.upstream.client import Client
from infway.upstream.sign import Signer

USD = 10**12
BUDGET = Budget(Period.MONTH, 20 * USD, (0.5, 0.8, 1.0))
PURSE = Purse("project:web", "2026-11")
SECRET = "a secret of the tests"
BEGIN = 1_763_683_200.0  # 2025-11-21, UTC


@dataclass
class Office:
    """Processes that watch budgets, with one clock."""

    database: Database
    now: float = 0.0
    counted: list[tuple[str, str]] = field(default_factory=list)
    clients: list[Client] = field(default_factory=list)

    def alarms(self, url: str | None = None) -> Alarms:
        """Return what tells, in a process of its own."""
        client = Client(Signer({}), lambda: self.now)
        self.clients.append(client)
        clock = Clock(lambda: self.now, lambda: BEGIN + self.now)
        alarms = Alarms(
            Alerts(self.database), client, clock, lambda *what: self.counted.append(what)
        )
        alarms.hook = None if url is None else Hook(url, SECRET)
        return alarms


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = SqliteDatabase(tmp_path / "alerts.db")
    database.open()
    yield database
    database.close()


@pytest.fixture
async def office(database: Database) -> AsyncIterator[Office]:
    office = Office(database)
    yield office
    for client in office.clients:
        await client.close()


@asynccontextmanager
async def hook(status: Callable[[], int]) -> AsyncIterator[tuple[str, list[Asked]]]:
    """Return where alerts are posted, and what came."""

    def say(_: Asked) -> Script:
        headers = ("Location: http://127.0.0.1:9/elsewhere",)
        return whole(b"", status=status(), headers=headers)

    async with listening(say) as upstream:
        yield f"http://127.0.0.1:{upstream.port}/alerts", upstream.asked


@pytest.mark.parametrize(
    ("spent", "shares"),
    [
        (0, []),
        (10 * USD - 1, []),
        (10 * USD, [500_000]),
        (16 * USD, [500_000, 800_000]),
        (20 * USD, [500_000, 800_000, 1_000_000]),
        (21 * USD, [500_000, 800_000, 1_000_000]),
    ],
)
def test_a_share_is_reached_when_it_is_spent(spent: int, shares: list[int]) -> None:
    assert reached(BUDGET.alerts, BUDGET.most, spent) == shares
    assert reached(BUDGET.alerts, 0, 0) == []


async def test_each_share_is_said_once_over_all_processes(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    processes = [office.alarms() for _ in range(3)]
    for spent in (9, 10, 11, 17, 20, 20):
        for alarms in processes:
            alarms.watch(BUDGET, PURSE, spent * USD)
            await alarms.look()
    lines = [one.getMessage() for one in caplog.records]
    assert [line.split(" ")[0] for line in lines] == ["50", "80", "100"]
    assert "project=web period=2026-11 budget_usd=20 spent_usd=10" in lines[0]
    assert office.counted == [("project", "month")] * 3


async def test_a_new_period_has_alerts_of_its_own(office: Office) -> None:
    alarms = office.alarms()
    for period in ("2026-11", "2026-12"):
        alarms.watch(BUDGET, Purse("project:web", period), 10 * USD)
        await alarms.look()
    assert len(office.counted) == 2


async def test_a_budget_that_is_raised_has_alerts_of_its_own(office: Office) -> None:
    async with hook(lambda: 200) as (url, heard):
        processes = [office.alarms(url) for _ in range(2)]
        purse = Purse("project:web", "total")
        for most, spent in ((10, 8), (100, 8), (100, 80), (100, 81), (10, 81)):
            for alarms in processes:
                alarms.watch(Budget(Period.TOTAL, most * USD, (0.8,)), purse, spent * USD)
                await alarms.look()
    told = [(one.json["budget"]["usd"], one.json["spent_usd"]) for one in heard]
    assert told == [("10", "8"), ("100", "80")]
    assert len({one.headers["webhook-id"] for one in heard}) == 2


async def test_an_alert_that_cannot_be_noted_keeps_no_other_from_being_told(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    largest = Budget(Period.MONTH, 10**9 * USD, (1.0,))
    async with hook(lambda: 200) as (url, heard):
        alarms = office.alarms(url)
        async with asyncio.timeout(20), alarms.open():
            for holder in ("project:\ud800", "project:web"):  # half a character: no database has it
                alarms.watch(largest, Purse(holder, "2026-11"), largest.most)
            while not heard:
                await asyncio.sleep(0.02)
            alarms.watch(BUDGET, PURSE, 10 * USD)  # and it goes on
            while len(heard) < 2:
                await asyncio.sleep(0.02)
    assert [one.json["spent_usd"] for one in heard] == ["1000000000", "10"]
    said = [one.getMessage() for one in caplog.records if "cannot be noted" in one.getMessage()]
    assert len(said) == 1  # not each second


async def test_an_alert_that_cannot_be_told_keeps_no_other_from_being_told(
    office: Office, database: Database
) -> None:
    async with hook(lambda: 200) as (url, heard):
        alarms = office.alarms(url)
        await alarms.look()
        book = Alerts(database)
        for at, share in ((-1e300, 1), (1.0, 2), (-1e300, 3), (2.0, 4)):  # no date is so early
            assert book.note(Alert(PURSE, share, USD, USD, at), to_tell=True)
        with pytest.raises(OverflowError):
            await alarms.look()
        assert {one.json["at"] for one in heard} == {
            "1970-01-01T00:00:01+00:00",
            "1970-01-01T00:00:02+00:00",
        }


async def test_a_webhook_is_told_once_and_can_tell_who_told_it(office: Office) -> None:
    async with hook(lambda: 204) as (url, heard):
        processes = [office.alarms(url) for _ in range(3)]
        for alarms in processes:
            alarms.watch(BUDGET, PURSE, 17 * USD)
        for _ in range(3):
            for alarms in processes:
                await alarms.look()
            office.now += 60
        assert len(heard) == 2
    told = heard[1]
    assert told.path == "/alerts"
    assert told.headers["content-type"] == "application/json"
    name, at = told.headers["webhook-id"], told.headers["webhook-timestamp"]
    content = f"{name}.{at}.".encode() + told.body
    digest = hmac.new(SECRET.encode(), content, hashlib.sha256).digest()
    assert told.headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
    assert int(at) == BEGIN
    assert told.json == {
        "type": "budget.alert",
        "id": name,
        "at": "2025-11-21T00:00:00+00:00",
        "holder": {"kind": "project", "name": "web"},
        "budget": {"per": "month", "period": "2026-11", "usd": "20"},
        "share": 0.8,
        "spent_usd": "17",
    }
    assert len({one.headers["webhook-id"] for one in heard}) == 2


@pytest.mark.parametrize("status", [500, 404, 302, 307])
async def test_a_webhook_that_does_not_take_it_is_asked_again_later_and_later(
    office: Office, status: int
) -> None:
    answers = [status] * 3
    async with hook(lambda: answers.pop(0) if answers else 200) as (url, heard):
        alarms = office.alarms(url)
        alarms.watch(BUDGET, PURSE, 10 * USD)
        times: list[float] = []
        for _ in range(30):
            before = len(heard)
            await alarms.look()
            times += [office.now] * (len(heard) - before)
            office.now += 1
        assert times == [0, 2, 6, 14]
        assert len({one.headers["webhook-id"] for one in heard}) == 1


async def test_another_process_goes_on_where_one_died(office: Office, database: Database) -> None:
    async with hook(lambda: 200) as (url, heard):
        book = Alerts(database)
        dead = office.alarms(url)
        dead.watch(BUDGET, PURSE, 10 * USD)
        book.open()
        assert book.note(dead._new[0], to_tell=True)
        assert len(book.due(BEGIN, BEGIN + 30)) == 1  # and then it died
        other = office.alarms(url)
        await other.look()
        assert heard == []
        office.now = 31
        await other.look()
        assert len(heard) == 1


async def test_a_webhook_that_nobody_answers_is_given_up_at_last(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    alarms = office.alarms(f"http://127.0.0.1:{closed_port()}/")
    alarms.watch(BUDGET, PURSE, 10 * USD)
    for _ in range(TRIES + 5):
        await alarms.look()
        office.now += 3600
    said = [one.getMessage() for one in caplog.records]
    assert len(said) == 3
    assert "is tried again later" in said[1]
    assert f"is given up after {TRIES} tries" in said[2]
    assert json.dumps(said).count(SECRET) == 0
