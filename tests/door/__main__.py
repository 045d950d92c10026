"""`python -m tests.door malformed|slow|bombs`: the door of a real process under attack, in figures."""

import argparse
import asyncio
import statistics
import tempfile
from pathlib import Path

from tests.api.upstream import either, listening
from tests.door.rehearsal import Bomb, Told, ask_badly, ask_slowly, bombed, standing


async def _run(asked: argparse.Namespace) -> Told:
    with tempfile.TemporaryDirectory() as name:
        folder, door = Path(name), {"http": asked.http}
        if asked.attack == "bombs":
            server = await asyncio.get_running_loop().create_server(Bomb, "127.0.0.1", 0)
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
            with standing(folder, url, **door) as gateway:
                return await bombed(gateway, asked.count or 60)
        async with listening(either) as upstream:
            if asked.attack == "slow":
                short = {"head_timeout": asked.deadline, "body_timeout": asked.deadline}
                short["connections_per_address"] = 0  # all come from one
                with standing(folder, upstream.url, **door, **short) as gateway:
                    return await ask_slowly(gateway, asked.count or 9_000, asked.deadline)
            with standing(folder, upstream.url, **door) as gateway:
                return await ask_badly(gateway, asked.count or 1_000_000)


def main() -> None:
    """Attack, and print what came of it."""
    said = argparse.ArgumentParser(prog="python -m tests.door", description=__doc__)
    said.add_argument("attack", choices=("malformed", "slow", "bombs"))
    said.add_argument("--count", "--requests", "--sockets", type=int, default=0)
    said.add_argument("--deadline", type=float, default=10.0, help="seconds, of slow sockets")
    said.add_argument("--http", choices=("httptools", "h11"), default="httptools")
    told = asyncio.run(_run(said.parse_args()))
    print(f"replies: {dict(sorted(told.statuses.items()))}")
    print(f"memory: {told.grown:+.1f} MiB, tracebacks: {told.tracebacks}, {told.took:.0f} s")
    if len(told.sound) > 1:
        cuts = statistics.quantiles(told.sound, n=100)
        print(f"sound requests beside: {len(told.sound)}, {told.failed} failed", end="; ")
        print(f"p50 {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms")


if __name__ == "__main__":
    main()
