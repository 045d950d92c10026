"""One replica process: asks its meters in bursts, and tells at its end what was let in, and when.

`python -m tests.limits.replica NAME SECONDS URL...`: a meter for each store, side by side. It says
that it is ready, and begins when it is told to.
"""

import asyncio
import json
import sys
from random import Random

from tests.limits.plan import BURSTS, KEYS, LIMITS, PARTS, PAUSE

from infway.kernel.account import Holder
from infway.kernel.clock import system_clock
from infway.state.meter import Need, Verdict
from infway.state.meter_redis import RedisMeter

clock = system_clock()
_HOLDERS = [(Holder(f"key:{name}", LIMITS),) for name in KEYS]


async def ask(url: str, name: str, seconds: float) -> dict[str, object]:
    """Ask for so long; times are seconds of the machine's clock, by which the store goes too."""
    chance = Random(name)
    meter = RedisMeter(url, name, PARTS, clock)
    offset = clock.wall() - clock.monotonic()
    told: list[tuple[float, str, int, bool]] = []
    late: list[float] = []
    async with meter.open():
        until = clock.monotonic() + seconds
        while clock.monotonic() < until:
            holders = chance.choice(_HOLDERS)
            for _ in range(chance.choice(BURSTS)):
                need = Need(chance.randrange(1, 300))
                began = clock.monotonic()
                verdict = await meter.take(holders, need)
                late.append(clock.monotonic() - began)
                told += _let_in(verdict, holders[0].id, need, offset)
            await asyncio.sleep(chance.random() * PAUSE)
    return {"let_in": told, "tries": len(late), "late": sorted(late)[-20:]}


def _let_in(
    verdict: Verdict, key: str, need: Need, offset: float
) -> list[tuple[float, str, int, bool]]:
    ticket = verdict.ticket
    if ticket is None:
        return []
    if ticket.stored is None:
        return [(ticket.at / 1000 + offset, key, need.tokens, False)]
    return [(ticket.stored / 1000, key, need.tokens, True)]


async def main(name: str, seconds: str, *urls: str) -> None:
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(await asyncio.gather(*(ask(url, name, float(seconds)) for url in urls))))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
