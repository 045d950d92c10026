"""The thread that sees the event loop stand still: row 76 of the fault matrix."""

import asyncio
import logging
import threading
import time
from dataclasses import replace

import pytest
from tests.process.conftest import QUICK, Launch
from tests.process.test_stopping import until

from infway.kernel.clock import system_clock
from infway.watchdog import Patience, Watchdog


class Watched:
    """A watchdog over the loop of the test, and what it told."""

    def __init__(self, patience: Patience = QUICK) -> None:
        self.stalled = threading.Event()
        self.stalls = self.looks = 0
        self.dog = Watchdog(system_clock().monotonic, self._stall, self._look, patience)
        self.dog.start(asyncio.get_running_loop())

    def _stall(self) -> None:
        self.stalls += 1
        self.stalled.set()

    def _look(self) -> None:
        self.looks += 1

    def stand_still(self) -> None:
        """Hold the loop up until the watchdog has seen it."""
        self.stalled.clear()
        assert self.stalled.wait(20)
        before = self.looks
        while self.looks < before + 3:  # and has had the time to say so
            time.sleep(0.001)


async def test_a_loop_that_stands_still_is_seen_and_the_log_says_where(caplog) -> None:
    slow = replace(QUICK, stall=1.0)  # what another keeps the loop from its turn is no stall
    watched = Watched(slow)
    with caplog.at_level(logging.WARNING, "infway.watchdog"):
        watched.stand_still()
        assert watched.dog.lag >= slow.stall
        await until(lambda: watched.dog.lag < slow.stall)
        watched.stand_still()
    watched.dog.stop()
    assert watched.stalls == 2  # once for each stall, however long it lasts
    assert len(caplog.messages) == 1  # and one stack a minute
    assert "in stand_still" in caplog.messages[0]


async def test_a_loop_that_is_late_again_and_again_has_too_much_to_do() -> None:
    patience = Patience(tick=0.001, stall=0.01, late=0.02)
    watched = Watched(patience)
    assert not watched.dog.is_late
    turns = 0
    while not watched.dog.is_late:
        time.sleep(0.03)  # a turn of the loop that takes long
        await asyncio.sleep(0)
        turns += 1
        assert turns < 100
    assert turns >= 2  # one turn is an accident
    await until(lambda: not watched.dog.is_late)
    watched.dog.stop()


async def test_a_process_whose_loop_is_late_for_seconds_is_not_ready(launch: Launch) -> None:
    process = await launch()
    assert (await process.get("/readyz", ())).status == 200
    process.app.lag = lambda: 5.1
    assert (await process.get("/readyz", ())).status == 503
    assert (await process.get("/healthz", ())).status == 200


async def test_a_stall_is_on_the_page_of_metrics(launch: Launch) -> None:
    process = await launch(patience=QUICK)

    async def stalls() -> float:
        page = (await process.get("/metrics", ())).body.decode()
        assert "infway_loop_lag_seconds" in page
        return float(page.split("\ninfway_loop_stalls_total ")[1].split()[0])

    before = await stalls()
    time.sleep(10 * QUICK.stall)
    while await stalls() == before:
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("share", [0.25, 0.5])
async def test_what_is_in_use_is_on_the_page_of_metrics(launch: Launch, share: float) -> None:
    process = await launch()
    process.machine.memory = process.machine.files = share
    relief = process.server._relief
    assert relief is not None
    await until(lambda: relief.memory == relief.files == share)
    page = (await process.get("/metrics", ())).body.decode()
    assert f"infway_memory_share {share}" in page
    assert f"infway_files_share {share}" in page
