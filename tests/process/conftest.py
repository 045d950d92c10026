"""One process as `infway serve` runs it, inside the test: its port, its stop, its senses."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from tests.api.upstream import Say, Upstream, either, listening
from tests.conftest import Gateway, settled, upstream_settings

from infway.app import App, parts
from infway.ledger.sqlite import SqliteLedger
from infway.listening import Listening, Order
from infway.pressure import Held
from infway.relief import Senses
from infway.served import _config
from infway.watchdog import Patience

BRIEF = Order(grace=0.05, drain=5.0, linger=0.05, last_words=1.0)
QUICK = Patience(tick=0.005, stall=0.05, late=0.1, quiet=60.0)
CALM = replace(QUICK, late=20.0)  # else a machine that is late itself has requests refused


class _Listening(Listening):
    """A process that leaves the test runner's signals alone."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass
class Machine:
    """What the senses tell: the share of memory in use, and of 1,000 file descriptors."""

    memory: float = 0.1
    files: float = 0.1

    def senses(self) -> Senses:
        """Return senses that are asked all the time."""
        return Senses(
            lambda: Held(int(self.memory * 1000), 1000),
            lambda: (int(self.files * 1000), 1000),
            every=0.0,
            again=0.0,
        )


@dataclass
class Process(Gateway):
    """A gateway, the server around it, and its end."""

    server: Listening
    ended: asyncio.Task[None]
    machine: Machine = field(default_factory=Machine)

    def stop(self, *, grace: bool = True) -> None:
        """Do what SIGTERM does, or SIGINT where there is no grace."""
        self.server.stop(grace=grace, by="signal")

    async def over(self) -> None:
        """Wait for the end."""
        await asyncio.wait_for(asyncio.shield(self.ended), 20)


Launch = Callable[..., Awaitable[Process]]


@pytest.fixture
async def launch(tmp_path: Path) -> AsyncIterator[Launch]:
    """Start a process: `await launch(say, order=..., patience=..., **settings)`."""
    async with AsyncExitStack() as stack:

        async def begin(
            say: Say = either,
            *,
            upstream: Upstream | None = None,
            order: Order = BRIEF,
            patience: Patience | None = None,
            **tree: object,
        ) -> Process:
            behind = upstream or await stack.enter_async_context(listening(say))
            more = {"upstreams": [upstream_settings("one", behind, "m1", "m2")], **tree}
            settings, inventory = settled(more)
            ledger = tmp_path / "ledger.db"
            app = App(settings, inventory, parts(SqliteLedger(ledger), 7))
            machine = Machine()
            config = _config(app.front, settings)
            server = _Listening(config, app, order, machine.senses(), patience or CALM)
            started = asyncio.Event()
            server.at_start = started.set
            listener = socket.socket(proto=socket.IPPROTO_TCP)
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
            task = asyncio.create_task(server.serve([listener]))
            stack.push_async_callback(_stopped, server, task)
            await asyncio.wait_for(started.wait(), 20)
            return Process(app, port, ledger, behind, server, task, machine)

        yield begin


async def _stopped(server: Listening, task: asyncio.Task[None]) -> None:
    """Stop at once."""
    for _ in range(2):
        server.stop(grace=False, by="test")
    await task
