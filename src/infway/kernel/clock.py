"""Time, passed in and never taken: wall time for records, monotonic time for durations."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """Two readings of time, both in seconds as floats.

    `monotonic` never jumps and means nothing by itself; `wall` is Unix time.
    """

    monotonic: Callable[[], float]
    wall: Callable[[], float]


def system_clock() -> Clock:
    """Return the machine's own clock."""
    return Clock(monotonic=time.monotonic, wall=time.time)
