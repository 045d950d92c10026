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
from infway.upstream.resolve import Addresses, Resolver

KEEP = 60.0  # seconds an idle connection is kept: most servers close theirs between 60 and 75
_STAGGER = 0.25  # seconds before the next address is tried beside a slow one; RFC 8305


class Origin(NamedTuple):
    """Where a connection goes."""

    host: str
    port: int
    is_tls: bool


class Pool:
    """The connections of one event loop, the last used first."""

    def __init__(
        self,
        now: Callable[[], float],
        resolver: Resolver | None = None,
        trust: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        self._now = now
        self._resolver = resolver or Resolver(now)
        self._trust = trust
        self._idle: dict[Origin, list[Connection]] = {}
        self._all: WeakSet[Connection] = WeakSet()
        self._tls: ssl.SSLContext | None = None
        self._sweeper: asyncio.TimerHandle | None = None

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
        opened: socket.socket | None = None
        try:
            addresses = await self._resolver.addresses(origin.host, origin.port, patience)
            async with asyncio.timeout(patience):
                opened = await self._dial(addresses)
                return await self._open(origin, opened)
        except BaseException as error:
            if opened is not None:
                opened.close()
            fault = _fault(error, is_dialled=origin.is_tls and opened is not None)
            if fault is None:
                raise
            raise UpstreamFailed(Failure(fault)) from error

    async def _dial(self, addresses: Addresses) -> socket.socket:
        """Connect to the first address that answers: RFC 8305, row 4 of the matrix."""
        loop = asyncio.get_running_loop()
        opened = await start_connection(addresses, happy_eyeballs_delay=_STAGGER, loop=loop)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened

    async def _open(self, origin: Origin, opened: socket.socket) -> Connection:
        loop = asyncio.get_running_loop()

        def released(connection: Connection) -> None:
            connection.idle_since = self._now()
            self._idle.setdefault(origin, []).append(connection)
            if self._sweeper is None:
                self._sweeper = loop.call_later(KEEP, self._sweep)

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
            self._tls = self._trust()
        return self._tls

    def _sweep(self) -> None:
        """Close what has been idle for too long, and look again while anything is idle."""
        now = self._now()
        self._sweeper = None
        for idle in self._idle.values():
            while idle and now - idle[0].idle_since >= KEEP:
                self._drop(idle.pop(0))
        if any(self._idle.values()):
            self._sweeper = asyncio.get_running_loop().call_later(KEEP / 2, self._sweep)

    def _drop(self, connection: Connection) -> None:
        connection.abort()
        self._all.discard(connection)

    def shrink(self) -> None:
        """Close what is idle."""
        for idle in self._idle.values():
            while idle:
                self._drop(idle.pop())

    def close(self) -> None:
        """Close every connection."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        for connection in list(self._all):
            connection.abort()
        self._all.clear()
        self._idle.clear()


def _fault(error: BaseException, *, is_dialled: bool) -> Fault | None:
    """Name what went wrong; beyond TCP it is the handshake. None: not the network's doing."""
    if isinstance(error, ssl.SSLError) or (is_dialled and isinstance(error, OSError)):
        return Fault.TLS_ERROR
    if isinstance(error, TimeoutError):
        return Fault.CONNECT_TIMEOUT
    if isinstance(error, socket.gaierror):
        return Fault.DNS_ERROR
    return Fault.CONNECT_REFUSED if isinstance(error, (OSError, UnicodeError)) else None
