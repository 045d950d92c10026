"""An ASGI app behind a real server in the test's own loop, which stops without fixed pauses."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import uvicorn

from infway.api.administration.front import AdminFront
from infway.api.front import Front
from infway.door.hall import DoorConfig
from infway.door.limits import Limits
from infway.door.protocols import PROTOCOLS
from infway.sockets import take_sockets

_GRACE = 1.0  # seconds that replies under way get at the end
_LIMITS = Limits()
_IDLE = 0.2  # seconds that clients get to hang up by themselves


class _Server(uvicorn.Server):
    """A server that leaves the test runner's signals alone and stops as soon as it is told."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.told = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.told.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        state = self.server_state
        await _until(lambda: not state.connections, _IDLE)
        for server in self.servers:
            server.close()
        for one in sockets or []:
            one.close()
        for connection in list(state.connections):
            connection.shutdown()
        await _until(lambda: not (state.connections or state.tasks), _GRACE)
        for task in state.tasks:
            task.cancel()
        await self.lifespan.shutdown()


async def _until(done: Callable[[], bool], patience: float) -> None:
    """Wait `patience` seconds at the most."""
    loop = asyncio.get_running_loop()
    over = loop.time() + patience
    while not done() and loop.time() < over:
        await asyncio.sleep(0.001)


@asynccontextmanager
async def served(
    front: Front | AdminFront, limits: Limits = _LIMITS, http: str = "httptools"
) -> AsyncIterator[int]:
    """Serve an app behind the door, on a free port, while the block runs."""
    listener = socket.socket(proto=socket.IPPROTO_TCP)  # asyncio writes without delay only then
    listener.bind(("127.0.0.1", 0))
    config = DoorConfig(
        front,
        limits,
        front.turn_away,
        http=PROTOCOLS[http],
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
    )
    server = _Server(take_sockets(config, 20 * 2**20))
    task = asyncio.create_task(server.serve([listener]))
    try:
        while not server.started and not task.done():
            await asyncio.sleep(0.002)
        assert server.started
        yield listener.getsockname()[1]
    finally:
        server.told.set()
        await task
