"""`python -m bench [--quick] [--only NAME] [--unpinned]`: measures, prints the table, writes the results.

A missed budget is marked and changes nothing else. The exit code tells only whether everything
could be measured. A run with --only prints and leaves the last results as they are.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from shutil import which

import psutil  # type: ignore[import-untyped]  # psutil ships no types

from bench.cost import burst_cost, json_cost, stream_cost, translated_cost
from bench.decisions import decisions
from bench.failure import UnmeasuredError
from bench.families import families
from bench.figures import Outcome
from bench.footprint import footprint
from bench.latency import added_first_token, added_latency
from bench.machine import describe, noise
from bench.memory import memory
from bench.report import table, write
from bench.rig import FULL, QUICK, ROOT, Cores, Rig, Upstream
from bench.startup import imports, start
from bench.systems import mock_upstream
from bench.tools import check_tools

MEASUREMENTS: dict[str, Callable[[Rig], Outcome]] = {
    "json": json_cost,
    "stream": stream_cost,
    "burst": burst_cost,
    "translated": translated_cost,
    "families": families,
    "ims": decisions,
    "latency": added_latency,
    "ttft": added_first_token,
    "memory": memory,
    "start": start,
    "import": imports,
    "install": footprint,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when all that was asked for could be measured, 1 when not, 2 when a tool is missing."""
    asked = _parser().parse_args(arguments)
    try:
        check_tools()
    except UnmeasuredError as missing:
        print(f"bench: {missing}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="infway-bench-") as name:
        cores = _cores(pin=not asked.unpinned)
        return _run(Path(name), asked.only, quick=asked.quick, cores=cores)


def _run(folder: Path, only: list[str] | None, *, quick: bool, cores: Cores) -> int:
    values: dict[str, float] = {}
    failed = False
    with mock_upstream(folder, Path(sys.executable), cores.load) as upstream:
        rig = _rig(folder, upstream, cores, quick=quick)
        machine = describe(rig, quick=quick)
        notes = [*noise(machine)]
        for name in only or MEASUREMENTS:
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            try:
                outcome = MEASUREMENTS[name](rig)
            except UnmeasuredError as fault:
                failed = True
                print(f"{name} not measured: {fault}", file=sys.stderr, flush=True)
                notes.append(f"{name} could not be measured")
                continue
            values |= outcome.values
            notes += outcome.notes
    print(table(values, only=bool(only)))
    print("\n".join(notes))
    if not only:
        write(ROOT / "bench" / "results", values, notes, machine)
    return int(failed)


def _rig(folder: Path, upstream: Upstream, cores: Cores, *, quick: bool) -> Rig:
    return Rig(
        plan=QUICK if quick else FULL,
        folder=folder,
        upstream=upstream,
        python=Path(sys.executable),
        infway=Path(sys.executable).parent / "infway",
        cores=cores,
    )


def _cores(*, pin: bool) -> Cores:
    """A core for what is measured, another for what measures; this process moves to the latter."""
    if not pin or (psutil.cpu_count() or 1) < 2 or which("taskset") is None:
        return Cores(under_test=None, load=None)
    psutil.Process().cpu_affinity([1])
    return Cores(under_test=0, load=1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument(
        "--only", action="append", choices=list(MEASUREMENTS), help="repeat for several"
    )
    parser.add_argument(
        "--unpinned", action="store_true", help="leave it to the scheduler what runs where"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
