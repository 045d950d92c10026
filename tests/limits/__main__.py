"""What limits over replicas come to.

`python -m tests.limits [--seconds 30] [TROUBLE ...]`: what four replica processes let in, as a
table; the exit code is 1 where any window held more than its limit. `python -m tests.limits --silent`:
what the callers of one process notice of a Redis that falls silent.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from pathlib import Path

from tests.limits.frozen import Frozen, watched
from tests.limits.run import TROUBLES, Outcome, measured
from tests.state.valkey import running

from infway.kernel.account import Holder, Limits, Window
from infway.kernel.clock import system_clock
from infway.state.meter import Need
from infway.state.meter_redis import RedisMeter

_HEAD = f"{'store':12} {'tries':>7} {'let in':>7} {'alone':>7} {'fullest':>8} {'used':>6} {'latest ms':>10}"
_LARGE = (Holder("key:a", Limits((Window(60, 10**6), Window(3600, 10**7)), (Window(60, 10**9),))),)


def _line(trouble: str, one: Outcome) -> str:
    return (
        f"{trouble:12} {one.tries:7} {one.let_in:7} {one.alone:7} {one.fullest:8.1%}"
        f" {one.used:6.1%} {one.latest * 1000:10.1f}"
    )


async def _silenced(folder: Path) -> Frozen:
    with running(folder / "valkey") as valkey:
        meter = RedisMeter(valkey.url, "one", 1, system_clock())
        pid = valkey._process.pid
        async with meter.open():

            async def ask() -> int:
                verdict = await meter.take(_LARGE, Need(100, 400))
                return 429 if verdict.ticket is None else 200

            return await watched(
                ask,
                lambda: os.kill(pid, signal.SIGSTOP),
                lambda: os.kill(pid, signal.SIGCONT),
                lambda: meter.degraded,
            )


def main() -> int:
    """Measure."""
    parser = argparse.ArgumentParser(prog="tests.limits")
    parser.add_argument("trouble", nargs="*", default=TROUBLES)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--silent", action="store_true")
    said = parser.parse_args()
    if said.silent:
        with tempfile.TemporaryDirectory() as folder:
            print(asyncio.run(_silenced(Path(folder))).text())
        return 0
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
