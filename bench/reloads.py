"""`python -m bench.reloads [--reloads N]`: a broken file is read again and again under load (N23).

Nothing fails, nothing changes, the reason is said once; and a right file is taken at once.
"""

import argparse
import asyncio
import json
import signal
import sys
from collections import Counter
from collections.abc import Sequence

import uvloop

from bench.lines import Far, call, numbered
from bench.standing import Standing, standing, verdict

_AT_ONCE = 8
_BROKEN = ("{", "server: {prot: 1}", "upstreams: 7", "a: &a [*a]", "keys: [{name: x}]")


class Load:
    """Requests that are sent until it is told to end, streams among them."""

    def __init__(self, port: int) -> None:
        self.seen: Counter[str] = Counter()
        self._port = port
        self._over = False
        self._number = 0

    async def run(self) -> None:
        """Send them."""
        await asyncio.gather(*(self._work() for _ in range(_AT_ONCE)))

    def end(self) -> None:
        """Send no more."""
        self._over = True

    async def _work(self) -> None:
        while not self._over:
            self._number += 1
            stream = self._number % 4 == 0
            line = await call(self._port, numbered(self._number, stream=stream))
            await line.over
            good = line.is_whole if stream else b" 200 OK" in line.head
            self.seen["good" if good else "bad"] += 1
            line.leave()


def reloads(gateway: Standing, outcome: str) -> int:
    """Return how many reloads ended so, as the metrics have it."""
    sign = f'infway_reloads_total{{outcome="{outcome}"}} '
    found = [line for line in gateway.page("/metrics").splitlines() if line.startswith(sign)]
    return int(float(found[0].rpartition(" ")[2])) if found else 0


async def reloaded(gateway: Standing, outcome: str) -> None:
    """Ask for a reload and wait for its end."""
    before = await asyncio.to_thread(reloads, gateway, outcome)
    gateway.signal(signal.SIGHUP)
    while await asyncio.to_thread(reloads, gateway, outcome) == before:
        await asyncio.sleep(0.001)


async def rehearse(count: int) -> int:
    """Run it, print the figures, and return the exit code."""
    far = Far(gap=0.002)
    async with far.listening():
        with standing(far.port) as gateway:
            load = Load(gateway.port)
            running = asyncio.create_task(load.run())
            right = json.loads(gateway.config.read_text())
            for kind in range(count):
                gateway.config.write_text(_BROKEN[kind * len(_BROKEN) // count])
                await reloaded(gateway, "failed")
            failed = reloads(gateway, "failed")
            gateway.config.write_text(json.dumps({**right, "aliases": {"newcomer": "gpt-4o-mini"}}))
            before = "newcomer" in gateway.page("/v1/models")
            await reloaded(gateway, "ok")
            after = "newcomer" in gateway.page("/v1/models")
            load.end()
            await running
            said = gateway.log().count("the running one stays")
            print(f"{failed} reloads of a broken file, {dict(load.seen)} requests meanwhile")
            print(f"the reason was logged {said} times for {len(_BROKEN)} reasons")
            return verdict(
                {
                    "every reload failed": failed == count,
                    "no request failed": not load.seen["bad"] and load.seen["good"] > 0,
                    "each reason was said once": said == min(count, len(_BROKEN)),
                    "nothing was taken of a broken file": not before,
                    "the right file was taken": after,
                }
            )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m bench.reloads", description=__doc__)
    parser.add_argument("--reloads", type=int, default=1000)
    return uvloop.run(rehearse(parser.parse_args(arguments).reloads))


if __name__ == "__main__":
    sys.exit(main())
