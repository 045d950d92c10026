"""The line without its edge: the real gateway, client and ledger, in front of the wall."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from tests.providers.reading import broken, text
from tests.wall import Wall, wall
from tests.wall.asking import offers

from infway.ims.catalog import Catalog
from infway.ims.health import Health
from infway.ims.rank import Router
from infway.ims.tuning import Trip, Tuning
from infway.kernel.chat import ChatRequest, Offer, Principal
from infway.kernel.clock import system_clock
from infway.kernel.errors import GatewayError
from infway.kernel.events import Event
from infway.kernel.faults import Fault
from infway.ledger.rows import Row
from infway.ledger.sqlite import SqliteLedger
from infway.pipeline.chats import Attempts
from infway.pipeline.decisions import Decisions
from infway.pipeline.gateway import Gateway
from infway.pipeline.itinerary import Persistence
from infway.pipeline.settler import Settler
from infway.pipeline.speakers import Speakers
from infway.providers.registry import ADAPTERS
from infway.upstream.client import Client
from infway.upstream.sign import Signer

ANYONE = Principal("anyone")


@dataclass
class Told:
    """What a caller got: the events, or the error."""

    events: list[Event] = field(default_factory=list)
    error: GatewayError | None = None

    @property
    def text(self) -> str:
        return text(self.events)

    @property
    def fault(self) -> Fault | None:
        end = broken(self.events)
        return None if end is None else end.failure.fault


@dataclass
class Line:
    """A gateway over some offers; `rows` are the ledger's, written."""

    gateway: Gateway
    settler: Settler
    path: Path

    async def tell(self, ask: ChatRequest) -> Told:
        try:
            answer = await self.gateway.chat(ask, ANYONE)
        except GatewayError as error:
            return Told(error=error)
        told = Told()
        if not ask.stream:
            answer.settle()
            told.events = list(answer.first)
            return told
        async with aclosing(answer.batches()) as batches:
            async for events in batches:
                told.events += events
        await answer.finish()
        return told

    async def rows(self) -> list[Row]:
        import sqlite3

        await self.settler.flush()
        with closing(sqlite3.connect(self.path)) as connection:
            found = connection.execute("SELECT * FROM entries ORDER BY request, attempt")
            return [Row(*row) for row in found]

    async def outcomes(self) -> list[str]:
        """How the attempts ended, in order."""
        return [row.outcome for row in await self.rows() if row.attempt]


Start = Callable[..., Awaitable[Line]]


@pytest.fixture
async def up() -> AsyncIterator[Wall]:
    async with wall() as one:
        yield one


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Start]:
    """Start a line: `await line(offer, offer, ...)`, tried in this order."""
    opened: list[tuple[Settler, SqliteLedger, Client]] = []

    async def start(
        *made: Offer, persistence: Persistence | None = None, trip: Trip | None = None
    ) -> Line:
        clock = system_clock()
        path = tmp_path / f"{len(opened)}.db"
        ledger = SqliteLedger(path)
        ledger.open()
        settler = Settler(ledger, clock)
        client = Client(Signer({}), clock.monotonic)
        opened.append((settler, ledger, client))
        tuning = Tuning(explore=0.0, trip=trip or Trip())
        catalog = Catalog(offers(*made))
        health = Health(catalog.offers, tuning, Random(1))
        router = Router(catalog, health, tuning, Random(2))
        rules = persistence or Persistence(backoff_base=0.01)
        attempts = Attempts(client, Speakers(ADAPTERS, {}), clock.monotonic, rules, Random(3))
        gateway = Gateway(router, attempts, settler, Decisions(), clock)
        return Line(gateway, settler, path)

    yield start
    for settler, ledger, client in opened:
        await settler.close()
        await client.close()
        ledger.close()
