"""The callers: each asks, reads what comes, and asks again, whatever happens to the gateway."""

import asyncio
import itertools
from dataclasses import dataclass

from tests.crash.far import is_stream
from tests.crash.rig import key_of, model_of

_PATIENCE = 30.0  # seconds without a byte


@dataclass(slots=True)
class Read:
    """What the caller of one request read: `tokens`, and whether it was all; `refused`: nothing began."""

    number: int
    status: int = 0
    tokens: int = 0
    whole: bool = False
    id: str = ""


class Callers:
    """Several callers, until `over` is set."""

    def __init__(self, port: int, read: list[Read], count: int) -> None:
        self._port = port
        self._read = read
        self._numbers = itertools.count(1)
        self._count = count
        self.over = asyncio.Event()

    async def run(self) -> None:
        """Ask until told to stop, and wait for what was asked."""
        await asyncio.gather(*(self._call() for _ in range(self._count)))

    async def _call(self) -> None:
        while not self.over.is_set():
            try:
                ends = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError:
                await asyncio.sleep(0.05)  # it is being started again, and nothing was asked
                continue
            read = Read(next(self._numbers))
            try:
                await self._ask(read, *ends)
            except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError):
                await asyncio.sleep(0.05)
            self._read.append(read)

    async def _ask(
        self, read: Read, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            writer.write(request(read.number))
            async with asyncio.timeout(_PATIENCE) as limit:
                head = await reader.readuntil(b"\r\n\r\n")
                read.status = int(head[9:12])
                for line in head.split(b"\r\n"):
                    if line.lower().startswith(b"x-request-id:"):
                        read.id = line[13:].strip().decode()
                await _read(read, reader, limit)
        finally:
            writer.close()


async def _read(read: Read, reader: asyncio.StreamReader, limit: asyncio.Timeout) -> None:
    data, counted, now = bytearray(), 0, asyncio.get_running_loop().time
    while piece := await reader.read(65_536):
        limit.reschedule(now() + _PATIENCE)
        data += piece
        read.tokens += data.count(b"w ", counted)
        counted = len(data) - data.endswith(b"w")
    ok = read.status == 200 and b'"error"' not in data
    read.whole = ok and (b"data: [DONE]" if is_stream(read.number) else b'"usage"') in data


def request(number: int) -> bytes:
    """Return the request of a number."""
    stream = b'"stream":true,' if is_stream(number) else b""
    body = b'{"model":"%b",%b"messages":[{"role":"user","content":"number-%d."}]}' % (
        model_of(number).encode(),
        stream,
        number,
    )
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key_of(number)}\r\n"
        f"Connection: close\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
