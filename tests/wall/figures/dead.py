"""N2: one of three upstreams, the favourite, is dead in one of twelve ways; nobody may notice."""

from collections import Counter
from typing import NamedTuple

from tests.wall.figures.rig import Load, Rig, rig, so_many

# What the first upstream does, streamed and whole.
WAYS: dict[str, tuple[str, str]] = {
    "refused": ("refused!ok", "refused!ok"),
    "black hole": ("black-hole!ok", "black-hole!ok"),
    "unknown name": ("no-name!ok", "no-name!ok"),
    "expired certificate": ("expired!ok", "expired!ok"),
    "silence": ("hang", "hang"),
    "half a head": ("trickle", "trickle"),
    "reset": ("reset", "reset"),
    "500": ("status@500", "status@500"),
    "503 with a page": ("status@503~body=html", "status@503~body=html"),
    "429": ("status@429", "status@429"),
    "key refused": ("status@401", "status@401"),
    "answers cut off": ("cut@20~pause=1", "truncated"),
}
LIMITS = {"connect": 0.5, "first_token_fallback": 0.5, "first_token": 30.0, "whole": 1.0}
CLIENTS = 16


class Dead(NamedTuple):
    """What was found of one way.

    `faults`: what callers saw. `attempts`, `late`: per request, in all and in the second half.
    `sick`: attempts at the dead upstream. `seconds`: until the first half was over.
    """

    way: str
    requests: int
    faults: Counter[str]
    attempts: float
    late: float
    sick: int


async def measure(way: str, requests: int) -> Dead:
    """Ask so many times while the first upstream is dead in this way."""
    async with rig(WAYS[way], LIMITS) as one:
        asked, faults = await _ask(one, requests // 2)
        tried = await one.attempts()
        again, more = await _ask(one, requests - requests // 2)
        all_tried = await one.attempts()
        return Dead(
            way,
            asked + again,
            faults + more,
            sum(all_tried.values()) / (asked + again),
            (sum(all_tried.values()) - sum(tried.values())) / max(1, again),
            all_tried["one"],
        )


async def _ask(one: Rig, requests: int) -> tuple[int, Counter[str]]:
    answered = await Load(one.port, so_many(requests)).run(CLIENTS)
    return len(answered), Counter(a.fault for a in answered if a.fault)


async def main(requests: int) -> bool:
    """Measure all ways, print them, and tell whether the goal was reached."""
    seen = requests_in_all = 0
    print(
        f"{'the favourite':22}{'requests':>9}{'visible':>9}{'attempts':>10}{'late':>8}{'sick':>7}"
    )
    for way in WAYS:
        found = await measure(way, requests // len(WAYS))
        visible = found.faults.total()
        seen += visible
        requests_in_all += found.requests
        print(
            f"{way:22}{found.requests:9}{visible:9}{found.attempts:10.4f}{found.late:8.4f}"
            f"{found.sick:7} {dict(found.faults) or ''}",
            flush=True,
        )
    print(f"{requests_in_all} requests, {seen} of them failed visibly")
    return seen == 0
