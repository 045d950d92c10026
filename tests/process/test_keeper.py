"""The keeper of workers: who cannot start, and when that ends all of them."""

import logging
import socket
import sys
from collections.abc import Iterator
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from infway.kernel.clock import system_clock
from infway.workers import STARTUP_FAILURE, Keeper, Pipe, Ready, Refused, WorkerError


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with closing(socket.socket()) as one:
        yield one


def refused(_plan: Path, _listener: socket.socket, connection: Connection) -> None:
    """Be a worker that cannot start."""
    Pipe(connection).say(Refused("the disk is full"))
    sys.exit(STARTUP_FAILURE)


def refused_later(plan: Path, _listener: socket.socket, connection: Connection) -> None:
    """Be a worker that starts and dies, then two that cannot start, then one that is told to stop."""
    pipe = Pipe(connection)
    starts = len(list(plan.iterdir()))
    (plan / str(starts)).touch()
    if starts in (1, 2):
        refused(plan, _listener, connection)
    pipe.say(Ready())
    if starts:
        (plan / "again").touch()
        connection.recv()  # that it is to stop


def test_all_end_where_no_worker_could_ever_start(listener: socket.socket, tmp_path: Path):
    keeper = Keeper(refused, tmp_path, 2, listener, 5.0, system_clock().monotonic)
    with pytest.raises(WorkerError, match="a worker could not start: the disk is full"):
        keeper.run()


def test_one_that_cannot_start_later_is_tried_again_and_told_of_once(
    listener: socket.socket, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.WARNING)

    class Watched(Keeper[Path]):
        """A keeper that stops once workers can start again."""

        def _turn(self) -> None:
            super()._turn()
            if (tmp_path / "again").exists() and not self._stops and not self._said:
                self._obey(15)

    Watched(refused_later, tmp_path, 1, listener, 5.0, system_clock().monotonic).run()
    assert {one.name for one in tmp_path.iterdir()} == {"0", "1", "2", "3", "again"}
    said = [one.getMessage() for one in caplog.records]
    assert sum("cannot start, it is tried again" in one for one in said) == 1
    assert said[-1] == "workers can start again"
