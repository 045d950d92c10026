"""A gateway as a process, asked badly, slowly, or with an upstream that floods it."""

import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from tests.door.firing import LATE, STRAY, bad_requests, fire
from tests.door.test_cases import HEAD
from tests.e2e.gateway import Gateway, serving

KEY = "key-of-the-tests-0123456789"
GROWTH = 20.0  # MiB that an attack may cost
REPORT = 30.0  # seconds between two lines of progress
SOUND = {"model": "m1", "messages": [{"role": "user", "content": "Hi"}]}


@dataclass
class Told:
    """What came of it. Sizes in MiB, times in seconds."""

    statuses: Counter[str] = field(default_factory=Counter)
    sound: list[float] = field(default_factory=list)  # how long each sound request took
    healthy: list[float] = field(default_factory=list)  # the same before, where it was measured
    failed: int = 0  # sound requests that were not answered with 200
    grown: float = 0.0
    tracebacks: int = 0
    took: float = 0.0


def breaches(told: Told, *, fails: bool = False) -> list[str]:
    """Return the promises that were broken; `fails`: the upstream does, which is a 502."""
    allowed = "502" if fails else ""
    wrong = {
        status: times
        for status, times in told.statuses.items()
        if (status.startswith("5") and status != allowed) or status in (LATE, STRAY)
        or status.endswith(", late")
    }  # fmt: skip
    broken = [f"{times} replies were {status}" for status, times in sorted(wrong.items())]
    if told.failed:
        broken.append(f"{told.failed} sound requests failed")
    if told.tracebacks:
        broken.append(f"{told.tracebacks} tracebacks in the log")
    if told.grown > GROWTH:
        broken.append(f"{told.grown:.1f} MiB more memory")
    return broken


@contextmanager
def standing(folder: Path, upstream: str, **server: object) -> Iterator[Gateway]:
    """Run a gateway with one upstream."""
    model = {"id": "m1", "input_price": 1, "output_price": 2}
    more = {**model, "id": "m2"}
    one = {"name": "one", "vendor": "custom", "base_url": upstream, "models": [model, more]}
    tree = {
        "server": {"body_limit": 200_000, **server},
        "keys": [{"name": "tests", "key": KEY}],
        "upstreams": [one],
        "attempts": {"max": 1},
        "logs": {"format": "json"},
    }
    config = folder / "infway.yaml"
    config.write_text(json.dumps(tree))
    with serving(folder, "--config", config) as gateway:
        yield gateway


def memory(gateway: Gateway) -> float:
    """Return the resident MiB of a gateway."""
    return psutil.Process(gateway.process.pid).memory_info().rss / 2**20


