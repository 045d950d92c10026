"""Budgets under schedules of faults, a few of those that `python -m tests.money` runs."""

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.money.machine import Money


def test_no_schedule_of_faults_overspends_a_budget_or_leaves_anything_reserved() -> None:
    run_state_machine_as_test(
        Money,
        settings=settings(
            max_examples=40,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
