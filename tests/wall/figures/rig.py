"""A gateway before walls, and clients that ask it over connections that are kept."""

import asyncio
import contextlib
import json
import sqlite3
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.api.caller import BEARER, JSON, Heard, Line, chat_body, line_to
from tests.api.serving import served
from tests.conftest import settled
from tests.wall import ANSWER, Wall, wall
from tests.wall.matrix.places import PLACES, Names, trust
from tests.wall.matrix.play import streamed_text

from infway.app import App, parts
from infway.ledger.sqlite import SqliteLedger

PATH = "/v1/chat/completions"
STREAM, WHOLE = "streamed", "whole"  # the models: one for each way of asking
PRICES = ({"input_price": "1", "output_price": "2"}, {"input_price": "3", "output_price": "6"})


@dataclass
class Rig:
    """`walls`: by the names of their upstreams. The first is the cheapest, and so the favourite."""

    app: App
    port: int
    walls: dict[str, Wall]
    ledger: Path

    async def attempts(self) -> Counter[str]:
        """Return how many attempts the ledger has, by upstream."""
        await self.app.settler.flush()
        with contextlib.closing(sqlite3.connect(self.ledger)) as connection:
            found = connection.execute(
                "SELECT upstream, count(*) FROM entries WHERE attempt > 0 GROUP BY upstream"
            )
            return Counter(dict(found.fetchall()))


@dataclass
class Answered:
    """One request of a client: `first` and `end` are seconds from its `began`."""

    began: float
    stream: bool
    heard: Heard
    first: float = 0.0
    end: float = 0.0

    @property
    def upstream(self) -> str:
        """Who answered."""
        return self.heard.header("x-gateway-provider") or ""

    @property
    def fault(self) -> str:
        """What its caller saw that was no whole answer; empty where all was well."""
        if self.heard.status != 200:
            return f"{self.heard.status} {self.heard.code}"
        if not self.stream:
            said = self.heard.json["choices"][0]["message"]["content"]
            return "" if said == ANSWER else "another text"
        errors = [one["error"]["code"] for one in self.heard.chunks if "error" in one]
        if errors or self.heard.frames[-1] != b"data: [DONE]":
            return f"ended with {errors}"
        return "" if streamed_text(self.heard) == ANSWER else "another text"


@asynccontextmanager
async def rig(
    first: tuple[str, str],
    limits: dict[str, float],
    prices: Sequence[dict[str, str]] = PRICES,
    **tree: object,
) -> AsyncIterator[Rig]:
    """Run a gateway before three walls; the first plays these scripts, streamed and whole."""
    names = Names()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        walls = {name: await stack.enter_async_context(wall()) for name in ("one", "two", "three")}
        upstreams = []
        for place, (name, up) in enumerate(walls.items()):
            scripts, at = ("ok", "ok"), up.base_url
            if not place:
                where, _, script = first[0].rpartition("!")
                scripts = script, first[1].rpartition("!")[2]
                at = await stack.enter_async_context(PLACES[where](up, names)) if where else at
            models = [
                {"id": model, "native": native, **prices[min(place, 1)]}
                for model, native in zip((STREAM, WHOLE), scripts, strict=True)
            ]
            said = {"name": name, "vendor": "custom", "base_url": at, "models": models}
            upstreams.append({**said, "timeouts": limits})
        built = replace(
            parts(SqliteLedger(folder / "ledger.db"), 7), resolve=names.resolve, trust=trust
        )
        routing = {"exploration": True}  # as it is by default
        app = App(*settled({"upstreams": upstreams, "routing": routing, **tree}), built)
        port = await stack.enter_async_context(served(app.front))
        yield Rig(app, port, walls, folder / "ledger.db")


@dataclass
class Load:
    """Clients that ask one after the other until `more` says no; each on its own connection."""

    port: int
    more: Callable[[], bool]
    pause: float = 0.0
    answered: list[Answered] = field(default_factory=list)

    async def run(self, clients: int, ways: Sequence[bool] = (True, False)) -> list[Answered]:
        """Run so many clients at once, by turns as the ways say: streamed or not."""
        await asyncio.gather(*(self._client(number, ways) for number in range(clients)))
        return self.answered

    async def _client(self, number: int, ways: Sequence[bool]) -> None:
        turn = number
        async with line_to(self.port) as line:
            while self.more():
                stream = ways[turn % len(ways)]
                turn += 1
                self.answered.append(await ask(line, stream=stream))
                if self.pause:
                    await asyncio.sleep(self.pause)


def so_long(seconds: float) -> Callable[[], bool]:
    """Return what says yes for so long from now on."""
    now = asyncio.get_running_loop().time
    until = now() + seconds
    return lambda: now() < until


def so_many(requests: int) -> Callable[[], bool]:
    """Return what says yes so many times."""
    left = iter(range(requests))
    return lambda: next(left, None) is not None


async def ask(line: Line, *, stream: bool) -> Answered:
    """Ask once, and note when the first word came, and the last."""
    now = asyncio.get_running_loop().time
    began = now()
    body = chat_body(model=STREAM if stream else WHOLE, **({"stream": True} if stream else {}))
    line.send("POST", PATH, (BEARER, JSON), json.dumps(body).encode())
    if not stream:
        heard = await asyncio.wait_for(line.hear(), 60)
        return Answered(began, stream, heard, now() - began, now() - began)
    status, headers = await asyncio.wait_for(line.head(), 60)
    if dict(headers).get("transfer-encoding") != "chunked":
        length = int(dict(headers)["content-length"])
        heard = Heard(status, headers, await line.reader.readexactly(length))
        return Answered(began, stream, heard, now() - began, now() - began)
    pieces = [await asyncio.wait_for(line.piece(), 60)]
    first = now() - began
    while piece := await asyncio.wait_for(line.piece(), 60):
        pieces.append(piece)
    return Answered(began, stream, Heard(status, headers, b"".join(pieces)), first, now() - began)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that so many are not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