async def answered(port: int, sent: bytes) -> str:
    """Send bytes and the end; return the status of the first reply, empty where none comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        writer.write_eof()
        line = await asyncio.wait_for(reader.readline(), 30)
        while await asyncio.wait_for(reader.read(65536), 30):
            pass
        return line.decode("latin-1")[9:12]
    except OSError:
        return "reset"
    finally:
        writer.transport.abort()


def sound_request() -> bytes:
    """Return a request that has to be answered with 200."""
    body = json.dumps(SOUND).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {KEY}\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


async def ask_soundly(port: int, told: Told, pause: float, over: asyncio.Event) -> None:
    """Ask soundly all the while, with a pause in seconds between two requests."""
    while not over.is_set():
        began = time.perf_counter()
        told.failed += await answered(port, sound_request()) != "200"
        told.sound.append(time.perf_counter() - began)
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), pause)


@asynccontextmanager
async def _asking(port: int, told: Told) -> AsyncIterator[None]:
    over = asyncio.Event()
    asking = asyncio.create_task(ask_soundly(port, told, 0.02, over))
    began = time.perf_counter()
    yield
    told.took = time.perf_counter() - began
    over.set()
    await asking


def port_of(gateway: Gateway) -> int:
    return int(gateway.environment["PORT"])


async def _measured(gateway: Gateway, work: Callable[[Told], Awaitable[None]]) -> Told:
    """Do the work beside sound requests."""
    told = Told()
    before = memory(gateway)
    async with _asking(port_of(gateway), told):
        await work(told)
    told.grown = memory(gateway) - before
    told.tracebacks = gateway.log.read_text().count("Traceback")
    assert gateway.process.poll() is None, "the gateway ended"
    return told


async def ask_badly(gateway: Gateway, count: int, seed: int = 1, lines: int = 4) -> Told:
    """Send bad requests on so many lines."""
    port = port_of(gateway)
    warm = bad_requests(min(count // 4, 5_000), seed + 1)
    requests = bad_requests(count, seed)
    await asyncio.gather(*[fire(port, warm, Counter()) for _ in range(lines)])

    async def work(told: Told) -> None:
        async with _reporting(gateway, told, count):
            await asyncio.gather(*[fire(port, requests, told.statuses) for _ in range(lines)])

    healthy = await ask_in_peace(port, min(max(count // 100, 50), 2_000))
    told = await _measured(gateway, work)
    told.healthy = healthy
    return told


async def ask_in_peace(port: int, count: int) -> list[float]:
    """Return how long sound requests take, one by one, while nobody else asks."""
    told, over = Told(), asyncio.Event()
    asking = asyncio.create_task(ask_soundly(port, told, 0.02, over))
    while len(told.sound) < count and not asking.done():
        await asyncio.sleep(0.05)
    over.set()
    await asking
    assert told.failed == 0
    return told.sound


@asynccontextmanager
async def _reporting(gateway: Gateway, told: Told, count: int) -> AsyncIterator[None]:
    """Say from time to time how far it is, on standard error."""

    async def report() -> None:
        while True:
            before = told.statuses.total()
            await asyncio.sleep(REPORT)
            done = told.statuses.total()
            said = f"{done:,} of {count:,}, {(done - before) / REPORT:.0f}/s, {told.failed} sound "
            print(f"{said}failed, {memory(gateway):.0f} MiB", file=sys.stderr, flush=True)

    reporting = asyncio.create_task(report())
    try:
        yield
    finally:
        reporting.cancel()


async def ask_slowly(gateway: Gateway, sockets: int, deadline: float) -> Told:
    """Open slow sockets of four kinds; `statuses` counts those closed in time, by kind."""
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n"
    kinds = {"silent": b"", "head": head[:20], "body": head, "chunks": HEAD.encode() + b"5\r\n"}

    async def one(kind: str, told: Told) -> None:
        loop = asyncio.get_running_loop()
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(gateway))
        began = loop.time()
        writer.write(kinds[kind])
        hearing = asyncio.ensure_future(reader.read())
        try:
            while not hearing.done() and loop.time() < began + deadline + 5:
                if kind != "silent" and not writer.is_closing():
                    writer.write(b"a" if kind != "chunks" else b"")
                await asyncio.wait({hearing}, timeout=0.5)
            in_time = hearing.done() and loop.time() - began <= deadline + 1
            told.statuses[kind if in_time else f"{kind}, late"] += 1
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)
            writer.transport.abort()

    async def work(told: Told) -> None:
        names = list(kinds)
        await asyncio.gather(*[one(names[i % 4], told) for i in range(sockets)])

    return await _measured(gateway, work)


class Bomb(asyncio.Protocol):
    """An upstream that answers with far too much, by turns: see `ways`."""

    turn = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._can = asyncio.Event()
        self._can.set()
        self._task: asyncio.Task[None] | None = None

    def pause_writing(self) -> None:
        self._can.clear()

    def resume_writing(self) -> None:
        self._can.set()

    def connection_lost(self, _: Exception | None) -> None:
        self._can.set()
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._flood(*WAYS[Bomb.turn % len(WAYS)]))
            Bomb.turn += 1

    async def _flood(self, head: bytes, piece: bytes, size: int) -> None:
        self._transport.write(b"HTTP/1.1 200 OK\r\n" + head)
        sent = 0
        while sent < size and not self._transport.is_closing():
            self._transport.write(piece)
            sent += len(piece)
            await self._can.wait()
        self._transport.close()


_JSON = b"content-type: application/json\r\n"
_EVENTS = b"content-type: text/event-stream\r\n"
# head, what is repeated, how many bytes of it
WAYS = (
    (_JSON + b"content-encoding: gzip\r\ncontent-length: 500000\r\n\r\n", os.urandom(50_000), 500_000),
    (_JSON + b"content-length: 1073741824\r\n\r\n", b"a" * 65536, 2**30),
    (_EVENTS + b"\r\n", b"a" * 65536, 2**30),  # one line of a GiB
    (_JSON + b"x: ", b"a" * 65536, 64 * 2**20),  # headers of 64 MiB
    (_JSON, b"x: y\r\n" * 10_000, 64 * 2**20),
    (_EVENTS + b"\r\n", b": ping\n\n" * 8192, 2**30),
)  # fmt: skip


async def bombed(gateway: Gateway, count: int) -> Told:
    """Ask a gateway whose upstream is a `Bomb`, as a stream and in one piece."""
    told, began = Told(), time.perf_counter()
    for number in range(count):
        body = json.dumps({**SOUND, "stream": number // len(WAYS) % 2 == 1}).encode()
        head = sound_request().partition(b"Content-Length")[0]
        sent = head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        if number == 2 * len(WAYS):
            before = memory(gateway)
        told.statuses[await answered(port_of(gateway), sent)] += 1
        if number >= 2 * len(WAYS):
            told.grown = max(told.grown, memory(gateway) - before)
    told.took = time.perf_counter() - began
    told.tracebacks = gateway.log.read_text().count("Traceback")
    return told
