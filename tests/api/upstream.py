"""An upstream on a real socket that answers from a script and remembers what it was asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Piece = bytes | float | asyncio.Event


@dataclass(frozen=True)
class Asked:
    """One request as it came. Header names are in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        """Return the body, read."""
        read: dict[str, object] = json.loads(self.body)
        return read


@dataclass(frozen=True)
class Script:
    """One reply: bytes are sent, a number is slept in seconds, an event is waited for.

    `cut`: the connection is dropped after the last piece instead of the reply being ended.
    """

    pieces: Sequence[Piece]
    status: int = 200
    kind: str = "application/json"
    headers: tuple[str, ...] = ()
    cut: bool = False


Say = Callable[[Asked], Script]

USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


def answer(text: str = "Hello", **more: object) -> dict[str, object]:
    """Return a whole chat completion as an upstream writes it."""
    message = {"role": "assistant", "content": text, "refusal": None}
    return {
        "id": "chatcmpl-upstream",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "native-model-2024",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": USAGE,
        "system_fingerprint": "fp_1",
        **more,
    }


def whole(body: object = None, **said: object) -> Script:
    """Return a reply in one piece."""
    data = body if isinstance(body, bytes) else json.dumps(answer() if body is None else body)
    return Script([data if isinstance(data, bytes) else data.encode()], **said)  # type: ignore[arg-type]


def fault(status: int, message: str = "boom", headers: tuple[str, ...] = ()) -> Script:
    """Return an error reply of the dialect."""
    return whole({"error": {"message": message, "type": None}}, status=status, headers=headers)


def chunk(
    delta: dict[str, object] | None, finish: str | None = None, index: int = 0, **root: object
) -> bytes:
    """Return one frame; `delta` None leaves the choices empty."""
    one = {"index": index, "delta": delta, "finish_reason": finish}
    fields = {
        "id": "chatcmpl-upstream",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "native-model-2024",
        "choices": [] if delta is None else [one],
        **root,
    }
    return b"data: " + json.dumps(fields, separators=(",", ":")).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def frames(*texts: str, usage: object = USAGE) -> list[bytes]:
    """Return the frames of a stream: role, texts, finish, usage, the sentinel."""
    made = [chunk({"role": "assistant", "content": ""})]
    made += [chunk({"content": text}) for text in texts]
    made.append(chunk({}, "stop"))
    if usage is not None:
        made.append(chunk(None, usage=usage))
    return [*made, DONE]


def stream(*pieces: Piece, cut: bool = False) -> Script:
    """Return a streamed reply."""
    return Script(pieces, kind="text/event-stream", cut=cut)


def either(asked: Asked) -> Script:
    """Answer `Hello`, whole or streamed as asked."""
    return stream(*frames("Hel", "lo")) if b'"stream":true' in asked.body else whole()


@dataclass
class Upstream:
    """A listening upstream. `say` decides each reply; `gone` is set when a caller hangs up early."""

    say: Say = either
    asked: list[Asked] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    gone_at: float = 0.0
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    @property
    def url(self) -> str:
        """The base URL of its API."""
        return f"http://127.0.0.1:{self.port}/v1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection for as long as it lasts."""
        try:
            while (asked := await _read(reader)) is not None:
                self.asked.append(asked)
                self.reached.set()
                script = self.say(asked)
                if not await self._play(script, reader, writer):
                    break
        except ConnectionError:
            self._left()
        finally:
            writer.close()

    async def _play(
        self, script: Script, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        more = "".join(f"{line}\r\n" for line in script.headers)
        whole_one = script.kind != "text/event-stream" and len(script.pieces) == 1
        if whole_one and isinstance(script.pieces[0], bytes):
            more += f"content-length: {len(script.pieces[0])}\r\n"
        else:
            whole_one = False
            more += "transfer-encoding: chunked\r\n"
        head = f"HTTP/1.1 {script.status} Said\r\ncontent-type: {script.kind}\r\n{more}\r\n"
        if whole_one:
            head_bytes = head.encode() + bytes(script.pieces[0])  # type: ignore[arg-type]
            writer.write(head_bytes)
            await writer.drain()
            return not script.cut
        watch = asyncio.create_task(reader.read(1))
        begun = False
        try:
            for piece in script.pieces:
                if isinstance(piece, bytes):
                    start, begun = (b"" if begun else head.encode()), True
                    writer.write(start + b"%x\r\n%s\r\n" % (len(piece), piece))
                    await writer.drain()
                elif await self._hangs_up(watch, piece):
                    return False
            if script.cut:
                return False
            writer.write((b"" if begun else head.encode()) + b"0\r\n\r\n")
            await writer.drain()
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
        return True

    async def _hangs_up(self, watch: asyncio.Task[bytes], wait: float | asyncio.Event) -> bool:
        """Wait as the script says; tell whether the caller hung up meanwhile."""
        pause = asyncio.sleep(wait) if isinstance(wait, int | float) else wait.wait()
        waiting = asyncio.ensure_future(pause)
        await asyncio.wait({watch, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        if watch.done():
            self._left()
        return watch.done()

    def _left(self) -> None:
        self.gone_at = asyncio.get_running_loop().time()
        self.gone.set()


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    headers = {
        name.lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head[1:] if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(head[0].split(" ")[1], headers, body)


@asynccontextmanager
async def listening(say: Say = either) -> AsyncIterator[Upstream]:
    """Serve on a free port while the block runs."""
    upstream = Upstream(say)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await upstream.serve(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            tasks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**24)
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
