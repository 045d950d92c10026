"""What a process says of its Redis, however many use it."""

import logging

import pytest

from infway.state.outage import Outage


def test_all_who_lose_it_say_so_in_one_line_and_have_it_back_in_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    outage = Outage()
    for _ in range(2):
        outage.fails("meter", "limits are not shared", "no answer in time")
        outage.fails("board", "evidence is not shared", "no answer in time")
        outage.answers("meter")
        outage.fails("meter", "limits are not shared", "no answer in time")
        outage.answers("board")
        outage.answers("meter")
        outage.answers("board")
    fell = "redis fails, limits are not shared until it is back: no answer in time"
    back = "redis answers, limits and evidence are shared with other replicas"
    assert [one.message for one in caplog.records] == [fell, back] * 2
