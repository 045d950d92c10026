"""A running gateway for a test: the real app behind a real server on a free port."""

import asyncio
import gc
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import hypothesis
import pytest
from tests.api.caller import (
    ADMIN_KEY,
    BEARER,
    JSON,
    KEY,
    NARROW_KEY,
    Headers,
    Heard,
    Line,
    chat_body,
    line_to,
)
from tests.api.serving import served
from tests.api.upstream import Say, Upstream, either, listening
from tests.database.fixtures import database, own, place, postgres, two

from infway.app import App, Parts, parts
from infway.configured import limits_of
from infway.inventory import Inventory, build, packaged
from infway.ledger.rows import Row
from infway.ledger.sqlite import SqliteLedger
from infway.settings import Settings

__all__ = [
    "database",
    "own",
    "place",
    "postgres",
    "two",
]  # one Postgres for all that want a database

Tree = dict[str, object]
MEMORY = Path("/dev/shm")
LONGEST = ("crash", "process", "wall", "e2e", "limits", "money", "door", "conformance")
_packaged = cache(packaged)


def pytest_configure() -> None:
    """Compile libraries and tests once for all runs, workers and processes that load them.

    Also where the machine says that this is not worth its space: it is a tenth of a run's time.
    And keep the files of tests in memory: every ledger waits for its disk several times, which is
    another third of it. No test cuts the power; those that kill leave the kernel alone.
    """
    sys.dont_write_bytecode = False
    patch = pytest.MonkeyPatch()
    patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    patch.setenv("OMP_WAIT_POLICY", "PASSIVE")  # else the embedded model's threads wait by spinning
    if _is_roomy(MEMORY):
        patch.setenv("TMPDIR", str(MEMORY))
        tempfile.tempdir = None  # which remembers another place


def _is_roomy(folder: Path) -> bool:
    """Tell whether all files of a run may lie there, programs among them."""
    try:
        room = os.statvfs(folder)
    except OSError:
        return False
    return room.f_bavail * room.f_frsize > 2 * 2**30 and not room.f_flag & os.ST_NOEXEC


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest: none of them is then left to one worker at the end."""
    here = Path(__file__).parent
    rooms = {room: place for place, room in enumerate(LONGEST)}
    items.sort(key=lambda item: rooms.get(item.path.relative_to(here).parts[0], len(rooms)))


def pytest_collection_finish() -> None:
    """What is loaded by now lives as long as the run: nobody need look for garbage in it again."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--malformed", type=int, default=2000, help="how many malformed requests")


@dataclass
class Gateway:
    """A gateway that runs, and the upstream behind it (the first, where there are several)."""

    app: App
    port: int
    ledger: Path
    upstream: Upstream

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self.port}"

    async def send(
        self,
        method: str,
        path: str,
        headers: Headers = (BEARER, JSON),
        body: bytes | Sequence[bytes] = b"",
    ) -> Heard:
        """Send one request on a connection of its own."""
        async with line_to(self.port) as line:
            line.send(method, path, headers, body)
            return await asyncio.wait_for(line.hear(method), 20)

    async def post(self, path: str, body: object, headers: Headers = (BEARER, JSON)) -> Heard:
        """Send JSON, or bytes as they are."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.send("POST", path, headers, data)

    async def get(self, path: str, headers: Headers = (BEARER,)) -> Heard:
        """Send a GET."""
        return await self.send("GET", path, headers)

    async def chat(self, **fields: object) -> Heard:
        """Ask for a chat completion of the model `m1`."""
        return await self.post("/v1/chat/completions", chat_body(**fields))

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Line]:
        """Open a connection for the block."""
        async with line_to(self.port) as line:
            yield line

    async def rows(self) -> list[Row]:
        """Return what the ledger holds, after everything that waits was written."""
        await self.app.settler.flush()
        import sqlite3

        connection = sqlite3.connect(self.ledger)
        try:
            found = connection.execute("SELECT * FROM entries ORDER BY request, attempt")
            return [Row(*row) for row in found]
        finally:
            connection.close()


Start = Callable[..., Awaitable[Gateway]]


def upstream_settings(name: str, upstream: Upstream, *models: object, **more: object) -> Tree:
    """Return the settings of one upstream; a model is its name or its own settings."""
    prices = {"input_price": "2.5", "output_price": "10", "cache_read_price": "1.25"}
    rows = [
        {"native": f"native-{one}", **prices, "id": one} if isinstance(one, str) else one
        for one in models
    ]
    return {"name": name, "vendor": "custom", "base_url": upstream.url, "models": rows, **more}


def settled(tree: Mapping[str, object]) -> tuple[Settings, Inventory]:
    """Return the settings and what can be asked."""
    keys = [
        {"name": "tests", "key": KEY},
        {"name": "admin", "key": ADMIN_KEY, "admin": True},
        {"name": "narrow", "key": NARROW_KEY, "models": ["m2"]},
    ]
    routing = {"exploration": False}
    settings = Settings.model_validate({"keys": keys, "routing": routing, **tree})
    return settings, build(settings, *_packaged())


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Start gateways: `await start(say)` has one upstream `one` that offers `m1` and `m2`.

    `tree`: more settings; with `upstreams` in it, `upstream` is what stands behind them.
    `parts_of`: what the app is built with.
    """
    async with AsyncExitStack() as stack:

        async def begin(
            say: Say = either,
            *,
            upstream: Upstream | None = None,
            parts_of: Callable[[Parts], Parts] = lambda built: built,
            **tree: object,
        ) -> Gateway:
            behind = upstream or await stack.enter_async_context(listening(say))
            more = {"upstreams": [upstream_settings("one", behind, "m1", "m2")], **tree}
            ledger = tmp_path / f"{behind.port}.db"
            app_settings, inventory = settled(more)
            app = App(app_settings, inventory, parts_of(parts(SqliteLedger(ledger), 7)))
            door = limits_of(app_settings.server), app_settings.server.http
            port = await stack.enter_async_context(served(app.front, *door))
            return Gateway(app, port, ledger, behind)

        yield begin


@pytest.fixture
async def gateway(start: Start) -> Gateway:
    """A gateway with one upstream that answers `Hello`."""
    return await start()


def seeded(seed: int) -> Callable[[Parts], Parts]:
    """Build an app with another source of chance."""
    return lambda built: replace(built, seed=seed)


# A shared machine may stop for longer than any deadline; the same examples on every run.
hypothesis.settings.register_profile("infway", deadline=None, derandomize=True)
hypothesis.settings.load_profile("infway")
