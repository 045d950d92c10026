"""`python -m bench.streams [--streams N] [--workers N]`: many open streams (figure N9).

How long they take to open, what they cost in memory, and how evenly their heartbeats come. Callers
and upstream share the machine with the gateway: what opening takes on two cores that do nothing
else is worked out from the CPU time of all.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import uvloop

from bench.lines import Near, call, numbered
from bench.processes import Running
from bench.standing import Standing, standing, verdict
from bench.systems import mock_upstream
from infway.pressure import raise_file_limit

_HEARTBEAT = 5.0  # seconds
_BEATS = 4.4  # that are listened to
_AT_ONCE = 200
_KIB, _MIB = 1024, 2**20
_EACH, _ALL = 40 * _KIB, 512 * _MIB  # bytes, of a stream and of all; N9
_OPENED, _CORES = 10.0, 2  # seconds, on so many cores; N9
_JITTER = 1.0  # seconds; N9


class Beats:
    """The moments at which one stream's heartbeats came. `pause`: seconds between them."""

    def __init__(self, pause: float) -> None:
        self._pause = pause
        self.times: list[float] = []

    def __call__(self, data: bytes) -> None:
        """Note a piece that is a comment."""
        if b": PROCESSING" in data:
            self.times.append(perf_counter())

    @property
    def jitter(self) -> list[float]:
        """How far each pause was from the heartbeat, in seconds."""
        pairs = zip(self.times, self.times[1:], strict=False)
        return [abs(later - earlier - self._pause) for earlier, later in pairs]


async def opened(port: int, numbers: range, pause: float) -> tuple[list[Near], list[Beats]]:
    """Open streams, so many at once, and wait until each has begun."""
    lines: list[Near] = []
    beats = [Beats(pause) for _ in numbers]
    for first in range(0, len(numbers), _AT_ONCE):
        some = range(first, min(first + _AT_ONCE, len(numbers)))
        lines += await asyncio.gather(
            *(call(port, numbered(numbers[n], stream=True), beats[n]) for n in some)
        )
        await asyncio.gather(*(line.begun for line in lines[first:]))
    return lines, beats


async def measure(gateway: Standing, count: int, pause: float) -> int:
    """Open them, listen, print the figures, and return the exit code."""
    warm, _ = await opened(gateway.port, range(count // 10), pause)
    for line in warm:
        line.leave()
    await asyncio.sleep(2.0)
    before = gateway.process.memory()
    everyone = Running("all", os.getpid(), gateway.process.log)
    began, busy, spent = perf_counter(), gateway.process.cpu_s(), everyone.cpu_s()
    lines, beats = await opened(gateway.port, range(count), pause)
    took = perf_counter() - began
    busy, spent = gateway.process.cpu_s() - busy, everyone.cpu_s() - spent
    await asyncio.sleep(_BEATS * pause)
    during = gateway.process.memory()
    good = sum(b" 200 OK" in line.head and not line.over.done() for line in lines)
    jitter = sorted(gap for one in beats for gap in one.jitter)
    late = jitter[int(len(jitter) * 0.99)] if jitter else float("inf")
    each = (during.uss - before.uss) / count
    print(f"{good} of {count} streams open after {took:.1f} s, {count / took:.0f} a second")
    print(f"       {spent:.1f} s of CPU, {busy:.1f} of them the gateway's: ", end="")
    print(f"{spent / _CORES:.1f} s on {_CORES} free cores")
    print(f"memory {during.rss / _MIB:.0f} MiB resident in all ({before.rss / _MIB:.0f} before), ")
    print(f"       {during.pss / _MIB:.0f} MiB proportional, {each / _KIB:.1f} KiB a stream")
    print(
        f"heartbeats {len(jitter)}, off by p50 {statistics.median(jitter) * 1000:.0f} ms, ", end=""
    )
    print(f"p99 {late * 1000:.0f} ms")
    for line in lines:
        line.leave()
    return verdict(
        {
            "every stream is open": good == count,
            "open within 10 s": took <= _OPENED,
            "40 KiB a stream": each <= _EACH,
            "512 MiB in all": during.rss <= _ALL,
            "heartbeats within a second": late <= _JITTER,
        }
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m bench.streams", description=__doc__)
    parser.add_argument("--streams", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--heartbeat", type=float, default=_HEARTBEAT)
    asked = parser.parse_args(arguments)
    raise_file_limit()
    with (
        tempfile.TemporaryDirectory(prefix="infway-streams-") as name,
        mock_upstream(Path(name), Path(sys.executable), None) as upstream,
        standing(
            upstream.silent, workers=asked.workers, heartbeat=asked.heartbeat, drain=1
        ) as gateway,
    ):
        return uvloop.run(measure(gateway, asked.streams, asked.heartbeat))


if __name__ == "__main__":
    sys.exit(main())
