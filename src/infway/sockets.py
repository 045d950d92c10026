"""Upgrades to WebSockets. The library behind them is read in a thread when the gateway starts.

It takes 0.1 s, in which other requests would wait if the first client to ask for one caused it.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

import uvicorn

_PING = 20.0  # seconds between two pings; proxies cut what is silent for a minute
_PONG = 60.0  # seconds until a client that answers none is taken for gone


def take_sockets(config: uvicorn.Config, most: int) -> uvicorn.Config:
    """Return the configuration with WebSockets; `most`: bytes of one message.

    Nothing is compressed: the events are short, and every one would cost CPU.
    """
    config.ws = _protocol  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]  # what makes a protocol; uvicorn only calls it
    config.ws_max_size = most
    config.ws_per_message_deflate = False
    config.ws_ping_interval = _PING
    config.ws_ping_timeout = _PONG
    return config


@asynccontextmanager
async def library_read() -> AsyncGenerator[None, None]:
    """Read the library, without a wait for it."""
    reading = asyncio.create_task(asyncio.to_thread(import_module, "infway.socket_protocol"))
    yield
    await reading


def _protocol(**given: Any) -> asyncio.Protocol:
    from infway.socket_protocol import DrainingSocket  # noqa: PLC0415 - 0.1 s, which no start waits for

    return DrainingSocket(**given)
