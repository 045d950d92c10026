"""N3: one of three equal upstreams becomes ten times slower to begin; callers hardly notice."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from tests.wall import Wall
from tests.wall.figures.rig import PRICES, Load, percentile, rig, so_long, so_many
from tests.wall.line import Socket
from tests.wall.plays import play

USUAL = 0.1  # seconds to the first token of every upstream
CLIENTS = 8
SETTLING = 10.0  # seconds that the router has


class Brownout(NamedTuple):
    """Seconds to the first token that 99 of 100 requests did not exceed, before and after."""

    healthy: float
    settled: float
    shares: float

    @property
    def ratio(self) -> float:
        """How much slower it was, once the router had had its time."""
        return self.settled / self.healthy


def delay(up: Wall, seconds: list[float]) -> None:
    """Let a wall wait before it says anything, as long as the list says at that moment."""

    async def slow(one: Socket, script: str) -> None:
        await asyncio.sleep(seconds[0])
        await play(one, script)

    up.play = slow


async def measure(seconds: float, settling: float = SETTLING) -> Brownout:
    """Run healthily for so long, slow one down, let it settle, and run again."""
    async with _three(USUAL) as (port, slow_down):
        healthy, _ = await _run(port, so_long(seconds))
        slow_down()
        await _run(port, so_long(settling))
        settled, slow = await _run(port, so_long(seconds))
        return Brownout(percentile(healthy, 0.99), percentile(settled, 0.99), slow)


async def share(usual: float, requests: int, settling: int) -> float:
    """Return the share of requests that still go to a slow one, after so many that settled it.

    As many went to three equal ones before. Numbers, not seconds: on a busy machine the router has
    learned as much.
    """
    async with _three(usual) as (port, slow_down):
        await _run(port, so_many(requests))
        slow_down()
        await _run(port, so_many(settling))
        return (await _run(port, so_many(requests)))[1]


@asynccontextmanager
async def _three(usual: float) -> AsyncIterator[tuple[int, Callable[[], None]]]:
    """A gateway before three equal upstreams: its port, and what makes the first ten times slower."""
    limits = {"connect": 3.0, "first_token": 30.0, "whole": 30.0}
    async with rig(("ok", "ok"), limits, PRICES[:1] * 2) as one:
        waits = {name: [usual] for name in one.walls}
        for name, up in one.walls.items():
            delay(up, waits[name])

        def slow_down() -> None:
            waits["one"][0] = 10 * usual

        yield one.port, slow_down


async def _run(port: int, more: Callable[[], bool]) -> tuple[list[float], float]:
    answered = await Load(port, more).run(CLIENTS, (True,))
    assert not any(one.fault for one in answered)
    slow = sum(one.upstream == "one" for one in answered) / len(answered)
    return [one.first for one in answered], slow


async def main(seconds: float) -> bool:
    """Measure, print, and tell whether the goal was reached."""
    found = await measure(seconds)
    print(
        f"p99 of the first token: {found.healthy * 1000:.0f} ms healthy, "
        f"{found.settled * 1000:.0f} ms with one of three ten times slower "
        f"({found.ratio:.2f} times; {found.shares:.1%} of the requests still went there)"
    )
    return found.ratio <= 1.5
