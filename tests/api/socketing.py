"""Clients of the WebSocket of Responses: OpenAI's own SDK, and a plain one that sends what it likes."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import websockets
from openai.resources.responses.responses import AsyncResponsesConnection
from tests.api.caller import KEY
from tests.api.responding import sdk
from tests.conftest import Gateway

ENDS = frozenset({"response.completed", "response.incomplete", "response.failed", "error"})
Event = dict[str, Any]


class Socket:
    """A connection. Every message of the server is one JSON text."""

    def __init__(self, wire: websockets.ClientConnection) -> None:
        self.wire = wire

    async def create(self, **fields: object) -> None:
        """Ask for a response of `m1`."""
        await self.say({"type": "response.create", "model": "m1", **fields})

    async def say(self, message: object) -> None:
        """Send JSON, or a text or bytes as they are."""
        plain = isinstance(message, str | bytes)
        await self.wire.send(message if plain else json.dumps(message))

    async def event(self) -> Event:
        """Return the next event."""
        text = await asyncio.wait_for(self.wire.recv(), 20)
        assert isinstance(text, str)
        return json.loads(text)

    async def turn(self) -> list[Event]:
        """Return the events up to the one that ends a turn."""
        events = [await self.event()]
        while events[-1]["type"] not in ENDS:
            events.append(await self.event())
        return events

    async def made(self, **fields: object) -> Event:
        """Ask, and return the response that is made."""
        await self.create(**fields)
        end = (await self.turn())[-1]
        assert end["type"] == "response.completed", end
        return end["response"]

    async def refused(self, **fields: object) -> Event:
        """Ask, and return the error, which is all that is told."""
        await self.create(**fields)
        return await self.error()

    async def error(self) -> Event:
        """Return the error that comes next, with its status."""
        told = await self.event()
        assert told["type"] == "error", told
        assert told["error"]["headers"]["x-request-id"]
        return {"status": told["status"], **told["error"]}

    async def closed(self) -> tuple[int, str]:
        """Return how the server closes the connection."""
        await asyncio.wait_for(self.wire.wait_closed(), 20)
        assert self.wire.close_code is not None
        return self.wire.close_code, self.wire.close_reason or ""


@asynccontextmanager
async def socket(
    gateway: Gateway, path: str = "/v1/responses", key: str | None = KEY
) -> AsyncIterator[Socket]:
    """Open a connection for the block; `key` None shows none."""
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    url = f"ws://127.0.0.1:{gateway.port}{path}"
    async with websockets.connect(url, additional_headers=headers) as wire:
        yield Socket(wire)


@asynccontextmanager
async def sdk_socket(gateway: Gateway) -> AsyncIterator[AsyncResponsesConnection]:
    """Open a connection with OpenAI's client."""
    async with sdk(gateway) as client, client.responses.connect() as connection:
        yield connection
