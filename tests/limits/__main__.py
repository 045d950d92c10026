"""What limits over replicas come to.

`python -m tests.limits [--seconds 30] [TROUBLE ...]`: what four replica processes let in, as a
table; the exit code is 1 where any window held more than its limit. `python -m tests.limits --silent`:
what the callers of one process notice of a Redis that falls silent; 1 where any part of figure N15 is
missed. `python -m tests.limits --lost`: how soon much that was lost is told again; 1 after more than 2 s.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from redis.asyncio import Redis
from tests.limits.frozen import Frozen, watched
from tests.limits.remembered import remembered
from tests.limits.run import TROUBLES, Outcome, measured
from tests.state.valkey import running

from infway.beside import beside
from infway.kernel.account import Holder, Limits, Window
from infway.kernel.clock import system_clock
from infway.pipeline.sharing import PAUSE
from infway.state.meter import Need
from infway.state.meter_redis import RedisMeter
from infway.state.redis import RedisBoard

_HEAD = f"{'store':12} {'tries':>7} {'let in':>7} {'alone':>7} {'fullest':>8} {'used':>6} {'latest ms':>10}"
_KEYS, _TURNS = 60, 990
_LARGE = (Holder("key:a", Limits((Window(60, 10**6), Window(3600, 10**7)), (Window(60, 10**9),))),)


def _line(trouble: str, one: Outcome) -> str:
    return (
        f"{trouble:12} {one.tries:7} {one.let_in:7} {one.alone:7} {one.fullest:8.1%}"
        f" {one.used:6.1%} {one.latest * 1000:10.1f}"
    )


async def _silenced(folder: Path) -> Frozen:
    with running(folder / "valkey") as valkey:
        meter, board = _users(valkey.url)
        pid = valkey._process.pid
        async with meter.open(), _trading(board):

            async def ask() -> int:
                verdict = await meter.take(_LARGE, Need(100, 400))
                return 429 if verdict.ticket is None else 200

            return await watched(
                ask,
                lambda: os.kill(pid, signal.SIGSTOP),
                lambda: os.kill(pid, signal.SIGCONT),
                lambda: meter.degraded or not board.works,
            )


def _users(url: str) -> tuple[RedisMeter, RedisBoard]:
    """Return all that says something of Redis in one process."""
    meter = RedisMeter(url, "one", 1, system_clock())
    board = RedisBoard(url, "one", system_clock().monotonic)
    meter.outage = board.outage
    return meter, board


@asynccontextmanager
async def _trading(board: RedisBoard) -> AsyncIterator[None]:
    """Trade as a gateway does while the block runs."""

    async def trade() -> None:
        while True:
            await board.trade(b"news")
            await asyncio.sleep(PAUSE)

    await board.trade(None)
    async with beside(trade):
        yield
    await board.close()


async def _lost(folder: Path) -> float:
    """Return the seconds until many keys, each used all through an hour, are told again."""
    clock = system_clock()
    with running(folder / "valkey") as valkey:
        meter, _ = _users(valkey.url)
        async with meter.open(), Redis.from_url(valkey.url) as client:
            holders = remembered(meter, _KEYS, _TURNS)
            await meter.take(holders[:1], Need())
            await client.flushall()
            began, epoch = clock.monotonic(), meter._look.epoch
            while meter._look.epoch == epoch or meter._untold is not None:
                await asyncio.sleep(0.01)
            return clock.monotonic() - began


def _one(folder: Path, *, is_silent: bool) -> int:
    if is_silent:
        seen = asyncio.run(_silenced(folder))
        print(seen.text())
        return int(bool(seen.missed()))
    took = asyncio.run(_lost(folder))
    print(f"{_KEYS} keys, {_TURNS} used turns each: told again {took:.2f} s after they were lost")
    return int(took > 2.0)


def main() -> int:
    """Measure."""
    parser = argparse.ArgumentParser(prog="tests.limits")
    parser.add_argument("trouble", nargs="*", default=TROUBLES)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--silent", action="store_true")
    parser.add_argument("--lost", action="store_true")
    said = parser.parse_args()
    if said.silent or said.lost:
        with tempfile.TemporaryDirectory() as folder:
            return _one(Path(folder), is_silent=said.silent)
    print(_HEAD)
    worst = 0.0
    for trouble in said.trouble:
        with tempfile.TemporaryDirectory() as folder:
            one = asyncio.run(measured(Path(folder), [trouble], said.seconds))[trouble]
        print(_line(trouble, one), flush=True)
        worst = max(worst, one.fullest)
    return int(worst > 1.0)


if __name__ == "__main__":
    sys.exit(main())
