"""Closed, open, half-open: whether an offer is tried, by the rules of reliability, section 3.

Opens on 5 failures in a row, or on half of at least 20 attempts in 30 s; for 1 s, doubling to
60 s, shortened by chance so that replicas do not probe together. Then one attempt at a time is
let in, on a lease that ends by itself. An offer that is back gets its share of requests in steps.
"""

import math
from enum import Enum
from typing import Protocol

from infway.ims.tuning import Trip

_SLICES = 6


class State(Enum):
    """What a breaker does with an offer."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    PROBING = "probing"  # half-open, and its one attempt is under way


class Probing(Protocol):
    """Who knows whether another replica probes an offer already."""

    async def claim(self, offer: str) -> float:
        """Return 0 where the next attempt at this offer is the probe, else seconds to leave it alone."""
        ...


class Window:
    """Attempts and failures of the last seconds, in slices of a sixth."""

    __slots__ = ("_attempts", "_failures", "_newest", "_width")

    def __init__(self, seconds: float) -> None:
        self._width = seconds / _SLICES
        self._newest = 0
        self._attempts = [0] * _SLICES
        self._failures = [0.0] * _SLICES

    def add(self, now: float, failure: float) -> None:
        """Count one attempt, and how much of a failure it was."""
        place = self._turn(now)
        self._attempts[place] += 1
        self._failures[place] += failure

    def totals(self, now: float) -> tuple[int, float]:
        """Return attempts and failures in the window that ends now."""
        self._turn(now)
        return sum(self._attempts), sum(self._failures)

    def clear(self) -> None:
        """Forget all."""
        self._attempts = [0] * _SLICES
        self._failures = [0.0] * _SLICES

    def _turn(self, now: float) -> int:
        """Empty the slices that have passed and return the place of the newest."""
        newest = max(self._newest, int(now / self._width))
        for slice_ in range(max(self._newest + 1, newest - _SLICES + 1), newest + 1):
            self._attempts[slice_ % _SLICES] = 0
            self._failures[slice_ % _SLICES] = 0.0
        self._newest = newest
        return newest % _SLICES


class Breaker:
    """The state of one offer. Every method takes the present in monotonic seconds.

    `shut`: until when nothing is sent here while anything else is left; 0 when closed. `streak`:
    failures in a row, parts of one included. `ramps_until`: until when it has less than its share.
    `silent`: its last failure was a long wait for nothing. `tried`: when it was last asked whether
    it is back; `alone_since`: when it last was asked or failed.
    """

    __slots__ = (
        "_leased",
        "_level",
        "_trip",
        "_window",
        "alone_since",
        "ramps_until",
        "shut",
        "silent",
        "streak",
        "tried",
        "tripped",
    )

    def __init__(self, trip: Trip) -> None:
        self._trip = trip
        self._window = Window(trip.window)
        self.streak = 0.0
        self._level = 0
        self.ramps_until = float("-inf")
        self._leased = False
        self.tripped = False
        self.silent = False
        self.tried = self.alone_since = float("-inf")
        self.shut = 0.0

    def state(self, now: float) -> State:
        """Return the state as of now."""
        if not self.tripped:
            return State.CLOSED
        if now >= self.shut:
            return State.HALF_OPEN
        return State.PROBING if self._leased else State.OPEN

    def is_silent(self, now: float) -> bool:
        """Tell whether it is open since nothing came for long, or is being asked whether it is back."""
        return self.silent and self.tripped and now < self.shut

    def dispatched(self, now: float) -> None:
        """Count an attempt that starts: in the half-open state it takes the lease.

        So it does while it is silent: then it is a trial.
        """
        if self.tripped and (self.silent or now >= self.shut):
            self.tried = self.alone_since = now
            self.lease(now + self._trip.lease)

    @property
    def leased(self) -> bool:
        """Whether an attempt is under way that decides, here or at another replica."""
        return self._leased

    def due(self, now: float) -> bool:
        """Tell whether the next attempt is the one that decides."""
        return self.tripped and now >= self.shut

    def lease(self, until: float) -> None:
        """Let one attempt decide, here or at another replica; until then it is the only one."""
        self._leased = True
        self.shut = until

    def trip(self, until: float) -> None:
        """Open it until then: another replica knows why."""
        self.tripped = True
        self.shut = until

    def follow(self) -> None:
        """Let the outcome that is told next decide: it is that of another replica's probe."""
        self._leased = self.tripped

    def heard(self, now: float) -> None:
        """Take note that an answer has begun: it lets the next attempt in."""
        self.silent = False
        self.abandoned(now)

    def succeeded(self, now: float) -> bool:
        """Count an attempt that went well. Return whether this closed the breaker.

        A success while open belongs to an attempt that began before, or in panic mode: it does
        not close, but the probe may follow at once.
        """
        self.streak = 0.0
        self.silent = False
        self._window.add(now, 0.0)
        if not self.tripped:
            return False
        if now < self.shut and not self._leased:
            self.shut = now
            return False
        self.tripped = self._leased = False
        self.shut = 0.0
        self.ramps_until = now + len(self._trip.ramp) * self._trip.step
        self._window.clear()
        return True

    def share(self, now: float) -> float:
        """Return the share of its requests that it gets: less than 1 for a while after an outage."""
        left = self.ramps_until - now
        if left <= 0.0:
            return 1.0
        ramp = self._trip.ramp
        return ramp[max(0, len(ramp) - math.ceil(left / self._trip.step))]

    def failed(self, now: float, weight: float, chance: float, took: float = float("inf")) -> bool:
        """Count a failure that is the upstream's fault. Return whether this opened the breaker.

        `weight`: how much of a failure it was. `chance` in [0, 1) shortens the wait. `took`:
        seconds until it was known.
        """
        self.alone_since = now
        self.streak += weight
        self._window.add(now, weight)
        if self.tripped:
            if now < self.shut and not self._leased:
                return False
            self._open(now, chance, is_quick=took <= self._trip.quick)
            return True
        attempts, failures = self._window.totals(now)
        often = attempts >= self._trip.volume and failures >= self._trip.share * attempts
        if self.streak < self._trip.streak and not often:
            return False
        if now - self.ramps_until > self._trip.longest:
            self._level = 0
        self._open(now, chance, is_quick=False)
        return True

    def abandoned(self, now: float) -> None:
        """Free the lease: an attempt ended and says nothing about the upstream."""
        if self._leased:
            self._leased = False
            self.shut = now

    def _open(self, now: float, chance: float, *, is_quick: bool) -> None:
        longest = self._trip.soon if is_quick else self._trip.longest
        seconds = min(longest, self._trip.first * 2.0**self._level)
        if seconds < longest:
            self._level += 1
        self.tripped = True
        self._leased = False
        self.shut = now + seconds * (1.0 - self._trip.jitter * chance)
