"""Limits in one process against a count by hand."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infway.kernel.account import Holder, Limits, Window
from infway.kernel.clock import Clock
from infway.state.meter import Kind, Need, Verdict
from infway.state.meter_memory import MemoryMeter

START = 1_000_000.0


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = START

    def clock(self) -> Clock:
        return Clock(lambda: self.at, lambda: self.at)


def holder(name: str = "key:a", **limits: object) -> Holder:
    return Holder(name, Limits(**limits))  # type: ignore[arg-type]


def requests(*windows: tuple[int, int]) -> tuple[Window, ...]:
    return tuple(Window(*one) for one in windows)


STEPS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.001, 0.01, 0.4, 1.0, 3.0, 9.999, 10.0, 10.011, 25.0]),
        st.integers(0, 6),
        st.integers(0, 12),
        st.sampled_from(["nothing", "release", "settle"]),
    ),
    max_size=60,
)


class Reference:
    """Every use with its time, counted anew each time."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.uses: list[tuple[float, int, int, int]] = []
        self.held = 0

    def used(self, kind: int, since: float) -> int:
        return sum(use[kind] for use in self.uses if use[0] > since)

    def lets_in(self, now: float, need: Need, slack: float) -> bool:
        """Tell whether it would be let in where uses count for `1 + slack` windows."""
        kinds = ((1, self.limits.requests, 1), (2, self.limits.tokens, need.tokens),
                 (3, self.limits.characters, need.characters))  # fmt: skip
        for kind, windows, amount in kinds:
            for window in windows:
                used = self.used(kind, now - window.seconds * (1 + slack) - slack)
                if amount and used + amount > window.most:
                    return False
        most = self.limits.concurrent
        return most is None or self.held < most


@given(STEPS)
def test_nobody_is_let_in_beyond_a_limit_nor_refused_below_it(
    steps: list[tuple[float, int, int, str]],
) -> None:
    hand = Hand()
    meter = MemoryMeter(hand.clock())
    limits = Limits(requests((1, 4), (10, 9)), requests((10, 20)), requests((3, 30)), 3)
    reference = Reference(limits)
    holders = (Holder("key:a", limits),)
    tickets = []
    for wait, tokens, characters, then in steps:
        hand.at += wait
        need = Need(tokens, characters)
        verdict = meter.taken(holders, need)
        if verdict.ticket is not None:
            assert reference.lets_in(hand.at, need, 0.0)
            reference.uses.append((hand.at, 1, tokens, characters))
            reference.held += 1
            tickets.append(verdict.ticket)
        else:
            assert not reference.lets_in(hand.at, need, 0.0011)
            reference.uses.append((hand.at, 1, 0, 0))
        if then == "release" and tickets:
            reference.held -= 1
            meter.release(tickets.pop(0))
        elif then == "settle" and tickets:
            ticket = tickets[0]
            at = next(i for i, use in enumerate(reference.uses) if int(use[0] * 1000) == ticket.at
                      and use[2] >= ticket.tokens)  # fmt: skip
            when, one, counted, letters = reference.uses[at]
            reference.uses[at] = (when, one, counted - ticket.tokens, letters)
            meter.settle(ticket, 0)


def test_a_refusal_says_when_there_is_room_and_there_is() -> None:
    hand = Hand()
    meter = MemoryMeter(hand.clock())
    holders = (holder(tokens=requests((60, 100))),)
    assert meter.taken(holders, Need(60)).ticket
    hand.at += 7
    refused = meter.taken(holders, Need(60)).refused
    assert refused is not None
    assert refused.what is Kind.TOKENS
    assert 53 <= refused.retry_after <= 53.1
    hand.at += refused.retry_after - 0.001
    assert meter.taken(holders, Need(60)).refused
    hand.at += 0.001
    assert meter.taken(holders, Need(60)).ticket


def test_what_is_more_than_the_limit_never_passes() -> None:
    meter = MemoryMeter(Hand().clock())
    refused = meter.taken((holder(tokens=requests((60, 100))),), Need(101)).refused
    assert refused is not None
    assert refused.never


def test_more_than_was_estimated_counts_from_when_it_is_known() -> None:
    hand = Hand()
    meter = MemoryMeter(hand.clock())
    holders = (holder(tokens=requests((10, 100))),)
    ticket = meter.taken(holders, Need(10)).ticket
    assert ticket is not None
    hand.at += 9
    meter.settle(ticket, 90)
    hand.at += 2  # the estimate has left the window, the rest has not
    assert _left(meter, holders) == 20
    hand.at += 8.1
    assert _left(meter, holders) == 100


def _left(meter: MemoryMeter, holders: tuple[Holder, ...]) -> int:
    verdict: Verdict = asyncio.run(meter.standing(holders))
    assert verdict.tokens is not None
    return verdict.tokens.remaining


def test_a_try_counts_with_all_up_to_the_one_that_refuses_it_and_takes_nothing_else() -> None:
    meter = MemoryMeter(Hand().clock())
    key = holder("key:a", requests=requests((60, 5)), tokens=requests((60, 100)), concurrent=5)
    project = holder("project:p", requests=requests((60, 2)), tokens=requests((60, 1000)))
    whole = holder("organisation:o", requests=requests((60, 3)))
    seen = [meter.taken((key, project, whole), Need(30)).refused for _ in range(4)]
    assert [one and one.holder for one in seen] == [None, None, "project:p", "project:p"]
    books = meter.books
    assert [window.sum for _, window in books["key:a"].windows] == [4, 60]
    assert [window.sum for _, window in books["project:p"].windows] == [4, 60]
    assert [window.sum for _, window in books["organisation:o"].windows] == [2]
    assert books["key:a"].held == 2


def test_a_window_remembers_a_bounded_number_of_turns() -> None:
    hand = Hand()
    meter = MemoryMeter(hand.clock())
    holders = (holder(requests=requests((60, 10**9))),)
    for _ in range(5000):
        hand.at += 0.019
        meter.taken(holders, Need())
    (_, window), = meter.books["key:a"].windows  # fmt: skip
    assert len(window.counts) <= 1001
    assert 60 / 0.019 <= window.sum <= 60.1 / 0.019


def test_holders_that_are_unused_are_forgotten() -> None:
    hand = Hand()
    meter = MemoryMeter(hand.clock())
    for number in range(3000):
        hand.at += 1
        verdict = meter.taken((holder(f"key:{number}", requests=requests((60, 1))),), Need())
        assert verdict.ticket is not None
        meter.release(verdict.ticket)
    assert len(meter.books) < 70


@pytest.mark.parametrize("change", [1, 3])
def test_new_limits_hold_for_what_was_used_before(change: int) -> None:
    hand = Hand()
    meter = MemoryMeter(hand.clock())
    for _ in range(2):
        meter.taken((holder(requests=requests((60, 5))),), Need())
    smaller = (holder(requests=requests((60, change))),)
    assert (meter.taken(smaller, Need()).refused is None) == (change == 3)
    other = (holder(requests=requests((600, 3))),)
    assert meter.taken(other, Need()).refused is not None


def test_one_of_several_processes_holds_to_its_share() -> None:
    meter = MemoryMeter(Hand().clock(), parts=4)
    holders = (holder(requests=requests((60, 10)), concurrent=9),)
    verdicts = [meter.taken(holders, Need()) for _ in range(3)]
    assert [one.refused is None for one in verdicts] == [True, True, False]
