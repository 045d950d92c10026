"""Budgets under faults: schedules of them, and crowds of callers. `python -m tests.money`."""
