"""`python -m tests.door malformed|slow|bombs`: the door of a real process under attack, in figures.

The exit code is 1 where a promise was broken.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import uvloop
from tests.api.upstream import Asked, Script, either, listening
from tests.door.rehearsal import Bomb, Told, ask_badly, ask_slowly, bombed, breaches, standing


async def _run(asked: argparse.Namespace) -> Told:
    with tempfile.TemporaryDirectory() as name:
        folder, door = Path(name), {"http": asked.http}
        if asked.attack == "bombs":
            server = await asyncio.get_running_loop().create_server(Bomb, "127.0.0.1", 0)
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
            with standing(folder, url, **door) as gateway:
                return await bombed(gateway, asked.count or 60)

        def say(asked: Asked) -> Script:
            upstream.asked.clear()  # a million of them would be much to remember
            return either(asked)

        async with listening(say) as upstream:
            if asked.attack == "slow":
                short = {"head_timeout": asked.deadline, "body_timeout": asked.deadline}
                short["connections_per_address"] = 0  # all come from one
                with standing(folder, upstream.url, **door, **short) as gateway:
                    return await ask_slowly(gateway, asked.count or 9_000, asked.deadline)
            with standing(folder, upstream.url, **door) as gateway:
                return await ask_badly(gateway, asked.count or 1_000_000, lines=asked.lines)


def main() -> int:
    """Attack, and print what came of it."""
    said = argparse.ArgumentParser(prog="python -m tests.door", description=__doc__)
    said.add_argument("attack", choices=("malformed", "slow", "bombs"))
    said.add_argument("--count", "--requests", "--sockets", type=int, default=0)
    said.add_argument("--deadline", type=float, default=10.0, help="seconds, of slow sockets")
    said.add_argument("--lines", type=int, default=4, help="malformed requests at once")
    said.add_argument("--http", choices=("httptools", "h11"), default="httptools")
    asked = said.parse_args()
    run = uvloop.run if asked.attack == "malformed" else asyncio.run  # whose pace is ours to keep
    told = run(_run(asked))
    total = told.statuses.total()
    print(f"{asked.attack}: {total:,} in {told.took:.0f} s, replies: {_sorted(told)}")
    print(f"memory: {told.grown:+.1f} MiB, tracebacks: {told.tracebacks}, failed: {told.failed}")
    _print_times("sound requests before", told.healthy)
    _print_times("sound requests beside", told.sound)
    broken = breaches(told, fails=asked.attack == "bombs")
    print("\n".join(broken) or "every promise was kept")
    return int(bool(broken))


def _sorted(told: Told) -> dict[str, int]:
    return {status or "none": times for status, times in sorted(told.statuses.items())}


def _print_times(what: str, seconds: Sequence[float]) -> None:
    if len(seconds) > 1:
        cuts = statistics.quantiles(seconds, n=100)
        print(
            f"{what}: {len(seconds):,}, p50 {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms"
        )


if __name__ == "__main__":
    sys.exit(main())
