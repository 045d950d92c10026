"""What the gateway adds to a time at a steady 200 requests a second.

The same client asks the upstream directly and through the gateway, in turns; the figure is the
median over the rounds of the difference between the two percentiles.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import uvloop

from bench.client import Times, open_loop
from bench.figures import Outcome
from bench.rig import Rig
from bench.systems import gateway

PER_SECOND = 200
WARM_UP_S = 2


@dataclass(frozen=True, slots=True)
class Turn:
    """One round's replies, seconds."""

    direct: list[Times]
    through: list[Times]


def added_latency(rig: Rig) -> Outcome:
    """Whole replies."""
    turns = _turns(rig, rig.upstream.burst, stream=False)
    direct = [[times.whole_s for times in turn.direct] for turn in turns]
    through = [[times.whole_s for times in turn.through] for turn in turns]
    return Outcome(
        {
            "added_p50_ms": _added_ms(direct, through, 0.50),
            "added_p99_ms": _added_ms(direct, through, 0.99),
        },
        (_note("whole reply", direct, through),),
    )


def added_first_token(rig: Rig) -> Outcome:
    """Streams: to the first byte of the body, which is the first frame."""
    turns = _turns(rig, rig.upstream.paced, stream=True)
    direct = [[times.first_s for times in turn.direct] for turn in turns]
    through = [[times.first_s for times in turn.through] for turn in turns]
    return Outcome(
        {"added_ttft_p99_ms": _added_ms(direct, through, 0.99)},
        (_note("first token", direct, through),),
    )


def _turns(rig: Rig, upstream_port: int, *, stream: bool) -> list[Turn]:
    request = rig.request(stream=stream)

    def ask(port: int, seconds: int) -> list[Times]:
        return uvloop.run(open_loop(port, request, per_second=PER_SECOND, seconds=seconds))

    with gateway(rig, upstream_port) as infway:
        for port in (upstream_port, infway.port):
            ask(port, WARM_UP_S)
        return [
            Turn(
                direct=ask(upstream_port, rig.plan.latency_seconds),
                through=ask(infway.port, rig.plan.latency_seconds),
            )
            for _ in range(rig.plan.rounds)
        ]


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all values do not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * share))]


def _added_ms(direct: list[list[float]], through: list[list[float]], share: float) -> float:
    differences = [
        percentile(ours, share) - percentile(bare, share)
        for bare, ours in zip(direct, through, strict=True)
    ]
    return median(differences) * 1000


def _note(what: str, direct: list[list[float]], through: list[list[float]]) -> str:
    sides = [
        f"{name} p50 {median(percentile(turn, 0.5) for turn in turns) * 1000:.2f} ms, "
        f"p99 {median(percentile(turn, 0.99) for turn in turns) * 1000:.2f} ms"
        for name, turns in (("direct", direct), ("through infway", through))
    ]
    return f"{what}: {'; '.join(sides)}"
