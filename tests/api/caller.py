"""A plain HTTP/1.1 client on a real socket: sends exactly what a test says, byte for byte."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec

from infway.api.replies import ErrorBody

Headers = Sequence[tuple[str, str]]

KEY = "key-of-the-tests-0123456789"
ADMIN_KEY = "key-of-the-admin-7d2f90c4e1a85b36"
NARROW_KEY = "key-of-the-narrow-0123456789"
BEARER = ("Authorization", f"Bearer {KEY}")
ADMIN = ("Authorization", f"Bearer {ADMIN_KEY}")
JSON = ("Content-Type", "application/json")


@dataclass(frozen=True)
class Heard:
    """One reply. Header names are in lower case, in the order they came."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def json(self) -> dict:
        """Return the body, read."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The error's code."""
        return self.json["error"]["code"]

    @property
    def frames(self) -> list[bytes]:
        """Return the events of a stream without their blank lines."""
        assert self.body.endswith(b"\n\n")
        return self.body[:-2].split(b"\n\n")

    @property
    def chunks(self) -> list[dict]:
        """Return the objects of a stream, without comments and the sentinel."""
        data = [frame[6:] for frame in self.frames if frame.startswith(b"data: {")]
        return [json.loads(one) for one in data]

    def header(self, name: str) -> str | None:
        """Return a header's value, None where it is not there; it must not be there twice."""
        found = [value for key, value in self.headers if key == name]
        assert len(found) <= 1, f"{name} is here {len(found)} times"
        return found[0] if found else None


class Line:
    """One connection, kept alive."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(
        self, method: str, path: str, headers: Headers, body: bytes | Sequence[bytes] = b""
    ) -> None:
        """Send one request; a list of bodies goes out chunked."""
        lines = [f"{method} {path} HTTP/1.1", "Host: infway"]
        lines += [f"{name}: {value}" for name, value in headers]
        if isinstance(body, bytes):
            if body or method == "POST":
                lines.append(f"Content-Length: {len(body)}")
            data = body
        else:
            lines.append("Transfer-Encoding: chunked")
            data = b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in body) + b"0\r\n\r\n"
        self.writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + data)

    async def head(self) -> tuple[int, tuple[tuple[str, str], ...]]:
        """Read the head of a reply."""
        raw = await self.reader.readuntil(b"\r\n\r\n")
        first, *lines = raw[:-4].decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = tuple((name.lower(), value.strip()) for name, _, value in pairs)
        return int(first.split(" ")[1]), headers

    async def piece(self) -> bytes:
        """Read one chunk of a chunked body; empty at its end."""
        size = int(await self.reader.readuntil(b"\r\n"), 16)
        data = await self.reader.readexactly(size + 2)
        return data[:-2]

    async def hear(self, method: str = "POST") -> Heard:
        """Read one whole reply."""
        status, headers = await self.head()
        told = dict(headers)
        if method == "HEAD" or status in (204, 304):
            return Heard(status, headers, b"")
        if told.get("transfer-encoding") == "chunked":
            pieces = []
            while piece := await self.piece():
                pieces.append(piece)
            return Heard(status, headers, b"".join(pieces))
        if "content-length" in told:
            body = await self.reader.readexactly(int(told["content-length"]))
            return Heard(status, headers, body)
        return Heard(status, headers, await self.reader.read())

    def hang_up(self) -> None:
        """Close the connection at once."""
        self.writer.transport.abort()


@asynccontextmanager
async def line_to(port: int) -> AsyncIterator[Line]:
    """Open a connection for the block."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    try:
        yield Line(reader, writer)
    finally:
        writer.transport.abort()


def chat_body(**fields: object) -> dict[str, object]:
    """Return a small valid request."""
    return {"model": "m1", "messages": [{"role": "user", "content": "Hi"}], **fields}


def refused(heard: Heard, status: int, code: str, param: str | None = None) -> None:
    """Assert that a reply is the one error body, in both official shapes."""
    assert heard.status == status, heard
    body = msgspec.json.decode(heard.body, type=ErrorBody)
    assert heard.json.keys() == {"error", "errors", "warnings", "results"}
    assert (body.error.code, body.error.status) == (code, status)
    assert body.error.param == param
    assert [entry.code for entry in body.errors] == [code]
    assert body.errors[0].message == body.error.message
    assert (body.warnings, body.results) == ([], {})
    assert heard.header("content-type") == "application/json"
    assert heard.header("x-request-id")
