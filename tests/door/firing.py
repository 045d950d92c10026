"""Bad requests by the million: made ahead, and sent with as little work of our own as can be.

Requests that are whole as HTTP follow one another on a connection for as long as the gateway
keeps it. The others have a connection each, of which our side ends.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

import yaml
from tests.api.mutations import Shot, shots
from tests.door.test_cases import FAMILIES, written

DISTINCT = 20_000  # requests that are made ahead; they come again with other bytes in them
PATIENCE = 30.0  # seconds until a reply is late
LATE, STRAY, RESET = "late", "stray", "reset"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked\r\n", re.IGNORECASE)
_CLOSED = re.compile(rb"\r\nconnection: *close\r\n", re.IGNORECASE)
_END = b"\r\n\r\n"


class Bad(NamedTuple):
    """A request that is wrong as HTTP, as JSON or as a chat.

    `loose`: from where on bytes may change and leave the framing as it is. `whole`: it is whole as
    HTTP. `bare`: the reply to it has no body.
    """

    data: bytes
    loose: int = 0
    whole: bool = False
    bare: bool = False


def _request(shot: Shot) -> Bad:
    lines = [f"{shot.method} {shot.path} HTTP/1.1", "Host: infway"]
    lines += [f"{name}: {value}" for name, value in shot.headers]
    body, is_chunked = shot.body, not isinstance(shot.body, bytes)
    if isinstance(body, bytes):
        lines.append(f"Content-Length: {len(body)}")
    else:
        lines.append("Transfer-Encoding: chunked")
        body = b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in body) + b"0\r\n\r\n"
    head = "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")
    loose = len(head) + len(body) * is_chunked
    return Bad(head + body, loose, whole=True, bare=shot.method == "HEAD")


def _made(count: int, chance: Random) -> Iterator[Bad]:
    cases = [
        "".join(written(piece) for piece in case["in"]).encode("latin-1")
        for family in FAMILIES
        for case in yaml.safe_load(family.read_text()).values()
    ]
    cases = [case for case in cases if len(case) < 30_000]
    for number in range(count):
        if number % 3:
            yield _request(shots(1, seed=chance.getrandbits(32))[0])
        else:
            yield _changed(Bad(chance.choice(cases)), chance, chance.choice((0, 1, 1, 3)))


def _changed(bad: Bad, chance: Random, times: int) -> Bad:
    """Return a request with so many other bytes."""
    room = len(bad.data) - bad.loose
    if not room or not times:
        return bad
    data = bytearray(bad.data)
    for _ in range(times):
        data[bad.loose + int(chance.random() * room)] = int(chance.random() * 256)
    return bad._replace(data=bytes(data))


def bad_requests(count: int, seed: int, ahead: int = DISTINCT) -> Iterator[Bad]:
    """Return so many bad requests; the first are made here and now, the others of them."""
    chance = Random(seed)
    ready = list(_made(min(count, ahead), chance))

    def more() -> Iterator[Bad]:
        for number in range(count):
            times = 0 if number < ahead else 1 + int(chance.random() * 3)
            yield _changed(ready[number % ahead], chance, times)

    return more()


class Line(asyncio.Protocol):
    """A connection to the gateway, for one request after the other.

    `is_stray`: something came that nobody had asked for; the next reply would be taken for another.
    """

    def __init__(self) -> None:
        self.is_open = self.is_stray = False
        self._reply = bytearray()
        self._bad = Bad(b"")
        self._told: asyncio.Future[str] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # of TCP
        self._transport = transport
        self.is_open = True

    async def ask(self, bad: Bad) -> str:
        """Send a request; return its status, empty where nothing is said."""
        self._told = asyncio.get_running_loop().create_future()
        self._reply.clear()
        self._bad = bad
        self._transport.write(bad.data)
        if not bad.whole:
            self._transport.write_eof()
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._told
        except TimeoutError:
            self.drop()
            return LATE

    def data_received(self, data: bytes) -> None:
        self._reply += data
        if self._told is None or self._told.done():
            self.is_stray = True
            self.drop()
        elif self._bad.whole and (more := _missing(self._reply, self._bad)) is not None:
            if more > 0:
                return
            self._told.set_result(STRAY if more else self._status)

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        if self._told is not None and not self._told.done():
            self._told.set_result(self._status or (RESET if error else ""))

    @property
    def _status(self) -> str:
        if self._reply and not self._reply.startswith(b"HTTP/1."[: len(self._reply)]):
            return STRAY
        return self._reply[9:12].decode("latin-1")

    def drop(self) -> None:
        """End the connection."""
        self.is_open = False
        self._transport.abort()


def _missing(reply: bytearray, bad: Bad) -> int | None:
    """Return how many bytes of a reply are to come, none where only the end of all tells that."""
    end = reply.find(_END)
    if end < 0:
        return None
    head = bytes(reply[: end + 2])
    if _CLOSED.search(head) is not None:
        return None
    if bad.bare or reply[9:12] == b"204":
        return end + len(_END) - len(reply)
    if _CHUNKED.search(head) is not None:
        return 0 if reply.endswith(b"\r\n0\r\n\r\n") else 1
    length = _LENGTH.search(head)
    return None if length is None else end + len(_END) + int(length[1]) - len(reply)


async def fire(port: int, some: Iterator[Bad], statuses: Counter[str]) -> None:
    """Send requests one after the other; count what is answered."""
    loop, line = asyncio.get_running_loop(), Line()
    for bad in some:
        if not line.is_open:
            try:
                _, line = await loop.create_connection(Line, "127.0.0.1", port)
            except OSError:
                statuses[RESET] += 1
                continue
        statuses[await line.ask(bad)] += 1
        if not bad.whole:
            line.drop()
        if line.is_stray:
            statuses[STRAY] += 1
    if line.is_open:
        line.drop()
