"""Alerts in either database: of budgets as large as there may be, and of ones that were changed."""

import pytest

from infway.database import Database
from infway.ledger.alerts import STEPS, Alert, Alerts
from infway.ledger.amounts import split
from infway.ledger.purses import Purse, lessen, pay
from infway.ledger.spending import Spending, Want
from infway.ledger.tables import STEPS as LEDGER

USD = 10**12
FIRST = 2  # steps of the first version
PURSE = Purse("organisation:acme", "total")
LARGEST = Alert(PURSE, 1_000_000, 10**9 * USD, 10**9 * USD + 1, 5.0)


@pytest.fixture
def alerts(database: Database) -> Alerts:
    alerts = Alerts(database)
    alerts.open()
    return alerts


def test_the_largest_budget_is_noted_told_and_found_again(alerts: Alerts) -> None:
    assert alerts.note(LARGEST, to_tell=True)
    assert not alerts.note(LARGEST, to_tell=True)
    assert alerts.due(5.0, 9.0) == [LARGEST._replace(tries=1)]
    alerts.later(LARGEST, 7.0)
    assert alerts.due(6.0, 9.0) == []
    assert alerts.due(7.0, 9.0) == [LARGEST._replace(tries=2)]
    alerts.told(LARGEST)
    assert alerts.due(99.0, 99.0) == []


def test_a_budget_that_was_changed_has_alerts_of_its_own(alerts: Alerts) -> None:
    small = Alert(PURSE, 800_000, 10 * USD, 8 * USD, 0.0)
    large = Alert(PURSE, 800_000, 100 * USD, 80 * USD, 1.0)
    assert [alerts.note(one, to_tell=True) for one in (small, large, small, large)] == [
        True, True, False, False,
    ]  # fmt: skip
    alerts.told(small)
    assert alerts.due(2.0, 9.0) == [large._replace(tries=1)]


def test_what_an_older_version_noted_is_noted_still(database: Database) -> None:
    database.migrate("alerts", STEPS[:FIRST])
    rows = [
        ("key:a", "total", 800_000, 10 * USD, 8 * USD, 1.5, 1.5, 2, 0),
        ("key:a", "2026-11", 1_000_000, 9 * 10**18, 9 * 10**18 + 1, 2.0, 2.0, 1, 1),
    ]
    with database.transaction() as work:
        work.many("INSERT INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    for _ in range(2):
        alerts = Alerts(database)
        alerts.open()
    known = [Alert(Purse(*row[:2]), *row[2:6], row[7]) for row in rows]
    assert [alerts.note(one, to_tell=True) for one in known] == [False, False]
    assert alerts.due(3.0, 9.0) == [known[0]._replace(tries=3)]
    assert alerts.note(LARGEST, to_tell=False)


def test_a_cost_of_more_than_64_bits_is_spent_and_takes_the_whole_grant(database: Database) -> None:
    database.migrate("ledger", LEDGER)
    spending = Spending(database)
    spending.take("me", 99.0, [Want(PURSE, 10**9 * USD, 10**9 * USD)])
    with database.transaction() as work:
        pay(work, "me", {PURSE: 3 * 2**63})
    assert spending.sums([PURSE])[PURSE] == (3 * 2**63, 0)
    assert split(3 * 2**63)[0] < 2**63
    spending.take("me", 99.0, [Want(PURSE, 10**9 * USD, 5)])
    with database.transaction() as work:
        lessen(work, "me", {PURSE: 4})
    assert spending.held("me") == {PURSE: 1}
