"""`python -m bench.aborts [--requests N]`: callers leave at random moments (figure N11).

How soon the upstream is left after its caller left, and that each request has exactly one row.
"""

import argparse
import asyncio
import random
import sys
from collections import Counter
from collections.abc import Sequence
from time import perf_counter

import uvloop

from bench.lines import Far, call, numbered
from bench.standing import Standing, ended, standing, verdict

_AT_ONCE = 64
_LATEST = 0.25  # seconds until a caller leaves; an answer takes half a second
_P99 = 0.25  # seconds; N11
_WARM_UP = 200


async def load(gateway: Standing, numbers: range, chance: random.Random) -> dict[int, float]:
    """Send these requests and leave each; return when each was left."""
    left: dict[int, float] = {}
    waiting = iter(numbers)

    async def work() -> None:
        for number in waiting:
            stream = number % 2 == 0
            line = await call(gateway.port, numbered(number, stream=True))
            if not stream:
                await line.begun
            await asyncio.sleep(chance.uniform(0, _LATEST))
            if not line.over.done():
                left[number] = perf_counter()
                line.leave()
            await line.over

    await asyncio.gather(*(work() for _ in range(_AT_ONCE)))
    return left


def rank(sorted_values: Sequence[float], share: float) -> float:
    """Return the value at a share of a sorted list."""
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))]


async def rehearse(requests: int) -> int:
    """Run it, print the figures, and return the exit code."""
    far, chance = Far(gap=0.0075), random.Random(20260101)
    async with far.listening():
        with standing(far.port) as gateway:
            await load(gateway, range(-_WARM_UP, 0), chance)
            began = perf_counter()
            left = await load(gateway, range(requests), chance)
            took = perf_counter() - began
            await asyncio.sleep(1.0)
            waiting = float(
                gateway.page("/metrics").split("\ninfway_waiting_requests ")[1].split()[0]
            )
            gateway.stop()
            code = await asyncio.to_thread(ended, gateway, 30)
            reached = [one for one in left if one in far.asked and one not in far.whole]
            late = sorted(
                max(0.0, far.left[number] - max(left[number], far.asked[number]))
                for number in reached
                if number in far.left
            )
            rows: Counter[tuple[bool, str]] = gateway.rows()
            attempts = sum(count for (whole, _), count in rows.items() if not whole)
            print(
                f"{requests} requests in {took:.0f} s, {_AT_ONCE} at once; {len(left)} were left,"
            )
            print(f"{len(reached)} of them while the upstream answered")
            print(f"the upstream was left after p50 {rank(late, 0.5) * 1000:.1f} ms, ", end="")
            print(f"p99 {rank(late, 0.99) * 1000:.1f} ms, longest {late[-1] * 1000:.1f} ms")
            print(f"exit {code}, rows {dict(rows)}")
            return verdict(
                {
                    "the upstream was left by all": len(late) == len(reached),
                    "p99 is within 250 ms": rank(late, 0.99) <= _P99,
                    "a row for each attempt that reached it": attempts >= len(far.asked),
                    "one row for each request": gateway.unevenly_settled() == 0,
                    "one attempt of each request": attempts == sum(rows.values()) - attempts,
                    "no request waits any more": waiting == 0,
                    "the exit code is 0": code == 0,
                }
            )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m bench.aborts", description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    return uvloop.run(rehearse(parser.parse_args(arguments).requests))


if __name__ == "__main__":
    sys.exit(main())
