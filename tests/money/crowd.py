"""A crowd of callers on one small budget, over many processes, while the store fails (N14).

The upstream says what each call cost, and counts; the callers come again until there is no more.
"""

import asyncio
import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.api.caller import BEARER, JSON, KEY, chat_body, line_to
from tests.api.upstream import Asked, Script, Upstream, answer, listening
from tests.e2e.gateway import INFWAY, free_port

import infway
from infway.database import Database
from infway.database.opening import database_at
from infway.ledger.purses import Purse
from infway.ledger.spending import Spending

USD = 10**12
COST = 50 * 20_000_000 + 100 * 10_000  # of a call: 0.001001 USD, and at worst 0.0025
USAGE = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
CALL = json.dumps(chat_body(max_tokens=50)).encode()
PURSE = Purse("project:crowd", "total")
PAUSE = 0.2  # seconds until a caller that was refused comes again
SOURCE = str(Path(infway.__file__).parents[1])  # the gateways run what this program runs
_TRIES = 600  # looks for a process that starts, or for grants that go


class Size(NamedTuple):
    """How many gateways, callers of each, and USD there are.

    `calm`: seconds without a success after which the crowd goes home. `takes`: seconds of a call.
    """

    gateways: int
    callers: int
    usd: str
    calm: float = 4.0
    takes: float = 0.02

    @property
    def all_callers(self) -> int:
        """How many callers there are in all."""
        return self.gateways * self.callers


@dataclass
class Tally:
    """What became of it. `served`: calls that the upstream answered. `spent`: 10^-12 USD."""

    told: Counter[int] = field(default_factory=Counter)
    served: int = 0
    spent: int = 0
    most: int = 0  # that was ever spent and granted
    granted: int = 0  # at rest
    interrupted: int = 0  # calls of which nobody knows how they ended

    def __str__(self) -> str:
        told = ", ".join(f"{status}: {count}" for status, count in sorted(self.told.items()))
        return (
            f"spent {self.spent / USD:.6f} USD, upstream served {self.served * COST / USD:.6f} USD"
            f" ({self.served} calls, {self.interrupted} interrupted), spent and granted at most"
            f" {self.most / USD:.6f} USD, granted at rest {self.granted / USD:.6f} USD; {told}"
        )


class Scene:
    """The gateways of one crowd, on one store, and the upstream behind them."""

    def __init__(self, size: Size, store: str | Path, folder: Path, upstream: Upstream) -> None:
        self.size = size
        self.tally = Tally()
        self.ports = [free_port() for _ in range(size.gateways)]
        self.processes: list[subprocess.Popen[bytes]] = []
        self.store = store
        self._folder = folder
        self._upstream = upstream

    async def start(self) -> None:
        """Start every gateway, one after the other."""
        for number, port in enumerate(self.ports):
            home = self._home(number)
            home.mkdir()
            (home / "infway.yaml").write_text(json.dumps(self._settings(port)))
            self.processes.append(self._launch(number))
            try:
                await ready(port)
            except TimeoutError as error:
                raise TimeoutError((home / "log").read_text()[-2000:]) from error

    async def die(self, number: int) -> None:
        """Kill a gateway, and start it again over what it left."""
        self.processes[number].kill()
        self.processes[number].wait()
        self.processes[number] = self._launch(number)
        await ready(self.ports[number])

    def _home(self, number: int) -> Path:
        return self._folder / f"home-{number}"

    def _launch(self, number: int) -> subprocess.Popen[bytes]:
        home = self._home(number)
        with (home / "log").open("ab") as log:
            return subprocess.Popen(
                [INFWAY, "serve", "-c", home / "infway.yaml"],
                env={"HOME": str(home), "PATH": os.defpath, "PYTHONPATH": SOURCE},
                stdout=log,
                stderr=log,
            )

    def _settings(self, port: int) -> dict[str, object]:
        prices = {"input_price": "0.01", "output_price": "20"}
        models = [{"id": "m1", "native": "m1", **prices}]
        budgets = [{"usd": self.size.usd, "per": "total"}]
        url = self._upstream.url
        store = {"store": {"url": self.store}} if isinstance(self.store, str) else {}
        ledger = {"ledger": {"path": str(self.store)}} if isinstance(self.store, Path) else {}
        return {
            "server": {"port": port},
            "accounts": {"pepper": "of the crowd" * 4},
            "keys": [{"name": "crowd", "key": KEY, "project": "crowd"}],
            "projects": [{"name": "crowd", "budgets": budgets}],
            "upstreams": [{"name": "u", "vendor": "custom", "base_url": url, "models": models}],
            "discover": {"environment": False, "local": False},
            **store,
            **ledger,
        }

    def stop(self) -> None:
        """End every gateway in order."""
        for process in self.processes:
            process.send_signal(signal.SIGINT)
        for process in self.processes:
            process.wait(60)


