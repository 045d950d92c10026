"""An upstream that answers on a raw socket with what was recorded, cut as it is told."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from tests.conformance.recording import Recording

# Headers that belong to the connection that was recorded
_CONNECTION = frozenset(
    {"content-type", "content-length", "content-encoding", "transfer-encoding", "connection"}
)


class Replay:
    """Plays recordings. The first segment of a path is the name under which one is played.

    `cut`: bytes of each write of a stream, 0 for all at once.
    """

    def __init__(self) -> None:
        self.port = 0
        self._plays: Mapping[str, tuple[Recording, int]] = {}

    def plays(self, recordings: Mapping[str, tuple[Recording, int]]) -> None:
        """Play these from now on: name -> recording and cut."""
        self._plays = recordings

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection for as long as it lasts."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                await reader.readexactly(_length(head))
                name = head.split(" ")[1].split("/")[1]
                await _answer(writer, *self._plays[name])
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


def _length(head: str) -> int:
    lines = (line.partition(":") for line in head.lower().split("\r\n"))
    return next((int(value) for name, _, value in lines if name == "content-length"), 0)


async def _answer(writer: asyncio.StreamWriter, recording: Recording, cut: int) -> None:
    head = f"HTTP/1.1 {recording.status} Recorded\r\ncontent-type: {recording.kind}\r\n"
    for name, value in recording.headers.items():
        if name not in _CONNECTION:
            head += f"{name}: {value}\r\n"
    body = recording.body
    if not recording.is_streamed:
        head += f"content-length: {len(body)}\r\n\r\n"
        writer.write(head.encode("latin-1", "replace") + body)
        await writer.drain()
        return
    writer.write((head + "transfer-encoding: chunked\r\n\r\n").encode("latin-1", "replace"))
    for start in range(0, len(body), cut or len(body)):
        piece = body[start : start + cut] if cut else body
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        await writer.drain()
        await asyncio.sleep(0)  # two turns for the other side: to see that there is something,
        await asyncio.sleep(0)  # and to read it before there is more
    writer.write(b"0\r\n\r\n")
    await writer.drain()


@asynccontextmanager
async def replaying() -> AsyncIterator[Replay]:
    """Run a replay upstream on a free port while the block runs."""
    replay = Replay()
    open_lines: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_lines.add(task)
        try:
            await replay.serve(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            open_lines.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**24)
    replay.port = server.sockets[0].getsockname()[1]
    try:
        yield replay
    finally:
        server.close()
        for task in list(open_lines):
            task.cancel()
        await asyncio.gather(*open_lines, return_exceptions=True)
