"""Limits on time: a deadline for what has not begun, and a limit on silence for what has.

One lazily re-armed timer watches over a whole stream, whatever its length.
"""

import asyncio
from types import TracebackType
from typing import Self

from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Failure, Fault


class Deadline:
    """Ends the block at `when` (seconds of the loop's clock) with a TimeoutError.

    What asyncio.timeout_at does, for a third of its CPU: every attempt has one.
    """

    def __init__(self, when: float) -> None:
        self._when = when
        self._task = asyncio.current_task()
        self._cancelling = 0
        self._is_over = False
        self._timer: asyncio.TimerHandle | None = None

    def _expire(self) -> None:
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


class StallGuard:
    """Ends a wait for the upstream that lasts beyond `idle` seconds, or beyond `until`.

    `heard()` says that something came; `waiting` is true only while the upstream is waited for,
    so that a slow reader on the other side is never taken for a silent upstream.
    """

    def __init__(self, idle: float, until: float) -> None:
        self.waiting = False
        self._loop = asyncio.get_running_loop()
        self._idle = idle
        self._until = until
        self._last = self._loop.time()
        self._task = asyncio.current_task()
        self._fault: Fault | None = None
        self._timer: asyncio.TimerHandle | None = None

    def heard(self) -> None:
        """Start the silence anew."""
        self._last = self._loop.time()

    def _check(self) -> None:
        now = self._loop.time()
        if not self.waiting:
            self._last = now
        over = min(self._last + self._idle, self._until)
        if not self.waiting or now < over or self._task is None:
            # a reader that takes its time is looked at again a silence later, past the deadline too
            later = over if over > now else now + self._idle
            self._timer = self._loop.call_at(later, self._check)
            return
        self._fault = Fault.DEADLINE if now >= self._until else Fault.STREAM_STALL
        self._task.cancel()

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
