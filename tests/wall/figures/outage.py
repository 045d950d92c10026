"""N4: every upstream fails, and load on them must not multiply; then the favourite is back."""

import asyncio
from typing import NamedTuple

from tests.wall.figures.rig import Answered, Load, Rig, rig, so_long
from tests.wall.line import Socket
from tests.wall.plays import play

CLIENTS = 10
PAUSE = 0.05  # seconds between two requests of one client
WINDOW = 10.0  # seconds over which attempts are compared with requests


class Outage(NamedTuple):
    """`amplification`: attempts per request in the worst window. `back`: seconds, see `measure`."""

    requests: int
    amplification: float
    first: float
    back: float


async def measure(seconds: float, after: float = 8.0) -> Outage:
    """Let all fail for so long, then let the favourite work again, and the others a little later.

    `first`: from its recovery to its first answer; `back`: until it answers nine of ten requests
    of every second. The rest are those that find out how the others are. `after`: how long it is
    watched, in seconds.
    """
    failing = {"one", "two", "three"}
    async with rig(("ok", "ok"), {"first_token": 30.0, "whole": 30.0}) as one:
        for name in one.walls:
            _let_fail(one, name, failing)
        began = asyncio.get_running_loop().time()
        tried = await _run(one, seconds)
        attempts = [at.began - began for up in one.walls.values() for at in up.attempts]
        worst = _worst([a.began - began for a in tried], attempts, seconds)
        failing.clear()
        recovered = asyncio.get_running_loop().time()
        answered = [a for a in await _run(one, after) if not a.fault]
        ends = sorted((a.began + a.end - recovered, a.upstream) for a in answered)
        first = next((at for at, name in ends if name == "one"), float("inf"))
        return Outage(len(tried), worst, first, max(first, _back(ends, after)))


def _back(ends: list[tuple[float, str]], after: float) -> float:
    """Return from when on the favourite answers nine of ten requests of every second."""
    whole = [
        [name for at, name in ends if n / 4 <= at < n / 4 + 1] for n in range(int(4 * (after - 1)))
    ]
    low = [n for n, names in enumerate(whole) if names.count("one") < 0.9 * len(names)]
    return (low[-1] + 1) / 4 if low else 0.0


def _let_fail(one: Rig, name: str, failing: set[str]) -> None:
    async def either(socket: Socket, script: str) -> None:
        await play(socket, "status@500" if name in failing else script)

    one.walls[name].play = either


async def _run(one: Rig, seconds: float) -> list[Answered]:
    return await Load(one.port, so_long(seconds), PAUSE).run(CLIENTS, (True, False))


def _worst(requests: list[float], attempts: list[float], seconds: float) -> float:
    """Return the most attempts per request in any window, begun every half second."""
    starts = [n / 2 for n in range(max(1, int(2 * (seconds - WINDOW)) + 1))]
    counts = [
        (sum(at <= t < at + WINDOW for t in attempts), sum(at <= t < at + WINDOW for t in requests))
        for at in starts
    ]
    return max(tried / max(1, asked) for tried, asked in counts)


async def main(seconds: float) -> bool:
    """Measure, print, and tell whether the goal was reached."""
    found = await measure(seconds)
    print(
        f"{found.requests} requests while all failed: at most {found.amplification:.3f} attempts "
        f"per request in {WINDOW:.0f} s; the favourite answered {found.first:.2f} s after its "
        f"recovery, and nine of ten requests from {found.back:.2f} s on"
    )
    return found.amplification <= 1.2 and found.back <= 5.0
