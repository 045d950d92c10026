"""`python -m bench.soak [--requests N]`: half of the clients leave at random moments.

JSON and streams in equal parts, a bounded number at once. Afterwards sockets, memory, waiting
requests and the ledger's rows are compared with what they were and with what the clients saw.
The exit code is 1 where something did not come back.
"""

import argparse
import asyncio
import json
import random
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from urllib.error import URLError
from urllib.request import Request, urlopen

import psutil  # type: ignore[import-untyped]  # psutil ships no types
import uvloop

from bench.payloads import chat_body, http_request
from bench.ports import free_port
from bench.processes import Running, running, until
from bench.rig import ENVIRONMENT, KEY
from bench.systems import mock_upstream
from infway.upstream.pool import KEEP

AT_ONCE = 64
WARM_UP = 4000  # requests until every table of bounded size is full: decisions.keep is 1,000
PARTS = 10  # of the run, between which it is looked at
SETTLE_S = 30.0  # longest wait for what is under way to end
MORE_SOCKETS = 2  # the kept connections of the last request
MORE_MEMORY = 16 * 2**20  # bytes; the allocator's own wandering
LATEST = {False: 0.003, True: 0.15}  # seconds until a reply is over: JSON, a stream


@dataclass(slots=True)
class Seen:
    """What the clients saw. `begun`: ids of the replies whose head came."""

    sent: int = 0
    done: Counter[str] = field(default_factory=Counter)
    begun: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Held:
    """What the gateway holds: sockets, resident bytes, requests that wait or are not settled."""

    sockets: int
    rss: int
    waiting: int
    unsettled: int

    def __str__(self) -> str:
        return (
            f"{self.sockets} sockets, {self.rss / 2**20:.1f} MiB, {self.waiting} waiting, "
            f"{self.unsettled} not settled"
        )


class Caller:
    """One client after the other on one connection, until one of them leaves with it."""

    def __init__(self, port: int, seen: Seen, chance: random.Random) -> None:
        self._port = port
        self._seen = seen
        self._chance = chance
        self._line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._requests = {
            stream: http_request(chat_body(stream=stream), key=KEY) for stream in (False, True)
        }

    async def call(self, number: int) -> None:
        """Send one request; of two clients in a row one may leave at any moment."""
        if self._line is None:
            self._line = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._line
        stream, leaves = number % 4 >= 2, number % 2 == 1
        request = self._requests[stream]
        timer = None
        self._seen.sent += 1
        if leaves:
            if self._chance.random() < 0.1:
                request = request[: self._chance.randrange(len(request))]
            moment = self._chance.uniform(0, LATEST[stream])
            timer = asyncio.get_running_loop().call_later(moment, writer.transport.abort)
        try:
            writer.write(request)
            outcome = await self._read(reader)
        except (ConnectionError, asyncio.IncompleteReadError):
            outcome = "left" if leaves else "lost"
        if timer is not None:
            timer.cancel()
        if leaves or outcome != "whole":
            self.close()
        self._seen.done[outcome] += 1

    async def _read(self, reader: asyncio.StreamReader) -> str:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        lines = (line.partition(": ") for line in head.split("\r\n")[1:])
        headers = {name: value for name, _, value in lines}
        self._seen.begun.append(headers["x-request-id"])
        if "content-length" in headers:
            await reader.readexactly(int(headers["content-length"]))
        else:
            await reader.readuntil(b"data: [DONE]\n\n")
            await reader.readuntil(b"0\r\n\r\n")
        return "whole" if " 200 " in head.partition("\r\n")[0] else head[9:12]

    def close(self) -> None:
        """Leave with the connection."""
        if self._line is not None:
            self._line[1].transport.abort()
            self._line = None


async def load(port: int, count: int, seen: Seen, chance: random.Random) -> None:
    """Send `count` requests, `AT_ONCE` at a time."""
    numbers = iter(range(count))

    async def work() -> None:
        caller = Caller(port, seen, chance)
        for number in numbers:
            await caller.call(number)
        caller.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())


def held(gateway: Running, port: int) -> Held:
    """Read what the gateway holds now."""
    lines = _page(port, "/metrics").decode().splitlines()
    latest = json.loads(_page(port, "/admin/decisions?count=1000"))["data"]
    told = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    links = (Path("/proc") / str(gateway.pid) / "fd").iterdir()
    sockets = sum(link.readlink().name.startswith("socket:") for link in links if link.is_symlink())
    rss = int(psutil.Process(gateway.pid).memory_info().rss)
    unsettled = sum(one["outcome"] == "open" for one in latest)
    return Held(sockets, rss, int(float(told["infway_waiting_requests"])), unsettled)


def _page(port: int, path: str) -> bytes:
    request = Request(f"http://127.0.0.1:{port}{path}", headers={"authorization": f"Bearer {KEY}"})
    with urlopen(request, timeout=30) as page:
        body: bytes = page.read()
    return body


