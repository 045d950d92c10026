"""The running process: what is checked and said at the start, and who serves.

`run` is what `infway serve` does. One process serves by itself; several are workers of a keeper,
which starts another where one dies.
"""

import gc
import os
import signal
import socket
import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from secrets import randbelow
from tempfile import TemporaryDirectory

from infway.addresses import ADMIN_WAY, BACKLOG, bound
from infway.banner import banner
from infway.forks import hear_signals
from infway.kernel.clock import system_clock
from infway.kernel.errors import InfwayError
from infway.pressure import raise_file_limit
from infway.serving import Plan, ServeOptions, plan
from infway.settings import Settings
from infway.stores import stores_of
from infway.telemetry.tallies import Tallies
from infway.workers import STARTUP_FAILURE, Keeper, Pipe, Refused, show_life

_MORE = 15.0  # seconds beyond grace and drain that a worker has for its last words and its ledger

__all__ = ["ServeOptions", "run"]


def run(options: ServeOptions) -> None:
    """Serve until a signal ends it; raises what stands against a start before that.

    SettingsError, DatabaseError, LedgerError, AddressError and WorkerError.
    """
    planned = plan(options, randbelow)
    server = planned.settings.server
    raise_file_limit()
    stores_of(planned).check()
    listener = bound(server.host, server.port)
    listener.set_inheritable(True)
    try:
        with _reserved(planned.settings):
            _serve(planned, listener)
    finally:
        options.data.remove_pid(os.getpid())
        listener.close()


def _serve(planned: Plan, listener: socket.socket) -> None:
    server = planned.settings.server
    if server.workers == 1:
        _answer(planned, None, listener)
        return
    listener.listen(BACKLOG)  # requests wait for the workers instead of being refused
    print(banner(planned), flush=True)
    planned.options.data.write_pid(os.getpid(), planned.url)
    patience = server.grace + server.drain + _MORE
    now = system_clock().monotonic
    with TemporaryDirectory(prefix="infway-metrics-") as folder:
        work = partial(_work, Path(folder))
        Keeper(work, planned, server.workers, listener, patience, now).run()


@contextmanager
def _reserved(settings: Settings) -> Generator[None, None, None]:
    """Keep the address of the admin API for this process and its workers; raises AddressError."""
    admin = settings.admin
    if admin.port is None:
        yield
        return
    with bound(admin.host, admin.port, ADMIN_WAY, shared=True):
        yield


def _work(metrics: Path, planned: Plan, listener: socket.socket, connection: Connection) -> None:
    """Serve as one of several workers: what ends them, and what reloads, comes from the keeper.

    `metrics`: the folder in which all of them count. What stands against a start is told the
    keeper, which says it once however often it is so.
    """
    for one in (signal.SIGINT, signal.SIGHUP):
        signal.signal(one, signal.SIG_IGN)
    hear_signals()
    pipe = Pipe(connection)
    show_life(pipe)
    try:
        _answer(planned, pipe, listener, Tallies(metrics))
    except InfwayError as error:
        pipe.say(Refused(str(error)))
        sys.exit(STARTUP_FAILURE)


def _answer(
    planned: Plan, pipe: Pipe | None, listener: socket.socket, tallies: Tallies | None = None
) -> None:
    """Serve in this process."""
    gc.disable()  # until it serves: collecting what is loaded to stay takes a tenth of the start
    # a keeper answers nothing, and is a quarter smaller without all that can
    from infway.served import Served  # noqa: PLC0415 - as said above

    Served(planned, pipe, tallies).run(listener)
