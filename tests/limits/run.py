"""Four replica processes, real Valkeys, and what befalls each of them meanwhile."""

import asyncio
import contextlib
import json
import os
import sys
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from redis.asyncio import Redis
from tests.limits.plan import KEYS, LIMITS, PARTS
from tests.state.valkey import Valkey, running

ROOT = Path(__file__).parents[2]
TROUBLES = ("none", "killed", "frozen", "flushed", "failed over")
_CHILD = (sys.executable, "-m", "tests.limits.replica")
Use = tuple[float, str, int, bool]  # when, which key, tokens, whether by the store


class Outcome(NamedTuple):
    """What came of a run. `fullest`: the fullest window, as a share of its limit.

    `alone`: how many were let in without the store. `used`: what was let in, as a share of what the
    tightest limit of requests lets in when nothing is refused.
    """

    tries: int
    let_in: int
    alone: int
    fullest: float
    used: float
    latest: float


class Way:
    """The address of the store, which may come to lead to another one. `delay`: seconds of replies."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.port = 0
        self.delay = 0.0
        self._open: set[asyncio.StreamWriter] = set()

    def lead_to(self, port: int) -> None:
        """Break all connections; new ones lead there."""
        self.target = port
        for writer in list(self._open):
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on."""
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, back}
        self._open |= ends
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, back))
                group.create_task(self._pump(there, writer, is_reply=True))
        finally:
            self._open -= ends

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_reply: bool = False
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(2**16):
                if is_reply and self.delay:
                    await asyncio.sleep(self.delay)
                writer.write(data)
                await writer.drain()
        writer.transport.abort()


@asynccontextmanager
async def way_to(valkey: Valkey) -> AsyncIterator[Way]:
    way = Way(valkey.port)
    server = await asyncio.start_server(way.serve, "127.0.0.1", 0)
    way.port = server.sockets[0].getsockname()[1]
    try:
        yield way
    finally:
        server.close()
        way.lead_to(0)


async def measured(folder: Path, troubles: Sequence[str], seconds: float) -> Mapping[str, Outcome]:
    """Run all processes for so long; troubles begin at a third and end at two thirds.

    Each trouble has a store of its own, and each process a meter at each of them.
    """
    async with AsyncExitStack() as stack:
        stores: list[tuple[str, Valkey, Way]] = []
        for trouble in troubles:
            valkey = stack.enter_context(running(folder / f"store{len(stores)}"))
            stores.append((trouble, valkey, await stack.enter_async_context(way_to(valkey))))
        urls = [f"redis://127.0.0.1:{way.port}" for _, _, way in stores]
        replicas = [await _replica(number, seconds, urls) for number in range(PARTS)]
        for replica in replicas:
            assert replica.stdout is not None
            assert await replica.stdout.readline() == b"ready\n"
        reports = asyncio.gather(*(replica.communicate(b"\n") for replica in replicas))
        await asyncio.sleep(seconds / 3)
        await asyncio.gather(*(_befall(*store, seconds / 3, folder) for store in stores))
        told = [json.loads(out) for out, _ in await reports]
    by_store = zip(*told, strict=True)
    return {one: _outcome(said, seconds) for one, said in zip(troubles, by_store, strict=True)}


async def _replica(number: int, seconds: float, urls: Sequence[str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *_CHILD,
        f"replica{number}",
        str(seconds),
        *urls,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=ROOT,
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT)},
    )


async def _befall(trouble: str, valkey: Valkey, way: Way, seconds: float, folder: Path) -> None:
    if trouble == "killed":
        valkey.kill()
        way.lead_to(way.target)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(valkey.start)
    elif trouble == "frozen":
        with valkey.silent():
            await asyncio.sleep(seconds)
    elif trouble == "flushed":
        async with Redis.from_url(valkey.url) as client:
            await client.flushall()
    elif trouble == "failed over":
        other = await asyncio.to_thread(Valkey, folder / "other")
        try:
            await _fail_over(valkey, other, way)
            await asyncio.sleep(seconds * 2)
        finally:
            other.kill()


async def _fail_over(valkey: Valkey, other: Valkey, way: Way) -> None:
    async with Redis.from_url(other.url) as client:
        await client.replicaof("127.0.0.1", valkey.port)
        while (await client.info("replication"))["master_link_status"] != "up":
            await asyncio.sleep(0.05)
        way.lead_to(other.port)  # still a replica: it refuses writes
        await asyncio.sleep(0.5)
        await client.replicaof("NO", "ONE")


def _outcome(told: Sequence[Mapping[str, Any]], seconds: float) -> Outcome:
    """Return what the reports of all processes about one store come to."""
    uses: list[Use] = sorted(tuple(use) for one in told for use in one["let_in"])
    tries, latest = sum(one["tries"] for one in told), max(max(one["late"]) for one in told)
    fullest = 0.0
    for key in {use[1] for use in uses}:
        own = [use for use in uses if use[1] == key]
        for window in LIMITS.requests:
            fullest = max(fullest, _fullest([(u[0], 1) for u in own], window.seconds) / window.most)
        for window in LIMITS.tokens:
            most = _fullest([(u[0], u[2]) for u in own], window.seconds)
            fullest = max(fullest, most / window.most)
    rate = len(KEYS) * min(one.most / one.seconds for one in LIMITS.requests)
    alone = sum(not use[3] for use in uses)
    return Outcome(tries, len(uses), alone, fullest, len(uses) / seconds / rate, latest)


def _fullest(uses: Sequence[tuple[float, int]], seconds: int) -> int:
    """Return the most that any window of so many seconds holds; one that ends where it begins not."""
    window: deque[tuple[float, int]] = deque()
    held = most = 0
    for at, amount in uses:
        window.append((at, amount))
        held += amount
        while window[0][0] <= at - seconds:
            held -= window.popleft()[1]
        most = max(most, held)
    return most
