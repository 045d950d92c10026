"""`python -m tests.money [schedules] [sqlite] [postgres]`: N14, in full; exit code 1 unless it is kept.

`schedules`: 1,000 random schedules of faults against the state machine. `sqlite`: 8
gateways on one file, 125 callers each, 1.00 USD; the file is held, and a gateway killed, in the
middle. `postgres`: 8 gateways on one server, which falls silent, is killed and comes back.
"""

import asyncio
import logging
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from bench.postgres import Postgres
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.money.crowd import COST, Size, Tally, Trouble, crowd, scene
from tests.money.machine import Money
from tests.money.troubles import Broken, Locked

from infway.kernel.clock import system_clock

SCHEDULES = 1000
LARGE = "1.00"
LIMIT, USABLE = 10**12, 9 * 10**11


class Verdict(NamedTuple):
    """What came of one part, and whether the promise was kept."""

    told: str
    is_kept: bool


def schedules() -> Verdict:
    """Run the state machine, which raises where the promise is not kept."""
    logging.disable(logging.WARNING)  # of every silence
    run_state_machine_as_test(
        Money,
        settings=settings(
            max_examples=SCHEDULES,
            stateful_step_count=30,
            deadline=None,
            database=None,
            derandomize=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
    told = f"{SCHEDULES} schedules of faults: no overspending, nothing reserved at rest"
    return Verdict(told, is_kept=True)


async def _crowd(size: Size, store: str | Path, folder: Path, trouble: Trouble) -> Verdict:
    async with scene(size, store, folder) as one:
        tally = await crowd(one, trouble)
    is_kept = kept(tally)
    said = "kept" if is_kept else "NOT KEPT"
    return Verdict(f"{size.all_callers} callers on {size.usd} USD: {said}: {tally}", is_kept)


def kept(tally: Tally) -> bool:
    """Tell whether the promise was kept, as far as the upstream knows it, too.

    Of a call that was interrupted nobody knows whether the upstream answered it.
    """
    served = tally.served * COST
    return (
        USABLE <= tally.spent <= LIMIT
        and served <= LIMIT
        and abs(tally.spent - served) <= tally.interrupted * COST
        and not tally.granted
    )


def sqlite() -> Verdict:
    """Run the crowd on one SQLite file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        trouble = Locked(path, after=3.0, seconds=4.0)
        return asyncio.run(_crowd(Size(8, 125, LARGE), path, Path(folder), trouble))


def postgres() -> Verdict:
    """Run the crowd on one Postgres."""
    server = Postgres()
    try:
        with tempfile.TemporaryDirectory() as folder:
            trouble = Broken(server, after=3.0, seconds=4.0)
            size = Size(8, 125, LARGE, calm=8.0)
            return asyncio.run(_crowd(size, server.database(), Path(folder), trouble))
    finally:
        server.close()


PARTS = {"schedules": schedules, "sqlite": sqlite, "postgres": postgres}


def main(wanted: list[str]) -> int:
    """Run what is wanted, or everything; return the exit code."""
    now, code = system_clock().monotonic, 0
    for name in wanted or PARTS:
        began = now()
        told, is_kept = PARTS[name]()
        print(f"{name}: {told} ({now() - began:.0f} s)", flush=True)
        code |= not is_kept
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
