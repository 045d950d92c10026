"""`python -m tests.fuzz.segments`: cuts whole streams at random; what is read of them stays the same.

Each stream goes through infway's framer and, where its dialect is known, on through what passes it
on or translates it. What must come of it was read once, slowly, by tests/fuzz/plain.py. Short
streams are cut more often than long ones. The exit code is 1 where something was found.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from pathlib import Path
from random import Random

from tests.fuzz.streams import Stream, own, recorded
from tests.fuzz.ways import Way, ways

from infway.kernel.clock import system_clock

_MOST = 64  # pieces of a stream, where all places of a run are taken
_SMALL = 300  # bytes; what a stream costs beside its length
_LEAST = 0.02  # of all turns, for all streams alike
_TURNS = 5_000  # streams that are chosen at once
_REPORT = 30.0  # seconds between two lines of progress
_SHOWN = 20  # findings that are printed


class Course:
    """A stream with its ways, and the places where a cut is most likely to do harm."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.ways: Sequence[Way] = tuple(ways(stream))
        self.events = sum(way.events for way in self.ways)
        body, size = stream.body, len(stream.body)
        self.hot = [at for at in range(1, size) if at < 4 or _is_hot(body[at - 1 : at + 1])]
        self.weight = (size + _SMALL) ** -1.5

    def failing(self, places: Sequence[int]) -> str | None:
        """Return the way on which a stream that is cut at these places comes to something else."""
        pieces = cut(self.stream.body, places)
        for way in self.ways:
            try:
                if way.walk(pieces) != way.whole:
                    return way.name
            except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
                return f"{way.name}: {error!r:.200}"
        return None


def _is_hot(around: bytes) -> bool:
    """Tell whether a cut in the middle parts a character, or stands beside a line end."""
    return around[1] & 0xC0 == 0x80 or b"\n" in around or b"\r" in around


def cut(body: bytes, places: Sequence[int]) -> list[bytes]:
    """Return the pieces between places that rise."""
    return [body[start:end] for start, end in pairwise((0, *places, len(body)))]


def places(size: int, hot: Sequence[int], chance: Random) -> list[int]:
    """Return where a stream is cut: some places anywhere, some that are hot, or a run of all."""
    if size < 2:
        return []
    by_chance = chance.random
    how, count = by_chance(), 1 + int(chance.expovariate(0.3))
    if how < 0.05:
        begin = 1 + int(by_chance() * size) if size > _MOST else 1
        return list(range(begin, min(begin + _MOST, size)))
    if how < 0.1:  # as networks do: pieces of about one size
        step = max(1 + int(by_chance() * 1_500), size // _MOST)
        return list(range(1 + int(by_chance() * step), size, step))
    anywhere = count if how < 0.6 or not hot else count // 2
    chosen = {1 + int(by_chance() * (size - 1)) for _ in range(anywhere)}
    chosen.update(hot[int(by_chance() * len(hot))] for _ in range(count - anywhere))
    return sorted(chosen)


@dataclass
class Told:
    """What came of it. `found`: the stream, the way and the places of each difference."""

    cuts: int = 0
    events: int = 0
    streams: Counter[str] = field(default_factory=Counter)  # how often each was cut
    found: list[tuple[str, str, list[int]]] = field(default_factory=list)


def search(streams: Iterable[Stream], count: int, seed: int, name: str = "") -> Told:
    """Cut so often, and tell; `name`: of the process, in lines of progress."""
    chance, now, told = Random(seed), system_clock().monotonic, Told()
    courses = [Course(stream) for stream in streams]
    turns = Counter[int]()
    least = _LEAST * sum(course.weight for course in courses) / len(courses)
    shares = list(accumulate(course.weight + least for course in courses))
    due = now() + _REPORT
    while told.cuts < count:
        some = min(_TURNS, count - told.cuts)
        for number in chance.choices(range(len(courses)), cum_weights=shares, k=some):
            course = courses[number]
            where = places(len(course.stream.body), course.hot, chance)
            failing = course.failing(where)
            if failing is not None:
                told.found.append((course.stream.name, failing, where))
            turns[number] += 1
        told.cuts += some
        if name and now() > due:
            due = now() + _REPORT
            said = f"{name}: {told.cuts:,} of {count:,}, {len(told.found)} findings"
            print(said, file=sys.stderr, flush=True)
    for number, times in turns.items():
        told.streams[courses[number].stream.name] += times
        told.events += times * courses[number].events
    return told


def _job(folder: Path | None, count: int, seed: int) -> Told:
    return search(streams_of(folder), count, seed, f"seed {seed}")


def streams_of(folder: Path | None) -> list[Stream]:
    """Return our own streams, and those of a folder of recordings."""
    return [*own(), *(recorded(folder) if folder is not None else ())]


def main() -> int:
    """Cut, and print what came of it."""
    said = argparse.ArgumentParser(prog="python -m tests.fuzz.segments", description=__doc__)
    said.add_argument("--count", type=int, default=100_000, help="random segmentations")
    said.add_argument("--seed", type=int, default=1)
    said.add_argument("--jobs", type=int, default=2, help="processes")
    said.add_argument("--corpus", type=Path, help="a folder of recordings")
    asked = said.parse_args()
    began, jobs = system_clock().monotonic(), asked.jobs
    counts = [asked.count // jobs + (number < asked.count % jobs) for number in range(jobs)]
    with ProcessPoolExecutor(jobs) as pool:
        seeds = range(asked.seed, asked.seed + jobs)
        tolds = list(pool.map(_job, [asked.corpus] * jobs, counts, seeds))
    found = [one for told in tolds for one in told.found]
    for name, way, where in found[:_SHOWN]:
        print(f"{name}, {way}, cut at {where[:40]}")
    cuts = sum((told.streams for told in tolds), Counter[str]())
    print(
        f"{sum(told.cuts for told in tolds):,} segmentations of {len(cuts)} streams "
        f"(each {min(cuts.values(), default=0):,} to {max(cuts.values(), default=0):,} times), "
        f"{sum(told.events for told in tolds):,} events compared, {len(found)} findings, "
        f"{system_clock().monotonic() - began:.0f} s"
    )
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