async def call(port: int, tally: Tally, until: asyncio.Event, calm: "Calm") -> None:
    """Ask again and again; a connection that breaks is made anew."""
    while not until.is_set():
        try:
            async with line_to(port) as line:
                while not until.is_set():
                    line.send("POST", "/v1/chat/completions", (BEARER, JSON), CALL)
                    heard = await asyncio.wait_for(line.hear(), 30)
                    tally.told[heard.status] += 1
                    if heard.status == 200:
                        calm.heard()
                    else:
                        await asyncio.sleep(PAUSE)
        except (OSError, EOFError, TimeoutError, AssertionError, ValueError, IndexError):
            tally.told[0] += 1
            await asyncio.sleep(PAUSE)


class Calm:
    """When the last success was."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last = asyncio.get_running_loop().time()

    def heard(self) -> None:
        """Note a success."""
        self._last = asyncio.get_running_loop().time()

    async def come(self) -> None:
        """Wait until there was none for so long."""
        loop = asyncio.get_running_loop()
        while (left := self._last + self._seconds - loop.time()) > 0:
            await asyncio.sleep(left)


@asynccontextmanager
async def scene(size: Size, store: str | Path, folder: Path) -> AsyncIterator[Scene]:
    """Set the scene: gateways that answer, and what they ask."""
    async with AsyncExitStack() as stack:
        served = Tally()

        def say(_: Asked) -> Script:
            served.served += 1
            body = json.dumps(answer(usage=USAGE)).encode()
            return Script([size.takes, body])

        upstream = await stack.enter_async_context(listening(say))
        one = Scene(size, store, folder, upstream)
        one.tally = served
        stack.callback(kill, one.processes)
        await one.start()
        yield one


async def ready(port: int) -> None:
    """Wait until a gateway answers."""
    for _ in range(_TRIES):
        try:
            async with line_to(port) as line:
                line.send("GET", "/readyz", ())
                if (await asyncio.wait_for(line.hear("GET"), 5)).status == 200:
                    return
        except (OSError, EOFError, TimeoutError, AssertionError):
            pass
        await asyncio.sleep(0.1)
    raise TimeoutError(f"no gateway at {port}")


def kill(processes: list[subprocess.Popen[bytes]]) -> None:
    """End what is left."""
    for process in processes:
        if process.poll() is None:
            process.kill()
            process.wait()


@contextmanager
def looking(store: str | Path) -> Iterator[Database]:
    """Look at the store from beside."""
    with closing(database_at(store)) as database:
        database.open()
        yield database


async def crowd(one: Scene, trouble: "Trouble") -> Tally:
    """Let everybody call until nothing is left; `trouble` comes meanwhile."""
    tally, until, calm = one.tally, asyncio.Event(), Calm(one.size.calm)
    callers = [
        asyncio.create_task(call(port, tally, until, calm))
        for port in one.ports
        for _ in range(one.size.callers)
    ]
    await trouble(one)
    await calm.come()
    until.set()
    await asyncio.gather(*callers)
    await rest(one)
    return tally


async def rest(one: Scene) -> None:
    """Wait until nothing is granted any more, and see what was spent."""
    with looking(one.store) as database:
        spending = Spending(database)
        for _ in range(_TRIES):
            sums = spending.sums([PURSE])[PURSE]
            if not sums.granted:
                break
            await asyncio.sleep(0.1)
        one.stop()
        sums = spending.sums([PURSE])[PURSE]
        one.tally.spent, one.tally.granted = sums.spent, sums.granted
        one.tally.most = max(one.tally.most, sums.spent + sums.granted)
        query = "SELECT count(*) FROM entries WHERE attempt > 0 AND outcome = 'interrupted'"
        one.tally.interrupted = database.read(query)[0][0]


class Trouble:
    """What happens in the middle. Awaited with the scene."""

    async def __call__(self, one: Scene) -> None:
        """Nothing happens."""
