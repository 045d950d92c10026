"""The breaker as a machine: what it may do, whatever happens and whenever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from infway.ims.breaker import Breaker, State, Window
from infway.ims.tuning import Trip

TRIP = Trip()
LONGEST = TRIP.longest


def opened(now: float = 0.0, chance: float = 0.0) -> Breaker:
    breaker = Breaker(TRIP)
    for _ in range(5):
        breaker.failed(now, 1.0, chance)
    return breaker


def test_five_failures_in_a_row_open_it_and_four_do_not() -> None:
    breaker = Breaker(TRIP)
    assert [breaker.failed(0.0, 1.0, 0.0) for _ in range(5)] == [False] * 4 + [True]
    assert breaker.state(0.0) is State.OPEN


def test_a_success_between_them_starts_the_count_again() -> None:
    breaker = Breaker(TRIP)
    for _ in range(3):
        for _ in range(4):
            breaker.failed(0.0, 1.0, 0.0)
        breaker.succeeded(0.0)
        breaker.succeeded(0.0)
        breaker.succeeded(0.0)
        breaker.succeeded(0.0)
        breaker.succeeded(0.0)
    assert breaker.state(0.0) is State.CLOSED


def test_half_failures_count_half() -> None:
    breaker = Breaker(TRIP)
    assert [breaker.failed(0.0, 0.5, 0.0) for _ in range(10)].index(True) == 9


def test_half_of_twenty_attempts_open_it_without_a_streak() -> None:
    breaker = Breaker(TRIP)
    for attempt in range(19):
        if attempt % 2:
            assert not breaker.failed(attempt, 1.0, 0.0)
        else:
            breaker.succeeded(attempt)
    assert breaker.failed(19.0, 1.0, 0.0)


def test_failures_older_than_the_window_no_longer_count() -> None:
    breaker = Breaker(TRIP)
    for attempt in range(200):
        now = attempt * 2.0
        if attempt % 2:
            assert not breaker.failed(now, 1.0, 0.0)
        else:
            breaker.succeeded(now)


def test_the_wait_doubles_from_one_second_to_sixty() -> None:
    breaker, now, waits = opened(), 0.0, []
    for _ in range(9):
        waits.append(breaker.shut - now)
        now = breaker.shut
        breaker.dispatched(now)
        breaker.failed(now, 1.0, 0.0)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_an_upstream_that_refuses_at_once_is_asked_every_two_seconds() -> None:
    breaker, now, waits = opened(), 0.0, []
    for _ in range(5):
        waits.append(breaker.shut - now)
        now = breaker.shut
        breaker.dispatched(now)
        breaker.failed(now, 1.0, 0.0, 0.01)
    assert waits == [1, 2, 2, 2, 2]
    breaker.dispatched(breaker.shut)
    now = breaker.shut - TRIP.lease
    breaker.failed(now, 1.0, 0.0, 30.0)  # one that was slow to fail goes on from there
    assert breaker.shut - now == 2


def test_an_offer_that_is_back_has_its_share_in_steps() -> None:
    breaker = opened()
    assert breaker.share(0.0) == 1.0
    breaker.dispatched(1.0)
    breaker.succeeded(2.0)
    assert [breaker.share(2.0 + after) for after in (0.0, 0.9, 1.1, 1.9, 2.1)] == [
        0.1, 0.1, 0.3, 0.3, 1.0,
    ]  # fmt: skip


def test_chance_shortens_the_wait_by_at_most_half() -> None:
    assert opened(0.0, 0.999).shut == pytest.approx(0.5, abs=0.01)


def test_a_half_open_breaker_lets_one_attempt_in_at_a_time() -> None:
    breaker = opened()
    assert breaker.state(1.0) is State.HALF_OPEN
    breaker.dispatched(1.0)
    assert breaker.state(1.0) is State.PROBING
    assert breaker.shut > 1.0


def test_the_probe_decides() -> None:
    breaker = opened()
    breaker.dispatched(1.0)
    assert breaker.succeeded(2.0)
    assert breaker.state(2.0) is State.CLOSED
    assert breaker.shut == 0.0


def test_a_lost_probe_gives_its_lease_back_by_itself() -> None:
    breaker = opened()
    breaker.dispatched(1.0)
    assert breaker.state(1.0 + TRIP.lease) is State.HALF_OPEN


def test_a_probe_that_says_nothing_gives_its_lease_back_at_once() -> None:
    breaker = opened()
    breaker.dispatched(1.0)
    breaker.abandoned(1.5)
    assert breaker.state(1.5) is State.HALF_OPEN


def test_late_failures_of_earlier_attempts_do_not_lengthen_the_wait() -> None:
    breaker = opened()
    before = breaker.shut
    assert not breaker.failed(0.5, 1.0, 0.0)
    assert breaker.shut == before


def test_a_success_in_panic_mode_makes_it_half_open() -> None:
    breaker = opened()
    assert not breaker.succeeded(0.5)
    assert breaker.state(0.5) is State.HALF_OPEN


def test_a_relapse_soon_after_closing_waits_longer_and_a_late_one_starts_over() -> None:
    soon, late = opened(), opened()
    for breaker, pause in ((soon, 5.0), (late, 1000.0)):
        breaker.dispatched(1.0)
        breaker.succeeded(1.0)
        for _ in range(5):
            breaker.failed(1.0 + pause, 1.0, 0.0)
    assert soon.shut - 6.0 == 2.0
    assert late.shut - 1001.0 == 1.0


@given(st.lists(st.tuples(st.floats(0, 20), st.sampled_from([0.0, 0.5, 1.0])), max_size=60))
def test_the_window_never_counts_what_is_older_nor_forgets_what_is_newer(
    steps: list[tuple[float, float]],
) -> None:
    window, now, seen = Window(30.0), 0.0, []
    for wait, failure in steps:
        now += wait
        window.add(now, failure)
        seen.append((now, failure))
        attempts, failures = window.totals(now)
        surely = [f for at, f in seen if at > now - 25.0]
        at_most = [f for at, f in seen if at > now - 30.0]
        assert len(surely) <= attempts <= len(at_most)
        assert sum(surely) <= failures <= sum(at_most)


class Life(RuleBasedStateMachine):
    """Attempts begin and end in any order; time only moves forward."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.breaker = Breaker(TRIP)
        self.under_way = 0

    @rule(seconds=st.floats(0.0, 100.0))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def begin(self) -> None:
        before = self.breaker.state(self.now)
        self.breaker.dispatched(self.now)
        self.under_way += 1
        after = self.breaker.state(self.now)
        assert (after is State.PROBING) == (before in (State.HALF_OPEN, State.PROBING))

    @precondition(lambda self: self.under_way)
    @rule()
    def succeed(self) -> None:
        before = self.breaker.state(self.now)
        closed = self.breaker.succeeded(self.now)
        self.under_way -= 1
        assert closed == (before in (State.HALF_OPEN, State.PROBING))
        assert self.breaker.state(self.now) is not State.OPEN

    @precondition(lambda self: self.under_way)
    @rule(weight=st.sampled_from([0.5, 1.0]), chance=st.floats(0.0, 0.999))
    def fail(self, weight: float, chance: float) -> None:
        before = self.breaker.state(self.now)
        opened = self.breaker.failed(self.now, weight, chance)
        self.under_way -= 1
        assert opened or before in (State.CLOSED, State.OPEN)
        assert not opened or self.breaker.state(self.now) is State.OPEN

    @precondition(lambda self: self.under_way)
    @rule()
    def leave(self) -> None:
        self.breaker.abandoned(self.now)
        self.under_way -= 1
        assert self.breaker.state(self.now) is not State.PROBING

    @invariant()
    def never_shut_for_longer_than_the_longest_wait(self) -> None:
        assert self.breaker.shut <= self.now + LONGEST

    @invariant()
    def shut_and_state_say_the_same(self) -> None:
        state = self.breaker.state(self.now)
        assert (self.breaker.shut > self.now) == (state in (State.OPEN, State.PROBING))


TestLife = Life.TestCase
