"""A TCP proxy that spoils what passes, in front of anything: an upstream, Redis, Postgres.

    async with proxy(port) as between:
        between.port                       # what the client connects to
        between.harm = Harm(latency=0.05)  # for what passes from now on, in both directions
        between.reset()                    # RST on every connection that is open

Chance comes from a seed, so that a run can be had again.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Harm:
    """What happens to the bytes of one direction. Times in seconds.

    `latency`: each piece is late by it, and by up to `jitter` more. `rate`: bytes per second.
    `slice_`: pieces of so many bytes at most. `stall_after`, `reset_after`, `close_after`: from so
    many bytes on nothing passes, the connection is reset, or its half is closed. `corrupt`: the
    number of the byte, from 0, whose bits are turned. `refuse`: new connections are reset.
    """

    latency: float = 0.0
    jitter: float = 0.0
    rate: float | None = None
    slice_: int | None = None
    stall_after: int | None = None
    reset_after: int | None = None
    close_after: int | None = None
    corrupt: int | None = None
    refuse: bool = False


NONE = Harm()


class _Way:
    """One direction of one connection."""

    def __init__(self, owner: "Proxy", *, down: bool) -> None:
        self._owner = owner
        self._down = down
        self.passed = 0

    @property
    def harm(self) -> Harm:
        return self._owner.down if self._down else self._owner.up

    async def run(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> bool:
        """Pass bytes on until the end; tell whether the connection is to be reset."""
        while data := await source.read(self.harm.slice_ or 65_536):
            await self._wait(len(data))
            data = self._corrupted(data)
            for at in range(0, len(data), self.harm.slice_ or len(data)):
                left = self._left()
                piece = data[at : at + (self.harm.slice_ or len(data))][:left]
                sink.write(piece)
                self.passed += len(piece)
                await sink.drain()
                if left is not None and self.passed and self._left() == 0:
                    return await self._ended(sink)
        if sink.can_write_eof():
            sink.write_eof()
        return False

    async def _wait(self, size: int) -> None:
        harm = self.harm
        late = harm.latency + self._owner.chance.random() * harm.jitter
        late += size / harm.rate if harm.rate else 0.0
        if late:
            await asyncio.sleep(late)

    def _corrupted(self, data: bytes) -> bytes:
        place = self.harm.corrupt
        if place is None or not self.passed <= place < self.passed + len(data):
            return data
        at = place - self.passed
        return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]

    def _left(self) -> int | None:
        """Return how many bytes may still pass, None where there is no end."""
        harm = self.harm
        ends = (harm.stall_after, harm.reset_after, harm.close_after)
        told = [end for end in ends if end is not None]
        return max(0, min(told) - self.passed) if told else None

    async def _ended(self, sink: asyncio.StreamWriter) -> bool:
        harm = self.harm
        if harm.reset_after is not None:
            return True
        if harm.close_after is not None and sink.can_write_eof():
            sink.write_eof()
        await asyncio.Event().wait()
        return False


class Proxy:
    """`up`: harm to what the client sends; `down`: to what it gets. `connections`: made so far."""

    def __init__(self, target: int, seed: int) -> None:
        self.port = 0
        self.up = self.down = NONE
        self.connections = 0
        self.chance = Random(seed)
        self._target = target
        self._open: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}

    @property
    def harm(self) -> Harm:
        """What happens to both directions."""
        return self.down

    @harm.setter
    def harm(self, harm: Harm) -> None:
        self.up = self.down = harm

    @property
    def open(self) -> int:
        """How many connections are open."""
        return len(self._open)

    def reset(self) -> None:
        """Send RST to both ends of every open connection."""
        for writers in self._open.values():
            _reset(writers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        writers = self._open.setdefault(task, [writer])
        try:
            if self.up.refuse:
                _reset(writers)
                return
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
            writers.append(back)
            await self._carry((reader, writer), (there, back), writers)
        except (OSError, asyncio.CancelledError):
            for one in writers:
                one.transport.abort()
        finally:
            del self._open[task]

    async def _carry(
        self,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        writers: list[asyncio.StreamWriter],
    ) -> None:
        ways = [
            asyncio.create_task(_Way(self, down=False).run(client[0], server[1])),
            asyncio.create_task(_Way(self, down=True).run(server[0], client[1])),
        ]
        try:
            for ended in asyncio.as_completed(ways):
                if await ended:
                    _reset(writers)
                    return
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for one in writers:
                one.close()

    def end(self) -> list[asyncio.Task[None]]:
        """Cancel what is carried, and return it."""
        for task in self._open:
            task.cancel()
        return list(self._open)


def _reset(writers: list[asyncio.StreamWriter]) -> None:
    for one in writers:
        raw = one.get_extra_info("socket")
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.transport.abort()


@asynccontextmanager
async def proxy(target: int, seed: int = 1) -> AsyncIterator[Proxy]:
    """Run a proxy to a port of the loopback."""
    between = Proxy(target, seed)
    server = await asyncio.start_server(between.serve, "127.0.0.1", 0)
    between.port = server.sockets[0].getsockname()[1]
    try:
        yield between
    finally:
        server.close()
        await asyncio.gather(*between.end(), return_exceptions=True)
