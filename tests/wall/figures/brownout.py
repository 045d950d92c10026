"""N3: one of three equal upstreams becomes ten times slower to begin; callers hardly notice."""

import asyncio
from typing import NamedTuple

from tests.wall import Wall
from tests.wall.figures.rig import PRICES, Load, percentile, rig
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
    limits = {"connect": 3.0, "first_token": 30.0, "whole": 30.0}
    async with rig(("ok", "ok"), limits, PRICES[:1] * 2) as one:
        waits = {name: [USUAL] for name in one.walls}
        for name, up in one.walls.items():
            delay(up, waits[name])
        healthy, _ = await _run(one.port, seconds)
        waits["one"][0] = 10 * USUAL
        await _run(one.port, settling)
        settled, slow = await _run(one.port, seconds)
        return Brownout(percentile(healthy, 0.99), percentile(settled, 0.99), slow)


async def _run(port: int, seconds: float) -> tuple[list[float], float]:
    now = asyncio.get_running_loop().time
    until = now() + seconds
    load = Load(port, lambda: now() < until)
    answered = await load.run(CLIENTS, (True,))
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
