"""Reading the configuration again: row 70 of the fault matrix."""

import asyncio
import logging
import threading

from infway.kernel.errors import SettingsError
from infway.reloading import Reloading


class Reloads:
    """A configuration that is wrong as long as `problem` is set, and what became of reloads."""

    def __init__(self) -> None:
        self.problem: Exception | None = None
        self.go = threading.Event()
        self.go.set()
        self.reads = 0
        self.used: list[int] = []
        self.counted: list[str] = []
        self.reloading = Reloading(self._read, self._use, self.counted.append)

    def _read(self) -> int:
        assert self.go.wait(20)
        self.reads += 1
        if self.problem is not None:
            raise self.problem
        return self.reads

    async def _use(self, read: int) -> None:
        self.used.append(read)

    async def once(self, times: int = 1) -> None:
        for _ in range(times):
            self.reloading.ask()
            task = self.reloading._task
            assert task is not None
            await task


async def test_what_is_wrong_changes_nothing_and_is_said_once(caplog) -> None:
    reloads = Reloads()
    with caplog.at_level(logging.INFO, "infway.reloading"):
        reloads.problem = SettingsError(("infway.yaml:1:1: server.prot: there is no such setting",))
        await reloads.once(50)
        reloads.problem = OSError("the disk is gone")
        await reloads.once(50)
        reloads.problem = None
        await reloads.once()
        reloads.problem = OSError("the disk is gone")
        await reloads.once()
    assert reloads.used == [101]
    assert reloads.counted == ["failed"] * 100 + ["ok", "failed"]
    errors = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
    assert len(errors) == 3
    assert "server.prot" in errors[0]


async def test_signals_that_come_while_it_is_read_lead_to_one_more_reading() -> None:
    reloads = Reloads()
    reloads.go.clear()
    for _ in range(5):
        reloads.reloading.ask()
    await asyncio.sleep(0)
    for _ in range(5):
        reloads.reloading.ask()
    reloads.go.set()
    assert reloads.reloading._task is not None
    await reloads.reloading._task
    assert reloads.used == [1, 2]
