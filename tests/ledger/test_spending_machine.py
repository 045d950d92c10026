"""Budgets under any course of events: what is spent and granted never goes beyond the cap."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from tests.ledger.row import ROW, request
from tests.ledger.sums import assert_sums_equal_rows

from infway.database import Database
from infway.ledger.counting import purses_of
from infway.ledger.purses import Purse
from infway.ledger.rows import Row
from infway.ledger.spending import Spending, Want
from infway.ledger.sql import SqlLedger

PURSES = tuple(purses_of(ROW._replace(project="p")))  # of one key and one project
OWNERS = st.sampled_from(["a", "b", "c"])
AMOUNTS = st.integers(0, 120)
LEASE = 10.0


class Process:
    """One gateway's memory: what it was granted, reserved and has not written yet."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.granted = dict.fromkeys(PURSES, 0)
        self.reserved: list[tuple[int, str]] = []
        self.journal: list[Row] = []

    def available(self, purse: Purse) -> int:
        promised = sum(amount for amount, _ in self.reserved)
        return (
            self.granted[purse]
            - promised
            - sum(row.cost for row in self.journal if not row.attempt)
        )

    def reserve(self, amount: int, name: str) -> None:
        if all(self.available(purse) >= amount for purse in PURSES):
            self.reserved.append((amount, name))


class Escrow(RuleBasedStateMachine):
    """Processes that take, reserve, settle, write, give back, fall silent and die."""

    database: Database

    @initialize(caps=st.lists(st.integers(0, 300), min_size=len(PURSES), max_size=len(PURSES)))
    def begin(self, caps: list[int]) -> None:
        self.ledger, self.spending = SqlLedger(self.database), Spending(self.database)
        self.ledger.open()
        with self.database.transaction() as work:
            for table in ("entries", "hours", "days", "spent", "grants"):
                work.run(f"DELETE FROM {table}")
        self.caps = dict(zip(PURSES, caps, strict=True))
        self.live = {name: Process(name) for name in ("a", "b", "c")}
        self.dead: list[Process] = []
        self.now, self.number = 0.0, 0

    @rule(owner=OWNERS, wanted=AMOUNTS, lost=st.booleans())
    def take(self, owner: str, wanted: int, lost: bool) -> None:
        process = self.live[owner]
        wants = [Want(purse, cap, wanted) for purse, cap in self.caps.items()]
        granted = self.spending.take(process.name, self.now + LEASE, wants)
        if not lost:
            for purse, amount in granted.items():
                process.granted[purse] += amount

    @rule(owner=OWNERS)
    def look_after_an_answer_was_lost(self, owner: str) -> None:
        process = self.live[owner]
        held = self.spending.held(process.name)
        process.granted = {purse: held.get(purse, 0) for purse in PURSES}

    @rule(owner=OWNERS, amount=AMOUNTS)
    def reserve(self, owner: str, amount: int) -> None:
        self.number += 1
        self.live[owner].reserve(amount, f"r-{self.number}")

    @rule(owner=OWNERS, share=st.floats(0, 1))
    def settle(self, owner: str, share: float) -> None:
        process = self.live[owner]
        if process.reserved:
            amount, name = process.reserved.pop()
            process.journal += request(name, cost=int(amount * share), project="p")

    @rule(owner=OWNERS, times=st.integers(1, 3))
    def write(self, owner: str, times: int) -> None:
        self._write(self.live[owner], times)

    def _write(self, process: Process, times: int = 1) -> None:
        for _ in range(times):
            self.ledger.append(process.journal, process.name)
        for row in process.journal:
            if not row.attempt:
                for purse in PURSES:
                    process.granted[purse] -= row.cost
        process.journal = []

    @rule(owner=OWNERS, share=st.floats(0, 1))
    def give_back(self, owner: str, share: float) -> None:
        process = self.live[owner]
        amounts = {purse: int(process.available(purse) * share) for purse in PURSES}
        for purse, amount in amounts.items():
            process.granted[purse] -= amount
        self.spending.give_back(process.name, amounts)

    @rule(owner=OWNERS)
    def crash(self, owner: str) -> None:
        self.number += 1
        self.dead.append(self.live[owner])
        self.live[owner] = Process(f"{owner}{self.number}")

    @rule()
    def recover(self) -> None:
        self.now += 2 * LEASE
        for process in self.live.values():
            self.spending.renew(process.name, self.now + LEASE)
        lapsed = self.spending.lapsed(self.now)
        assert set(lapsed) <= {process.name for process in self.dead}
        for process in self.dead:
            for amount, name in process.reserved:  # an attempt that nobody saw end
                process.journal += request(name, cost=amount, project="p")
            self._write(process, 2)
            self.spending.release(process.name)
        self.dead = []
        assert self.spending.lapsed(self.now) == []

    @invariant()
    def the_cap_holds(self) -> None:
        for purse, sums in self.spending.sums(self.caps).items():
            assert sums.spent + sums.granted <= self.caps[purse]

    @invariant()
    def nobody_believes_to_have_more_than_it_has(self) -> None:
        for process in self.live.values():
            held = self.spending.held(process.name)
            for purse in PURSES:
                assert process.available(purse) >= 0
                assert process.granted[purse] <= held.get(purse, 0)

    def teardown(self) -> None:
        self.recover()
        for process in self.live.values():
            self._write(process)
            self.spending.release(process.name)
        assert all(sums.granted == 0 for sums in self.spending.sums(PURSES).values())
        assert_sums_equal_rows(self.database)


@pytest.fixture
def machine(database: Database) -> Iterator[type[Escrow]]:
    Escrow.database = database
    yield Escrow
    del Escrow.database


def test_spent_and_granted_never_go_beyond_the_cap(machine: type[Escrow], database: Database):
    examples = 40 if database.kind == "sqlite" else 10
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
