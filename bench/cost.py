"""CPU per request beside nginx's, interleaved: nginx, gateway, nginx, gateway ...

The ratio is the median of the rounds' ratios, so that a machine that slows down for a while slows
both halves of a round and leaves the ratio alone.
"""

from dataclasses import dataclass
from statistics import median

from bench.figures import Outcome
from bench.load import Load, Round, measure, write_script
from bench.rig import KEY, Rig
from bench.systems import gateway, nginx

JSON_CONNECTIONS = 32
STREAM_CONNECTIONS = 64


@dataclass(frozen=True, slots=True)
class Pair:
    """One round of each, one after the other."""

    floor: Round
    gateway: Round


def json_cost(rig: Rig) -> Outcome:
    """Whole replies."""
    pairs = _compare(rig, rig.upstream.burst, stream=False)
    return Outcome(
        {
            "json_cpu_ratio": _ratio(pairs),
            "json_cpu_us": median(pair.gateway.cpu_us for pair in pairs),
            "nginx_json_cpu_us": median(pair.floor.cpu_us for pair in pairs),
        },
        (_rates("JSON", pairs),),
    )


def stream_cost(rig: Rig) -> Outcome:
    """Streams with 2 ms between frames."""
    pairs = _compare(rig, rig.upstream.paced, stream=True)
    return Outcome(
        {
            "stream_cpu_ratio": _ratio(pairs),
            "stream_cpu_us": median(pair.gateway.cpu_us for pair in pairs),
            "nginx_stream_cpu_us": median(pair.floor.cpu_us for pair in pairs),
        },
        (_rates("streams with gaps", pairs),),
    )


def burst_cost(rig: Rig) -> Outcome:
    """Streams back to back."""
    pairs = _compare(rig, rig.upstream.burst, stream=True)
    costs = " / ".join(
        f"{median(side):.0f} us"
        for side in ([p.gateway.cpu_us for p in pairs], [p.floor.cpu_us for p in pairs])
    )
    note = f"stream back to back, CPU infway / nginx: {costs}"
    return Outcome(
        {"stream_burst_cpu_ratio": _ratio(pairs)},
        (note, _rates("streams back to back", pairs)),
    )


def translated_cost(rig: Rig) -> Outcome:
    """Streams of an Anthropic upstream, translated, with 2 ms between frames."""
    pairs = _compare(rig, rig.upstream.other, stream=True)
    return Outcome(
        {
            "translated_cpu_ratio": _ratio(pairs),
            "translated_cpu_us": median(pair.gateway.cpu_us for pair in pairs),
        },
        (_rates("translated streams", pairs),),
    )


def _compare(rig: Rig, upstream_port: int, *, stream: bool) -> list[Pair]:
    load = Load(
        script=write_script(rig.folder, stream=stream, key=KEY),
        connections=STREAM_CONNECTIONS if stream else JSON_CONNECTIONS,
        core=rig.cores.load,
    )
    with nginx(rig, upstream_port) as floor, gateway(rig, upstream_port) as infway:
        for target in (floor, infway):
            measure(target, load, seconds=2)
        return [
            Pair(
                floor=measure(floor, load, rig.plan.seconds),
                gateway=measure(infway, load, rig.plan.seconds),
            )
            for _ in range(rig.plan.rounds)
        ]


def _ratio(pairs: list[Pair]) -> float:
    return median(pair.gateway.cpu_us / pair.floor.cpu_us for pair in pairs)


def _rates(what: str, pairs: list[Pair]) -> str:
    ratios = sorted(pair.gateway.cpu_us / pair.floor.cpu_us for pair in pairs)
    ours = median(pair.gateway.per_second for pair in pairs)
    floor = median(pair.floor.per_second for pair in pairs)
    return (
        f"{what}: {ours:,.0f}/s through infway, {floor:,.0f}/s through nginx; "
        f"ratios of the rounds {ratios[0]:.2f} to {ratios[-1]:.2f}"
    )
