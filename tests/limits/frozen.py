"""What a gateway's callers notice of a Redis that falls silent, and how soon it is found again."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from infway.kernel.clock import system_clock

Ask = Callable[[], Awaitable[int]]  # one request; returns its status
PAUSE = 0.01  # seconds between two requests
now = system_clock().monotonic


class Frozen(NamedTuple):
    """Seconds. `calm`: p99 of requests before; `late`: what those took longer that noticed it.

    `beside`: what the others took longer at p99. `found`: until all was shared again.
    """

    statuses: frozenset[int]
    calm: float
    late: Sequence[float]
    beside: float
    found: float
    lines: Sequence[str]

    def missed(self) -> list[str]:
        """Return what of figure N15 is not kept, for one worker."""
        kept = {
            "no request fails": self.statuses == {200},
            "at most 3 requests are late": len(self.late) <= 3,
            "none of them by more than 50 ms": max(self.late, default=0.0) <= 0.05,
            "the others by 1 ms at most": self.beside <= 0.001,
            "at most 2 log lines": len(self.lines) <= 2,
            "found again within 2 s": self.found <= 2.0,
        }
        return [what for what, is_so in kept.items() if not is_so]

    def text(self) -> str:
        """Return it as JSON, times in milliseconds."""
        return json.dumps(
            {
                "statuses": sorted(self.statuses),
                "p99 before, ms": round(self.calm * 1000, 2),
                "slower by over 20 ms": [round(one * 1000, 1) for one in self.late],
                "p99 of the others, added ms": round(self.beside * 1000, 2),
                "found again after, s": round(self.found, 2),
                "log lines": list(self.lines),
                "missed": self.missed(),
            },
            indent=2,
        )


class Lines(logging.Handler):
    """Keeps whatever infway logs."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        self.lines.append(record.getMessage())


async def watched(
    ask: Ask, silence: Callable[[], object], wake: Callable[[], object],
    degraded: Callable[[], bool], requests: int = 400,
) -> Frozen:  # fmt: skip
    """Ask one request after the other, half of them while the store is silent."""
    lines = Lines()
    logger = logging.getLogger("infway")
    logger.addHandler(lines)
    level = logger.level
    logger.setLevel(logging.INFO)
    try:
        statuses, before = await _timed(ask, requests // 2)
        silence()
        also, during = await _timed(ask, requests // 2)
        while not degraded():
            await asyncio.sleep(PAUSE)
        wake()
        began = now()
        while degraded():
            await asyncio.sleep(PAUSE)
        found = now() - began
    finally:
        logger.removeHandler(lines)
        logger.setLevel(level)
    calm, middle = _p99(before), sorted(before)[len(before) // 2]
    late = [one - middle for one in during if one - middle > 0.02]
    others = [one for one in during if one - middle <= 0.02]
    beside = _p99(others) - calm
    return Frozen(frozenset(statuses | also), calm, late, beside, found, lines.lines)


async def _timed(ask: Ask, requests: int) -> tuple[set[int], list[float]]:
    statuses: set[int] = set()
    times: list[float] = []
    for _ in range(requests):
        began = now()
        statuses.add(await ask())
        times.append(now() - began)
        await asyncio.sleep(PAUSE)
    return statuses, times


def _p99(times: Sequence[float]) -> float:
    return sorted(times)[len(times) * 99 // 100]
