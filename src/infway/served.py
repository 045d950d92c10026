"""One process that answers: its app, signals and reloads, and the embedded model beside it."""

import asyncio
import gc
import logging
import os
import signal
import socket
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from secrets import randbelow, randbits

import uvicorn

from infway.addresses import BACKLOG
from infway.admin_port import admin_open, tell_keeper
from infway.api.front import Front
from infway.app import App, Parts, parts
from infway.banner import banner
from infway.configured import limits_of
from infway.door.hall import DoorConfig
from infway.door.protocols import PROTOCOLS
from infway.ledger.alerts import Alerts
from infway.ledger.journal import Journal
from infway.ledger.replays import Replays
from infway.ledger.spending import Spending
from infway.listening import Listening, Order
from infway.pipeline.settler import Spooling
from infway.relief import senses
from infway.reloading import Reloading
from infway.serving import (
    EmbeddedError,
    Plan,
    embedded_upstream,
    plan,
    with_embedded,
    with_sandbox,
)
from infway.settings import Settings
from infway.settings.fixed import needs_restart
from infway.sockets import library_read, take_sockets
from infway.stores import Stores, stores_of
from infway.telemetry.logs import redact_logs, write_logs
from infway.telemetry.tallies import Tallies
from infway.workers import Pipe, Ready, listen_to_keeper

_log = logging.getLogger(__name__)
# Objects between two collections: a request leaves hundreds, few of them in cycles. The default
# of 700 costs CPU on every request; 20,000 made pauses that the first token's p99 showed.
_GC = (5_000, 10, 100)


class Served:
    """What one process serves, and what it does beside answering: reload, keep the embedded model.

    `pipe`: of a worker, to its keeper.
    """

    def __init__(self, planned: Plan, pipe: Pipe | None, tallies: Tallies | None = None) -> None:
        self._options = options = planned.options
        self._planned = planned
        self._started = settings = planned.settings
        self._pipe = pipe
        self._model_url: str | None = None
        handler = write_logs(settings.logs.level, settings.logs.format)
        if settings.logs.level != "debug":
            logging.getLogger("uvicorn").setLevel(logging.WARNING)  # its start and stop are ours
        stores = stores_of(planned, is_checked=True)
        self._database, self._gatehouse = stores.database, stores.gatehouse
        self.app = app = App(settings, planned.inventory, _parts(planned, stores, tallies))
        redact_logs(handler, lambda text: app.client.signer.redact(text))  # noqa: PLW0108 - signers are swapped
        app.beside += [self._embedded, self._told, library_read, self._administered]
        read, count = partial(plan, options, randbelow), app.metrics.reloaded
        self._reloading = Reloading(read, self._reloaded, count)
        order = Order(settings.server.grace, settings.server.drain)
        self._server = Listening(_config(app.front, settings), app, order, senses())

    def run(self, listener: socket.socket) -> None:
        """Serve until the end; raises DatabaseError and LedgerError where that cannot begin."""
        self.app.open_records()
        self._server.at_start = self._announce
        self._server.run([listener])
        self._database.close()

    def _announce(self) -> None:
        """Tell the keeper; without one print the banner, and leave the pid for `infway reload`."""
        if self._pipe is not None:
            self._pipe.say(Ready())
            return
        self._options.data.write_pid(os.getpid(), self._planned.url)
        print(banner(self._planned), flush=True)

    @asynccontextmanager
    async def _embedded(self) -> AsyncGenerator[None, None]:
        """Keep the embedded model while the app is open, where it is part of the plan."""
        if not self._planned.embedded:
            yield
            return
        async with AsyncExitStack() as stack:
            try:
                self._model_url = await stack.enter_async_context(embedded_upstream())
            except EmbeddedError as error:
                _log.warning("%s; the simulated upstreams take its place", error)
            self._use(self._planned)
            yield

    @asynccontextmanager
    async def _administered(self) -> AsyncGenerator[None, None]:
        """Serve the admin API while the app is open, where it has a port."""
        reload = self.reload if self._pipe is None else tell_keeper
        records = self._gatehouse, self._database
        async with admin_open(self.app, *records, self._started, reload):
            yield

    @asynccontextmanager
    async def _told(self) -> AsyncGenerator[None, None]:
        """Hear signals and the keeper while the app is open."""
        loop = asyncio.get_running_loop()
        if self._pipe is not None:
            listen_to_keeper(loop, self._pipe, self)
        loop.add_signal_handler(signal.SIGHUP, self.reload)
        gc.collect()
        gc.freeze()  # what was built so far lives as long as the process
        gc.set_threshold(*_GC)
        gc.enable()
        yield
        loop.remove_signal_handler(signal.SIGHUP)

    def stop(self, *, grace: bool, by: str) -> None:
        """Begin to stop; told again by the same, end at once."""
        self._server.stop(grace=grace, by=by)

    def reload(self) -> None:
        """Read the configuration again."""
        self._reloading.ask()

    async def _reloaded(self, planned: Plan) -> None:
        self._use(planned)
        if self._pipe is not None:
            await asyncio.to_thread(self._pipe.say, planned)  # for who comes after a crash
        await self.app.signers.freshen()
        if waiting := needs_restart(self._started, planned.settings):
            _log.warning("a restart is needed for what changed of: %s", ", ".join(waiting))

    def _use(self, planned: Plan) -> None:
        if self._model_url is not None:
            planned = with_embedded(planned, self._model_url)
        elif planned.embedded:
            planned = with_sandbox(planned)
        self.app.swap(planned.settings, planned.inventory)
        self._planned = planned


def _config(front: Front, settings: Settings) -> uvicorn.Config:
    server = settings.server
    config = DoorConfig(
        front,
        limits_of(server),
        front.turn_away,
        loop="uvloop",
        http=PROTOCOLS[server.http],
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=server.proxy_headers,
        timeout_graceful_shutdown=int(server.drain),
        backlog=BACKLOG,
    )
    return take_sockets(config, server.body_limit)


def _parts(planned: Plan, stores: Stores, tallies: Tallies | None) -> Parts:
    """Return the parts of an app that keeps its records there."""
    said, database = planned.settings.ledger, stores.database
    return replace(
        parts(stores.ledger, randbits(128), stores.responses),
        spooling=Spooling(Journal(planned.options.data.spool), said.spool_rows, said.spool_time),
        gatehouse=stores.gatehouse,
        funds=Spending(database),
        alerts=Alerts(database),
        tallies=tallies,
        replays=Replays(database),
        database=database,
    )
