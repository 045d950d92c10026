"""Limits on time: a deadline for what has not begun, and limits on silence and slowness for what has.

One lazily re-armed timer watches over a whole stream, whatever its length.
"""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Self

from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Failure, Fault

_LATE = 0.01  # seconds; a loop that is later has not yet read what was there in time


class Deadline:
    """Ends the block at `when` (seconds of the loop's clock) with a TimeoutError.

    What asyncio.timeout_at does, for a third of its CPU: every attempt has one. Where the loop
    itself was late, as much time is given once more: what came meanwhile is not read yet.
    """

    def __init__(self, when: float) -> None:
        self._when = when
        self._is_longer = False
        self._task = asyncio.current_task()
        self._cancelling = 0
        self._is_over = False
        self._timer: asyncio.TimerHandle | None = None

    def _expire(self) -> None:
        loop = asyncio.get_running_loop()
        late = loop.time() - self._when
        if late > _LATE and not self._is_longer:
            self._is_longer = True
            self._timer = loop.call_later(late, self._expire)
            return
        self._is_over = True
        if self._task is not None:
            self._task.cancel()

    def __enter__(self) -> Self:
        if self._task is not None:
            self._cancelling = self._task.cancelling()
        self._timer = asyncio.get_running_loop().call_at(self._when, self._expire)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if not self._is_over or self._task is None:
            return
        if self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error


class Pace(NamedTuple):
    """How slow a stream may be: at least `slowest` tokens a second, of which `made` counts those so far."""

    slowest: float
    made: Callable[[], int]


class StallGuard:
    """Ends a wait for the upstream that lasts beyond `idle` seconds, or beyond `until`.

    One that trickles is as good as silent: its `pace` is looked at after each twice `idle` seconds
    of waiting, in however many waits. `listen()` begins a wait and `heard()` ends it: the time that
    a reader on the other side takes is never counted against the upstream, nor is the time that
    the loop itself was late, in which nothing could be heard.
    """

    def __init__(self, idle: float, until: float, pace: Pace | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._idle = idle
        self._until = until
        self._pace = pace
        self._last = self._since = self._loop.time()
        self._waiting = False
        self._waited = 0.0
        self._before = 0 if pace is None else pace.made()
        self._task = asyncio.current_task()
        self._fault: Fault | None = None
        self._timer: asyncio.TimerHandle | None = None

    def listen(self) -> None:
        """Begin to wait for the upstream."""
        self._last = self._since = self._loop.time()
        self._waiting = True

    def heard(self) -> None:
        """End the wait, since something came."""
        self._waiting = False
        self._waited += self._loop.time() - self._since

    def _check(self) -> None:
        now = self._loop.time()
        late = 0.0 if self._timer is None else now - self._timer.when()
        if not self._waiting:
            self._last = now
        elif late > _LATE:
            self._last += late
            self._since += late
        over = min(self._last + self._idle, self._until)
        is_over = now >= over or self._trickles(now)
        if not self._waiting or not is_over or self._task is None:
            # a reader that takes its time is looked at again a silence later, past the deadline too
            later = over if over > now else now + self._idle
            self._timer = self._loop.call_at(later, self._check)
            return
        self._fault = Fault.DEADLINE if now >= self._until else Fault.STREAM_STALL
        self._task.cancel()

    def _trickles(self, now: float) -> bool:
        """Tell whether too little came for how long the upstream was waited for, and count anew."""
        waited = self._waited + now - self._since
        if self._pace is None or not self._waiting or waited < 2.0 * self._idle:
            return False
        made = self._pace.made()
        is_slow = made - self._before < self._pace.slowest * waited
        self._before, self._waited, self._since = made, 0.0, now
        return is_slow

    def __enter__(self) -> Self:
        first = min(self._last + self._idle, self._until)
        self._timer = self._loop.call_at(first, self._check)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._fault is None or kind is not asyncio.CancelledError or self._task is None:
            return
        if self._task.uncancel() == 0:
            raise UpstreamFailed(Failure(self._fault, 200)) from error
