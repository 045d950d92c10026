"""A gateway with its admin API beside it, each on a port of its own, over one real database."""

import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from tests.api.caller import JSON, Headers, Heard, line_to
from tests.api.serving import served
from tests.conftest import Gateway, Start

from infway.accounts.digests import Digests
from infway.accounts.gatehouse import Gatehouse
from infway.api.administration.accounting import Archive
from infway.api.administration.served import Administered, admin_front
from infway.database.opening import database_at
from infway.kernel.clock import system_clock
from infway.kernel.ids import Ids

FIRST = "Zk3v9QpL7xT2mN8wR4bY6cJ1hG5dF0sA"
CHAT = "/v1/chat/completions"


def bearer(key: str) -> tuple[str, str]:
    """Return the header that presents a key."""
    return "Authorization", f"Bearer {key}"


@dataclass
class Admin:
    """Somebody at the admin API of a gateway. `reloads`: how often a reload was asked for."""

    gateway: Gateway
    port: int
    key: str = FIRST
    reloads: list[str] = field(default_factory=list)

    async def send(
        self, method: str, path: str, body: object = None, headers: Headers | None = None
    ) -> Heard:
        """Send one request."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        said = (bearer(self.key), JSON) if headers is None else headers
        async with line_to(self.port) as line:
            line.send(method, path, said, b"" if body is None else data)
            return await line.hear(method)

    async def post(self, path: str, body: object = None) -> Heard:
        """Send a POST to the first version of the API."""
        return await self.send("POST", f"/admin/v1{path}", body)

    async def get(self, path: str) -> Heard:
        """Send a GET to it."""
        return await self.send("GET", f"/admin/v1{path}")

    async def made(self, path: str, body: object) -> dict:
        """Make something; return what was answered."""
        heard = await self.post(path, body)
        assert heard.status == 200, heard
        return heard.json

    async def called(self, key: str, **fields: object) -> Heard:
        """Ask the gateway for a chat with a key."""
        asked = {"model": "m1", "messages": [{"role": "user", "content": "Hi"}], **fields}
        return await self.gateway.post(CHAT, asked, (bearer(key), JSON))


@asynccontextmanager
async def administered(start: Start, folder: Path, **tree: object) -> AsyncIterator[Admin]:
    """Start both."""
    database = database_at(folder / "register.db")
    gatehouse = Gatehouse(database, Digests(b"pepper"), system_clock(), secrets.randbelow)
    gateway = await start(
        parts_of=lambda built: replace(built, gatehouse=gatehouse),
        **{"admin": {"key": FIRST}, "accounts": {"refresh": 0.01}, **tree},
    )
    reloads: list[str] = []
    subject = Administered(
        gatehouse,
        Archive(database, gateway.app.settler.rows_of),
        gateway.app.decisions,
        gateway.app.metrics.refused,
        lambda: reloads.append("asked"),
    )
    front = admin_front(subject, Ids(7), system_clock(), docs=True)
    async with served(front) as port:
        yield Admin(gateway, port, reloads=reloads)
    database.close()


@pytest.fixture
async def admin(start: Start, tmp_path: Path) -> AsyncIterator[Admin]:
    """The first administrator of a gateway that offers `m1` and `m2`."""
    plans = {"free": {"requests_per_minute": 20, "models": ["m1"]}}
    async with administered(start, tmp_path, plans=plans) as one:
        yield one
