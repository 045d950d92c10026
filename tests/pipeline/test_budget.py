"""The budget of retries: a share of the requests of the last ten seconds, and a floor."""

from hypothesis import given
from hypothesis import strategies as st

from infway.pipeline.budget import WINDOW, RetryBudget


def begin(budget: RetryBudget, requests: int, now: float) -> None:
    """Begin requests as the attempt loop does."""
    if now >= budget.until:
        budget.turn(now)
    budget.begun += requests


def test_a_few_retries_are_always_allowed():
    budget = RetryBudget(0.2, 3)
    assert [budget.allows(5.0) for _ in range(5)] == [True, True, True, False, False]


def test_retries_grow_with_the_requests():
    budget = RetryBudget(0.2, 3)
    begin(budget, 100, 5.0)
    assert sum(budget.allows(6.0) for _ in range(100)) == 18


def test_what_is_older_than_ten_seconds_no_longer_counts():
    budget = RetryBudget(0.2, 3)
    begin(budget, 1000, 5.0)
    assert sum(budget.allows(18.0) for _ in range(100)) == 3


def test_no_share_and_no_floor_are_no_retries():
    budget = RetryBudget(0.0, 0)
    begin(budget, 1000, 5.0)
    assert not budget.allows(5.0)


def test_hedges_have_a_share_of_their_own():
    budget = RetryBudget(0.2, 3, 0.05)
    begin(budget, 100, 5.0)
    assert sum(budget.hedges(5.0) for _ in range(50)) == 5
    assert budget.allows(5.0)


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(0, 20), st.integers(0, 20)), max_size=80))
def test_no_window_holds_more_retries_than_the_share_of_a_window_and_a_half(steps):
    budget, now, done = RetryBudget(0.2, 3), 0.0, []
    for pause, requests, wishes in steps:
        now += pause
        begin(budget, requests, now)
        granted = sum(budget.allows(now) for _ in range(wishes))
        done.append((now, requests, granted))
    for end, _, _ in done:
        retries = sum(g for at, _, g in done if end - WINDOW < at <= end)
        requests = sum(r for at, r, _ in done if end - 2 * WINDOW - 2 < at <= end)
        assert retries <= max(3, 0.2 * requests) + 3 + 1
