"""One process that listens: it accepts, watches over itself, and stops in order.

The order of a stop is row 69 of the fault matrix (reliability, section 3.3): not ready; a grace in
which requests are still served, on connections that end with them; nothing is accepted any more;
what runs may end; what is left hears a terminal event, and everything is settled.
"""

import asyncio
import logging
import signal
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Protocol, cast

import uvicorn

from infway.app import App
from infway.door.whole import CLOSE
from infway.kernel.errors import StoppedError
from infway.relief import Relief, Senses
from infway.watchdog import Patience, Watchdog

_log = logging.getLogger(__name__)
_TICK = 0.05  # seconds between two looks whether a stop can go on


@dataclass(frozen=True, slots=True)
class Order:
    """Seconds that the parts of a stop take at most.

    `linger`: for the first request of a connection that was accepted last. `last_words`: for
    terminal events to be read.
    """

    grace: float = 5.0
    drain: float = 120.0
    linger: float = 1.0
    last_words: float = 2.0


def _stopped() -> StoppedError:
    return StoppedError(503, "service_unavailable", "infway stops: ask again.", retry_after=1)


class _Cycle(Protocol):
    """One request on a connection."""

    response_complete: bool


class _Connection(Protocol):
    """What uvicorn's protocols of HTTP/1.1 have in common. `cycle`: the last request."""

    cycle: _Cycle | None
    transport: asyncio.Transport

    def shutdown(self) -> None:
        """Close it, or where a request is under way, have it end with its reply."""
        ...


class Listening(uvicorn.Server):
    """Serves an app until it is told to stop; told again, it waits for nothing.

    `at_start` is called as soon as connections are accepted.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        app: App,
        order: Order,
        senses: Senses,
        patience: Patience | None = None,
    ) -> None:
        super().__init__(config)
        self.servers: list[asyncio.base_events.Server] = []
        self._app = app
        self._order = order
        self._grace = order.grace
        self._stops: Counter[str] = Counter()
        self._senses = senses
        self._patience = patience
        self._listeners: Sequence[socket.socket] = ()
        self.at_start: Callable[[], None] | None = None
        self._is_open = False  # connections are accepted
        self._is_over = False  # and never again
        self._relief: Relief | None = None
        self._watchdog: Watchdog | None = None
        self._task: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the app, then accept; raises SystemExit where the app cannot be opened."""
        await super().startup(sockets=[])
        self._listeners = sockets or ()
        app, now = self._app, self._app.now
        watchdog = Watchdog(now, app.metrics.stalls.inc, self._look, self._patience)
        relief = Relief(app.front.intake, self, self._senses, now, lambda: watchdog.is_late)
        self._relief = relief
        app.lag = lambda: watchdog.lag
        app.metrics.watch_process(app.lag, lambda: relief.memory, lambda: relief.files)
        relief.look()
        watchdog.start(asyncio.get_running_loop())
        self._watchdog = watchdog
        await self._accept()
        if self.at_start is not None:
            self.at_start()

    def _look(self) -> None:
        if self._relief is not None:
            self._relief.look()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        self._is_open = True
        for one in self._listeners:
            # a copy, so that accepting can be paused: the original keeps the queue of the kernel
            server = await loop.create_server(
                self._protocol, sock=one.dup(), backlog=self.config.backlog
            )
            if not self._is_open:  # paused meanwhile
                server.close()
            self.servers.append(server)

    def _protocol(self) -> asyncio.Protocol:
        """Return what speaks on a connection that was accepted just now."""
        if self._relief is not None:
            self._relief.room -= 1
            if self._relief.room <= 0:
                asyncio.get_running_loop().call_soon(self.pause)
        speaker = cast("Callable[..., asyncio.Protocol]", self.config.http_protocol_class)
        state = self.lifespan.state
        return speaker(config=self.config, server_state=self.server_state, app_state=state)

    def pause(self) -> None:
        """Accept no connection: those to come wait in the kernel, or go to another worker."""
        self._is_open = False
        for server in self.servers:
            server.close()
        self.servers.clear()

    def resume(self) -> None:
        """Accept connections again."""
        if not (self._is_open or self._is_over):
            self._is_open = True
            self._task = asyncio.get_running_loop().create_task(self._accept())

    def close_idle(self) -> None:
        """Close connections that are kept for a request to come, on both sides."""
        for connection in self._connections():
            if connection.cycle is not None and connection.cycle.response_complete:
                connection.shutdown()
        self._app.client.shrink()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's own signature
        """Stop in order; nobody balances load to a terminal, so its Ctrl-C has no grace."""
        self.stop(grace=sig != signal.SIGINT, by="signal")

    def stop(self, *, grace: bool, by: str) -> None:
        """Begin to stop; told again by the same, end what is open at once."""
        self._stops[by] += 1
        self._app.is_ready = False
        self.should_exit = True
        self.force_exit = self._stops[by] > 1 or self.force_exit
        self.server_state.default_headers = [*self.server_state.default_headers, CLOSE]
        if not grace:
            self._grace = 0.0

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop in order."""
        self.config.encoded_headers.append(CLOSE)
        await self._wait(self._grace, lambda: self.force_exit)
        self._is_over = True
        self.pause()
        for one in sockets or ():
            one.close()
        fresh = self._release()
        await self._wait(self._order.linger, lambda: self.force_exit or not self._any(fresh))
        await self._wait(self._order.drain, lambda: self.force_exit or self._is_idle())
        if not self._is_idle():
            await self._end()
        for connection in self._connections():
            connection.transport.abort()
        await self._wait(self._order.last_words, lambda: not self.server_state.tasks)
        await self.lifespan.shutdown()
        if self._watchdog is not None:
            self._watchdog.stop()

    def _connections(self) -> list[_Connection]:
        return cast("list[_Connection]", list(self.server_state.connections))

    def _release(self) -> set[_Connection]:
        """Close idle connections and have busy ones end with their reply; return the fresh ones."""
        fresh: set[_Connection] = set()
        for connection in self._connections():
            if connection.cycle is None:
                fresh.add(connection)
            else:
                connection.shutdown()
        return fresh

    def _any(self, fresh: set[_Connection]) -> bool:
        """Tell whether a connection is still there on which no request has come."""
        return any(one in fresh and one.cycle is None for one in self._connections())

    def _is_idle(self) -> bool:
        return not self.server_state.tasks and not self._app.background.running

    async def _end(self) -> None:
        """End what is open with an error, or the terminal event of its dialect."""
        last_words = self._order.last_words
        await asyncio.wait({asyncio.create_task(self._app.background.stop())}, timeout=last_words)
        ended = self._app.front.intake.end_all(_stopped)
        _log.warning("%d requests were ended because the gateway stops", ended)
        await self._wait(last_words, self._is_idle)
        for task in list(self.server_state.tasks):
            task.cancel()

    async def _wait(self, seconds: float, over: Callable[[], bool]) -> None:
        """Go on serving until something is over, at most so many seconds."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        ticks = 0
        while not over() and loop.time() < until:
            await self.on_tick(ticks)
            ticks += 1
            await asyncio.sleep(min(_TICK, until - loop.time()))