async def settled(gateway: Running, port: int) -> Held:
    """Wait until every request is over and settled, or for SETTLE_S."""
    end = perf_counter() + SETTLE_S
    while True:
        await asyncio.sleep(1.0)
        now = held(gateway, port)
        if not (now.waiting or now.unsettled) or perf_counter() > end:
            return now


async def rested(gateway: Running, port: int, seen: Seen) -> Held:
    """Wait until idle connections are old, and send the request that makes the gateway drop them."""
    await asyncio.sleep(KEEP + 1)
    await Caller(port, seen, random.Random(0)).call(0)
    return await settled(gateway, port)


def faults(ledger: Path, seen: Seen, before: Held, after: Held) -> list[str]:
    """Return what did not come back, and what the ledger does not say as the clients saw it."""
    with sqlite3.connect(f"file:{ledger}?mode=ro", uri=True) as rows:
        query = "SELECT request, sum(attempt = 0), sum(attempt > 0) FROM entries GROUP BY request"
        entries = {request: (whole, tried) for request, whole, tried in rows.execute(query)}
        outcomes: list[tuple[str, int]] = rows.execute(
            "SELECT outcome, count(*) FROM entries WHERE attempt = 0 GROUP BY outcome"
        ).fetchall()
    print(f"ledger       {len(entries)} requests: {dict(outcomes)}")
    missing = [one for one in seen.begun if one not in entries]
    odd = [one for one, (whole, _) in entries.items() if whole != 1]
    checks: Mapping[str, bool] = {
        f"{len(missing)} replies began and have no request row": not missing,
        f"{len(odd)} requests have no or several request rows": not odd,
        "more requests in the ledger than were sent": len(entries) <= seen.sent,
        "more answers than rows that say so": dict(outcomes).get("ok", 0) >= seen.done["whole"],
        f"answers went wrong: {dict(seen.done)}": not seen.done.keys() - {"whole", "left"},
        f"sockets are left: {after.sockets - before.sockets}": after.sockets
        <= before.sockets + MORE_SOCKETS,
        f"memory grew by {(after.rss - before.rss) / 2**20:.1f} MiB": after.rss
        <= before.rss + MORE_MEMORY,
        f"{after.waiting} requests still wait": after.waiting == 0,
        f"{after.unsettled} of the last requests are not settled": after.unsettled == 0,
    }
    return [fault for fault, is_well in checks.items() if not is_well]


async def soak(gateway: Running, port: int, requests: int, ledger: Path) -> int:
    """Run it, print the figures, and return the exit code."""
    seen, chance = Seen(), random.Random(20260101)
    start = held(gateway, port)
    print(f"start        {start}", flush=True)
    await load(port, WARM_UP, seen, chance)
    before = await settled(gateway, port)
    print(f"warm         {before} after {seen.sent} requests", flush=True)
    began = perf_counter()
    for _ in range(PARTS):
        await load(port, requests // PARTS, seen, chance)
        print(f"on the way   {held(gateway, port)} after {seen.sent} requests", flush=True)
    took = perf_counter() - began
    print(f"end          {await settled(gateway, port)}", flush=True)
    after = await rested(gateway, port, seen)
    print(f"rested       {after}")
    print(f"clients      {seen.sent} requests, {dict(seen.done)}, {len(seen.begun)} replies begun")
    print(f"took         {took:.0f} s, {requests / took:.0f} requests/s, {AT_ONCE} at once")
    wrong = faults(ledger, seen, replace(before, sockets=start.sockets), after)
    print("\n".join(wrong) or "Everything is back where it was.")
    return int(bool(wrong))


def _config(folder: Path, port: int, upstream: int) -> Path:
    model = {"id": "gpt-4o-mini", "input_price": 0.15, "output_price": 0.6}
    row = {"name": "mock", "vendor": "openai", "base_url": f"http://127.0.0.1:{upstream}/v1"}
    settings = {
        "server": {"port": port, "grace": 0},
        "discover": {"environment": False, "local": False},
        "keys": [{"name": "soak", "key": "${BENCH_KEY}", "admin": True}],
        "ledger": {"path": str(folder / "ledger.db")},
        "upstreams": [{**row, "key": "${MOCK_KEY}", "models": [model]}],
    }
    path = folder / "soak.yaml"
    path.write_text(json.dumps(settings))
    return path


def _answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as reply:
            return bool(reply.status == 200)
    except (URLError, ConnectionError):
        return False


def main() -> int:
    """Start both sides and run."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    requests = parser.parse_args().requests
    port, python = free_port(), sys.executable
    with tempfile.TemporaryDirectory(prefix="infway-soak-") as name:
        folder = Path(name)
        env = {**ENVIRONMENT, "INFWAY_DATA_DIR": str(folder)}
        with mock_upstream(folder, Path(python), None) as upstream:
            config = _config(folder, port, upstream.paced)
            argv = [python, "-m", "infway", "serve", "-c", str(config)]
            with running("infway", argv, core=None, folder=folder, env=env) as gateway:
                until(lambda: _answers(port), gateway, within_s=30, every_s=0.1)
                return uvloop.run(soak(gateway, port, requests, folder / "ledger.db"))


if __name__ == "__main__":
    sys.exit(main())
