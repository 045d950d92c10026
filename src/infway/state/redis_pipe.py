"""One connection to Redis on which commands follow one another without waiting for replies.

It never connects again, and after the first reply that is late it is broken: a reply that comes
later can never be taken for that of another command.
"""

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import Callable
from typing import Any

from hiredis import pack_command  # pyright: ignore[reportUnknownVariableType] # its stub is not whole
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.exceptions import RedisError, ResponseError

_Command = tuple[str | bytes | int, ...]
_pack: Callable[[_Command], bytes] = pack_command  # type: ignore[assignment] # its stub knows tuples of one
_GRACE = 0.002  # seconds: a reply that is here, and only not read yet, is not late
Away = (RedisError, OSError, UnicodeError)
"""What fails where a store is away; the last of impossible host names."""


class OddReplyError(RedisError):
    """A reply that is none to what was asked: whoever answers is no store, or not ours."""


class Pipe:
    """A connection. `deadline`: seconds until each reply."""

    def __init__(self, connection: AbstractConnection, deadline: float) -> None:
        self._connection = connection
        self.deadline = deadline
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._broken: Exception | None = None
        self._writer = _writer_of(connection)
        self._reader = self._loop.create_task(self._read())

    @classmethod
    async def open(cls, pool: ConnectionPool, deadline: float, patience: float) -> "Pipe":
        """Connect within `patience` seconds; raises one of `Away`."""
        connection: AbstractConnection = pool.make_connection()  # type: ignore[no-untyped-call] # of a library without types
        try:
            async with asyncio.timeout(patience):
                await connection.connect()  # type: ignore[no-untyped-call] # of a library without types
        except BaseException as error:
            await _hang_up(connection)
            if isinstance(error, Exception):
                raise _away(error) from None
            raise
        return cls(connection, deadline)

    async def ask(self, *command: str | bytes | int) -> Any:
        """Return the reply to one command; raises one of `Away`, after which the pipe may be broken."""
        if self._broken is not None:
            raise ConnectionError(str(self._broken))
        waiter: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append(waiter)
        timer = self._loop.call_later(self.deadline, self._late, waiter)
        try:
            # it waits for nothing but the reply: also a command that the peer does not read is late
            if self._writer.transport.is_closing():
                raise ConnectionError("the connection was closed")
            self._writer.write(_pack(command))
            return await waiter
        except Away as error:
            if not isinstance(error, ResponseError):
                self.close(error)
            raise
        finally:
            timer.cancel()
            waiter.cancel()

    def close(self, error: Exception | None = None) -> None:
        """Hang up; whoever waits gets the error."""
        if self._broken is not None:
            return
        self._broken = error or ConnectionError("the connection was closed")
        self._writer.transport.abort()  # what a silent peer does not read keeps nothing open
        self._reader.cancel()
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_exception(self._broken)

    def _late(self, waiter: asyncio.Future[Any]) -> None:
        self._loop.call_later(_GRACE, self._too_late, waiter)

    def _too_late(self, waiter: asyncio.Future[Any]) -> None:
        if not waiter.done():
            self.close(TimeoutError("no answer in time"))

    async def _read(self) -> None:
        """Hand each reply to whoever waits for it, until the connection breaks."""
        connection = self._connection
        try:
            while True:
                reply: Any
                try:
                    reply = await connection.read_response(  # pyright: ignore[reportUnknownVariableType] # of a library without types
                        timeout=math.inf, disconnect_on_error=False
                    )
                except ResponseError as error:
                    reply = error
                waiter = self._waiting.popleft()
                if waiter.done():
                    continue
                if isinstance(reply, ResponseError):
                    waiter.set_exception(reply)
                else:
                    waiter.set_result(reply)
        except Exception as error:  # noqa: BLE001 - as a reply that nobody asked for, or none that can be read
            self.close(_away(error))
        finally:
            await _hang_up(connection)


def _away(error: Exception) -> Exception:
    """Return one of `Away`, also where a library stumbled over a reply."""
    return error if isinstance(error, Away) else OddReplyError(f"an odd reply: {error!r}")


def _writer_of(connection: AbstractConnection) -> asyncio.StreamWriter:
    """Return what an open connection writes to; only this way nothing waits, or connects again."""
    writer = connection._writer  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] # the library has no name for it
    if writer is None:
        raise ConnectionError("the connection was closed")
    return writer


async def _hang_up(connection: AbstractConnection) -> None:
    with contextlib.suppress(*Away):
        await connection.disconnect(nowait=True)
