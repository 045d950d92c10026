"""Memory of one worker: idle, and per open stream that is waiting for its next token."""

import asyncio

import uvloop

from bench.client import open_streams
from bench.figures import Outcome
from bench.load import Target
from bench.processes import Memory
from bench.rig import Rig
from bench.systems import await_answer, gateway

CALM_S = 2.0


def memory(rig: Rig) -> Outcome:
    """Idle is measured after one answered request; a stream's share after a warm-up of streams.

    The warm-up opens and closes a tenth of the streams, so that what is made once (pools, caches,
    code pages) is not charged to the streams, and what each stream needs still is.
    """
    with gateway(rig, rig.upstream.silent, catalogue=True) as infway:
        await_answer(infway)
        return uvloop.run(_measure(rig, infway))


async def _measure(rig: Rig, infway: Target) -> Outcome:
    idle = await _calm(infway)
    request, count = rig.request(stream=True), rig.plan.streams
    async with open_streams(infway.port, request, count // 10):
        await _calm(infway)
    before = await _calm(infway)
    async with open_streams(infway.port, request, count):
        during = await _calm(infway)
    return Outcome(
        {
            "idle_mb": idle.rss / 1e6,
            "stream_kib": (during.rss - before.rss) / count / 1024,
        },
        (
            (
                f"idle: RSS {idle.rss / 1e6:.0f} MB, PSS {idle.pss / 1e6:.0f} MB, "
                f"USS {idle.uss / 1e6:.0f} MB"
            ),
            (
                f"{count} open streams: RSS {during.rss / 1e6:.0f} MB, "
                f"USS {(during.uss - before.uss) / count / 1024:.1f} KiB each"
            ),
        ),
    )


async def _calm(infway: Target) -> Memory:
    await asyncio.sleep(CALM_S)
    return infway.process.memory()
