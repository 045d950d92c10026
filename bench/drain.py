"""`python -m bench.drain [--streams N] [--workers N]`: a stop while streams run (figure N12).

First with time enough: every stream is finished, requests are served during the grace, none is
lost. Then without: every stream ends with the error event of its dialect, and has its row.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from time import perf_counter

import uvloop

from bench.lines import Far, Near, call, numbered
from bench.standing import Standing, ended, standing, verdict

_GAP, _GRACE = 0.15, 2.0  # seconds: 68 frames, about ten seconds in all


async def opened(port: int, count: int) -> list[Near]:
    """Open streams, some at a time, and wait until each has begun."""
    lines: list[Near] = []
    for first in range(0, count, 100):
        numbers = range(first, min(first + 100, count))
        lines += await asyncio.gather(*(call(port, numbered(n, stream=True)) for n in numbers))
        await asyncio.gather(*(line.begun for line in lines[first:]))
    return lines


async def late(gateway: Standing, seconds: float) -> list[Near]:
    """Send requests on new connections for so long, ten a second."""
    calls: list[asyncio.Task[Near]] = []
    until = perf_counter() + seconds
    number = 10**6
    while perf_counter() < until:
        number += 1
        calls.append(asyncio.create_task(call(gateway.port, numbered(number, stream=False))))
        await asyncio.sleep(0.1)
    lines = list(await asyncio.gather(*calls))
    await asyncio.gather(*(line.over for line in lines))
    return lines


async def in_time(streams: int, workers: int, gap: float, grace: float) -> dict[str, bool]:
    """Stop with time enough."""
    far = Far(gap)
    async with far.listening():
        with standing(far.port, workers=workers, grace=grace, drain=120) as gateway:
            began = perf_counter()
            lines = await opened(gateway.port, streams)
            print(f"{len(lines)} streams were open after {perf_counter() - began:.1f} s")
            gateway.stop()
            asked = await late(gateway, grace * 0.8)
            await asyncio.gather(*(line.over for line in lines))
            code = await asyncio.to_thread(ended, gateway, 30)
            whole = sum(line.is_whole for line in lines)
            served = sum(b" 200 OK" in line.head for line in asked)
            rows, log = gateway.rows(), gateway.log()
            print(f"finished {whole} of {streams}, served {served} of {len(asked)} in the grace")
            print(f"exit {code}, rows {dict(rows)}")
            return {
                "every stream was finished": whole == streams,
                "every request of the grace was served": served == len(asked),
                "every request has its row": rows[True, "ok"] == streams + len(asked),
                "every attempt has its row": rows[False, "ok"] == streams + len(asked),
                "none was settled twice or not at all": gateway.unevenly_settled() == 0,
                "the exit code is 0": code == 0,
                "no error was logged": '"error"' not in log,
            }


async def out_of_time(streams: int, workers: int) -> dict[str, bool]:
    """Stop with no time to finish."""
    far = Far(gap=0.2)
    far.held.set()
    async with far.listening():
        with standing(far.port, workers=workers, drain=1) as gateway:
            lines = await opened(gateway.port, streams)
            began = perf_counter()
            gateway.stop()
            await asyncio.gather(*(line.over for line in lines))
            code = await asyncio.to_thread(ended, gateway, 30)
            told = sum(line.is_told for line in lines)
            rows = gateway.rows()
            print(f"told {told} of {streams}, over after {perf_counter() - began:.1f} s")
            print(f"exit {code}, rows {dict(rows)}")
            return {
                "every stream ended with an error event": told == streams,
                "every cut stream has its row": rows[True, "stopped"] == streams,
                "every cut attempt has its row": rows[False, "stopped"] == streams,
                "none was settled twice or not at all (cut)": gateway.unevenly_settled() == 0,
                "the upstream was left by all": len(far.left) == streams,
                "the exit code is 0 (cut)": code == 0,
            }


async def rehearse(streams: int, workers: int, gap: float = _GAP, grace: float = _GRACE) -> int:
    """Run both, print the figures, and return the exit code. Times in seconds."""
    first = await in_time(streams, workers, gap, grace)
    return verdict({**first, **await out_of_time(streams, workers)})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m bench.drain", description=__doc__)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args(arguments)
    return uvloop.run(rehearse(asked.streams, asked.workers))


if __name__ == "__main__":
    sys.exit(main())
