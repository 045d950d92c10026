"""Budgets over many processes: never more than the cap, whoever asks, dies or comes twice."""

import pytest
from tests.ledger.row import ROW, request

from infway.database import Database
from infway.ledger.counting import purses_of
from infway.ledger.purses import Purse
from infway.ledger.spending import MOST_GRANTED, Spending, Sums, Want
from infway.ledger.sql import SqlLedger

KEY = Purse("key:key", "total")
PROJECT = Purse("project:p", "1970-01")


@pytest.fixture
def ledger(database: Database) -> SqlLedger:
    ledger = SqlLedger(database)
    ledger.open()
    return ledger


@pytest.fixture
def spending(database: Database) -> Spending:
    spending = Spending(database)
    spending.open()
    return spending


def test_what_is_left_is_granted_and_no_more(spending: Spending):
    assert spending.take("a", 9.0, [Want(KEY, 100, 60)]) == {KEY: 60}
    assert spending.take("b", 9.0, [Want(KEY, 100, 60)]) == {KEY: 40}
    assert spending.take("c", 9.0, [Want(KEY, 100, 60)]) == {KEY: 0}
    assert spending.take("a", 9.0, [Want(KEY, 100, 1)]) == {KEY: 0}
    assert spending.sums([KEY, PROJECT]) == {KEY: Sums(0, 100), PROJECT: Sums(0, 0)}
    assert [spending.held(owner) for owner in "abc"] == [{KEY: 60}, {KEY: 40}, {}]
    assert (spending.left(KEY, 100), spending.left(KEY, 130)) == (0, 30)


def test_several_purses_are_asked_at_once(spending: Spending):
    wants = [Want(PROJECT, 10, 60), Want(KEY, 100, 60)]
    assert spending.take("a", 9.0, wants) == {KEY: 60, PROJECT: 10}
    assert spending.held("a") == {KEY: 60, PROJECT: 10}


def test_what_is_given_back_is_granted_to_another(spending: Spending):
    spending.take("a", 9.0, [Want(KEY, 100, 100)])
    spending.give_back("a", {KEY: 30, PROJECT: 5})
    assert spending.held("a") == {KEY: 70}
    assert spending.take("b", 9.0, [Want(KEY, 100, 100)]) == {KEY: 30}
    spending.give_back("a", {KEY: 1000})
    assert spending.held("a") == {}
    assert spending.sums([KEY]) == {KEY: Sums(0, 30)}


def test_a_budget_that_was_made_smaller_grants_nothing_more(spending: Spending):
    spending.take("a", 9.0, [Want(KEY, 100, 100)])
    assert spending.take("b", 9.0, [Want(KEY, 50, 10)]) == {KEY: 0}
    assert spending.left(KEY, 50) == 0


def test_rows_are_paid_from_the_grants_of_who_admitted_them(spending: Spending, ledger: SqlLedger):
    (purse, *_) = purses_of(ROW)
    assert purse == Purse("key:key", "1970-01-01")
    spending.take("a", 9.0, [Want(purse, 2000, 1200), Want(KEY, 2000, 2000)])
    spending.take("b", 9.0, [Want(purse, 2000, 100)])
    ledger.append(request("r-1"), "a")
    ledger.append(request("r-1"), "a")
    assert spending.held("a") == {purse: 700, KEY: 1500}
    assert spending.sums([purse, KEY]) == {purse: Sums(500, 800), KEY: Sums(500, 1500)}
    assert spending.left(purse, 2000) == 700
    ledger.append(request("r-2", cost=1000), "a")  # more than there was: it is spent all the same
    assert spending.held("a") == {KEY: 500}
    assert spending.spent(purse) == 1500
    assert spending.held("b") == {purse: 100}


def test_rows_without_an_owner_are_spent_from_nobodys_grant(spending: Spending, ledger: SqlLedger):
    spending.take("a", 9.0, [Want(KEY, 1000, 1000)])
    ledger.append(request("r-1"))
    assert (spending.held("a"), spending.spent(KEY)) == ({KEY: 1000}, 500)


def test_grants_of_the_dead_stand_until_they_are_released(spending: Spending):
    spending.take("a", 10.0, [Want(KEY, 100, 60)])
    spending.take("b", 20.0, [Want(KEY, 100, 40)])
    assert spending.lapsed(9.0) == []
    spending.renew("b", 50.0)
    assert spending.lapsed(30.0) == ["a"]
    assert spending.take("b", 60.0, [Want(KEY, 100, 60)]) == {KEY: 0}
    spending.release("a")
    spending.release("nobody")
    assert spending.lapsed(30.0) == []
    assert spending.take("b", 60.0, [Want(KEY, 100, 100)]) == {KEY: 60}


def test_more_money_than_64_bits_hold_is_counted(spending: Spending, ledger: SqlLedger):
    most = 10**21  # a thousand million USD
    assert spending.take("a", 9.0, [Want(KEY, most, most)]) == {KEY: MOST_GRANTED}
    assert spending.take("a", 9.0, [Want(KEY, most, most)]) == {KEY: 0}
    for number in range(3):
        ledger.append(request(f"r-{number}", cost=2**63 - 1))
    assert spending.spent(KEY) == 3 * (2**63 - 1)
    assert spending.left(KEY, most) == most - 3 * (2**63 - 1) - MOST_GRANTED
