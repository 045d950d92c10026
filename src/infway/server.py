"""The running process: what is served, what is said at the start, signals, and the end.

`run` is what `infway serve` does. One process serves by itself; several are kept by uvicorn's
supervisor, which starts a worker again when it dies.
"""

import asyncio
import gc
import logging
import os
import signal
import socket
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from errno import EACCES, EADDRINUSE
from secrets import randbelow, randbits
from types import FrameType

import uvicorn
from uvicorn.supervisors import Multiprocess

from infway.app import App, parts
from infway.banner import banner
from infway.kernel.errors import InfwayError, SettingsError
from infway.ledger.responses_sqlite import SqliteResponses
from infway.ledger.sqlite import SqliteLedger
from infway.serving import (
    EmbeddedError,
    Plan,
    ServeOptions,
    embedded_upstream,
    plan,
    with_embedded,
    with_sandbox,
)
from infway.settings import Settings
from infway.settings.fixed import needs_restart
from infway.sockets import library_read, take_sockets
from infway.telemetry.logs import redact_logs, write_logs

_log = logging.getLogger(__name__)
# Objects between two collections: a request leaves hundreds, few of them in cycles. The default
# of 700 costs CPU on every request; 20,000 made pauses that the first token's p99 showed.
_GC = (5_000, 10, 100)
_BACKLOG = 4096  # connections that may wait to be accepted
_KEEP_ALIVE = 75  # seconds an idle client connection stays open; reliability A8

__all__ = ["ServeOptions", "run"]


class AddressError(InfwayError):
    """The address cannot be listened on."""


def run(options: ServeOptions) -> None:
    """Serve until a signal ends it; raises SettingsError, LedgerError, AddressError before that."""
    planned = plan(options, randbelow)
    server = planned.settings.server
    for store in _stores(options, planned.settings):
        store.open()  # what cannot be opened is told before anything runs
        store.close()
    listener = _listen(server.host, server.port)
    try:
        if server.workers > 1:
            listener.listen(_BACKLOG)  # requests wait for the workers instead of being refused
            print(banner(planned), flush=True)
            config = _config(_Worker(options), planned.settings)
            options.data.write_pid(os.getpid(), planned.url)
            _Supervisor(config, sockets=[listener]).run()
        else:
            running = _Worker(options).build(planned)
            _Server(_config(running.app.front, planned.settings), running).run([listener])
    finally:
        options.data.remove_pid(os.getpid())
        listener.close()


@dataclass(frozen=True, slots=True)
class _Worker:
    """Builds the app of one process; the supervisor's workers get it over a pipe."""

    options: ServeOptions

    def __call__(self) -> object:
        # until the app is open a reload is nothing to a worker, and never its end
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        return self.build(plan(self.options, randbelow)).app.front

    def build(self, planned: Plan) -> "_Running":
        """Return the app, with its signals and its embedded model beside it."""
        settings = planned.settings
        handler = write_logs(settings.logs.level, settings.logs.format)
        if settings.logs.level != "debug":
            logging.getLogger("uvicorn").setLevel(logging.WARNING)  # its start and stop are ours
        ledger, responses = _stores(self.options, settings)
        built = parts(ledger, randbits(128), responses)
        app = App(settings, planned.inventory, built)
        redact_logs(handler, lambda text: app.client.signer.redact(text))  # noqa: PLW0108 - signers are swapped
        running = _Running(app, self.options, planned)
        app.beside += [running.embedded, running.signals, library_read]
        return running


class _Running:
    """What a running app does beside answering: reload on SIGHUP, keep the embedded model."""

    def __init__(self, app: App, options: ServeOptions, planned: Plan) -> None:
        self.app = app
        self.planned = planned
        self._started = planned.settings
        self._options = options
        self._model_url: str | None = None
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def embedded(self) -> AsyncGenerator[None, None]:
        """Keep the embedded model while the app is open, where it is part of the plan."""
        if not self.planned.embedded:
            yield
            return
        async with AsyncExitStack() as stack:
            try:
                self._model_url = await stack.enter_async_context(embedded_upstream())
            except EmbeddedError as error:
                _log.warning("%s; the simulated upstreams take its place", error)
            self._use(self.planned)
            yield

    @asynccontextmanager
    async def signals(self) -> AsyncGenerator[None, None]:
        """Reload on SIGHUP while the app is open."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._start_reload)
        gc.collect()
        gc.freeze()  # what was built so far lives as long as the process
        gc.set_threshold(*_GC)
        yield
        loop.remove_signal_handler(signal.SIGHUP)

    def _start_reload(self) -> None:
        self._task = asyncio.create_task(self._reload())

    async def _reload(self) -> None:
        try:
            self._use(await asyncio.to_thread(plan, self._options, randbelow))
        except SettingsError as error:
            _log.error("the configuration is wrong, the running one stays:\n%s", error)
            return
        await self.app.signers.freshen()
        _log.info("the configuration was read again")
        if waiting := needs_restart(self._started, self.planned.settings):
            _log.warning("a restart is needed for what changed of: %s", ", ".join(waiting))

    def _use(self, planned: Plan) -> None:
        if self._model_url is not None:
            planned = with_embedded(planned, self._model_url)
        elif planned.embedded:
            planned = with_sandbox(planned)
        self.planned = planned
        self.app.swap(planned.settings, planned.inventory)


class _Server(uvicorn.Server):
    """One process: says what it serves as soon as it can be asked."""

    def __init__(self, config: uvicorn.Config, running: _Running) -> None:
        super().__init__(config)
        self._running = running

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then print the banner and leave the pid for `infway reload`."""
        await super().startup(sockets)
        if self.started:
            planned = self._running.planned
            planned.options.data.write_pid(os.getpid(), planned.url)
            print(banner(planned), flush=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's own signature
        """Stop in order, and leave with exit code 0: a second signal does not wait for streams."""
        self.force_exit = self.should_exit
        self.should_exit = True


class _Supervisor(Multiprocess):
    """Several processes; a reload is passed on to them instead of restarting them."""

    def handle_hup(self) -> None:
        """Let every worker read the configuration again."""
        for process in self.processes:
            if process.pid is not None:
                os.kill(process.pid, signal.SIGHUP)


def _config(app: object, settings: Settings) -> uvicorn.Config:
    server = settings.server
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]  # an ASGI callable, or what builds one
        factory=isinstance(app, _Worker),
        workers=server.workers,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=server.proxy_headers,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=int(server.drain),
        backlog=_BACKLOG,
    )
    return take_sockets(config, server.body_limit)


def _stores(options: ServeOptions, settings: Settings) -> tuple[SqliteLedger, SqliteResponses]:
    """Return the ledger and the file of kept responses, not yet open."""
    path = settings.ledger.path or options.data.ledger
    return SqliteLedger(path), SqliteResponses(path.with_name("responses.db"))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # uvloop and asyncio switch Nagle's algorithm off where the protocol is named
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, UnicodeError) as error:
        listener.close()
        is_port = isinstance(error, OSError) and error.errno in (EADDRINUSE, EACCES)
        way = "Another port: --port 9000" if is_port else "This machine alone: --host 127.0.0.1"
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise AddressError(f"{host}:{port} cannot be listened on: {reason}. {way}") from error
    listener.set_inheritable(True)
    return listener
