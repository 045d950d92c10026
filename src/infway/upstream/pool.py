"""Connections to upstreams: kept alive between requests, opened when none is free."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import NamedTuple
from weakref import WeakSet

from aiohappyeyeballs import start_connection  # pyright: ignore[reportUnknownVariableType]  # its options name a private type

from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Failure, Fault
from infway.upstream.http1 import Connection

KEEP = 60.0  # seconds an idle connection is kept: most servers close theirs between 60 and 75
_STAGGER = 0.25  # seconds before the next address is tried beside a slow one; RFC 8305


class Origin(NamedTuple):
    """Where a connection goes."""

    host: str
    port: int
    is_tls: bool


class Pool:
    """The connections of one event loop, the last used first."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._idle: dict[Origin, list[Connection]] = {}
        self._all: WeakSet[Connection] = WeakSet()
        self._tls: ssl.SSLContext | None = None

    def take(self, origin: Origin) -> Connection | None:
        """Return a connection that was used before and is still good, None where there is none."""
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if connection.is_open and self._now() - connection.idle_since < KEEP:
                return connection
            self._drop(connection)
        return None

    async def connect(self, origin: Origin, patience: float) -> Connection:
        """Open a connection within `patience` seconds; raises UpstreamFailed."""
        try:
            async with asyncio.timeout(patience):
                return await self._open(origin)
        except TimeoutError as error:
            raise UpstreamFailed(Failure(Fault.CONNECT_TIMEOUT)) from error
        except socket.gaierror as error:
            raise UpstreamFailed(Failure(Fault.DNS_ERROR)) from error
        except ssl.SSLError as error:
            raise UpstreamFailed(Failure(Fault.TLS_ERROR)) from error
        except (OSError, UnicodeError) as error:
            raise UpstreamFailed(Failure(Fault.CONNECT_REFUSED)) from error

    async def _open(self, origin: Origin) -> Connection:
        loop = asyncio.get_running_loop()
        addresses = await loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
        opened = await start_connection(addresses, happy_eyeballs_delay=_STAGGER, loop=loop)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def released(connection: Connection) -> None:
            now = connection.idle_since = self._now()
            idle = self._idle.setdefault(origin, [])
            while idle and now - idle[0].idle_since >= KEEP:
                self._drop(idle.pop(0))
            idle.append(connection)

        _, connection = await loop.create_connection(
            lambda: Connection(loop, released),
            sock=opened,
            ssl=self._context() if origin.is_tls else None,
            server_hostname=origin.host if origin.is_tls else None,
        )
        self._all.add(connection)
        return connection

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls

    def _drop(self, connection: Connection) -> None:
        connection.abort()
        self._all.discard(connection)

    def close(self) -> None:
        """Close every connection."""
        for connection in list(self._all):
            connection.abort()
        self._all.clear()
        self._idle.clear()
