"""A way to a Redis on which some commands are answered by somebody else, or not at all."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import hiredis
from tests.state.valkey import Valkey

Command = list[bytes]
Spoil = Callable[[Command], bytes | None]


def _as_it_is(_: Command) -> bytes | None:
    return None


class Way:
    """Hands each command to the server and its reply back.

    `spoil`: returns what is said in the place of the server, which then does not hear the command;
    None where it is asked itself. `lose`: tells whether the server does it and its reply is lost.
    """

    def __init__(self, port: int) -> None:
        self.url = ""
        self.spoil: Spoil = _as_it_is
        self.lose: Callable[[Command], bool] = lambda _: False
        self.seen: list[Command] = []
        self._port = port
        self._tasks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, beside all others."""
        self._tasks[asyncio.create_task(self._relay(reader, writer))] = writer

    async def close(self) -> None:
        """End all connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._tasks.values():
            async with _closed(writer):
                pass

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        commands = hiredis.Reader()
        with contextlib.suppress(OSError):
            theirs, ours = await asyncio.open_connection("127.0.0.1", self._port)
            async with _closed(writer), _closed(ours):
                while data := await reader.read(65536):
                    commands.feed(data)
                    while (command := commands.gets()) is not False:
                        writer.write(await self._reply(command, theirs, ours))

    async def _reply(
        self, command: Command, theirs: asyncio.StreamReader, ours: asyncio.StreamWriter
    ) -> bytes:
        self.seen.append(command)
        spoiled = self.spoil(command)
        if spoiled is not None:
            return spoiled
        ours.write(hiredis.pack_command(tuple(command)))
        reply, whole = b"", hiredis.Reader()
        while whole.gets() is False:
            data = await theirs.read(65536)
            if not data:
                raise ConnectionResetError
            reply += data
            whole.feed(data)
        return b"" if self.lose(command) else reply


@asynccontextmanager
async def _closed(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    try:
        yield
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@asynccontextmanager
async def spoiled(valkey: Valkey) -> AsyncIterator[Way]:
    """Open a way to a server while the block runs."""
    way = Way(valkey.port)
    server = await asyncio.start_server(way.take, "127.0.0.1", 0)
    way.url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield way
    finally:
        server.close()
        await way.close()
