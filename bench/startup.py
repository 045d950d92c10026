"""Time until infway is of use: from its spawn to the first answer, and the import behind it."""

import subprocess
from statistics import median
from time import perf_counter

from bench.failure import UnmeasuredError
from bench.figures import Outcome
from bench.processes import pinned
from bench.rig import Rig
from bench.systems import await_answer, starting_gateway


def start(rig: Rig) -> Outcome:
    """Seconds from the spawn of `infway serve` to its first answered chat request."""
    return Outcome({"start_s": median(_start_s(rig) for _ in range(rig.plan.repeats))})


def imports(rig: Rig) -> Outcome:
    """Seconds that `import infway.app` adds to a bare interpreter; one unmeasured run before."""
    _interpreter_s(rig, "import infway.app")
    added = [
        _interpreter_s(rig, "import infway.app") - _interpreter_s(rig, "pass")
        for _ in range(rig.plan.repeats)
    ]
    return Outcome({"import_s": median(added)})


def _start_s(rig: Rig) -> float:
    began = perf_counter()
    with starting_gateway(rig, rig.upstream.burst) as infway:
        await_answer(infway)
        return perf_counter() - began


def _interpreter_s(rig: Rig, code: str) -> float:
    argv = pinned([str(rig.python), "-c", code], rig.cores.under_test)
    began = perf_counter()
    ran = subprocess.run(argv, capture_output=True, text=True, check=False)
    took = perf_counter() - began
    if ran.returncode:
        raise UnmeasuredError(f"`{code}` failed: {ran.stderr[-500:].strip()}")
    return took
