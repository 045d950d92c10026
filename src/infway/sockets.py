"""Upgrades to WebSockets, with the library behind them read when the first client asks for one."""

import asyncio
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


def _protocol(**given: Any) -> asyncio.Protocol:
    from infway.socket_protocol import DrainingSocket  # noqa: PLC0415 - 0.1 s, only where it is used

    return DrainingSocket(**given)
