"""A thread that sees whether the event loop still turns, and how late it is.

Numbers: rows 76 and 77 of the fault matrix (reliability, section 3.3).
"""

import logging
import sys
import threading
import traceback
from asyncio import AbstractEventLoop
from collections.abc import Callable
from dataclasses import dataclass

_log = logging.getLogger(__name__)
_FRAMES = 20  # of the stack, the innermost


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. `tick`: between two looks. `stall`: from where on the loop stands still.

    `late`: how long a request may wait to be looked at. `quiet`: between two dumps of the stack.
    """

    tick: float = 0.1
    stall: float = 0.2
    late: float = 1.0
    quiet: float = 60.0


class Watchdog:
    """Asks the loop for a sign of life again and again.

    `stalled` is called once for each stall, `look` after every look; both in this thread.
    """

    def __init__(
        self,
        now: Callable[[], float],
        stalled: Callable[[], None],
        look: Callable[[], None],
        patience: Patience | None = None,
    ) -> None:
        self._now = now
        self._stalled = stalled
        self._look = look
        self._patience = patience or Patience()
        self._over = threading.Event()
        self._asked = now()
        self._lag = 0.0
        self._waits = False
        self._told = False
        self._slow_turns = 0
        self._dumped = float("-inf")

    @property
    def is_late(self) -> bool:
        """Whether the loop has more to do than it can: its last two turns took too long each."""
        return self._slow_turns > 1

    @property
    def lag(self) -> float:
        """Seconds that the loop took for its last sign of life; of one that is due, so far."""
        return max(self._lag, self._now() - self._asked) if self._waits else self._lag

    def start(self, loop: AbstractEventLoop) -> None:
        """Watch over the loop of this thread until `stop`."""
        target, thread = self._run, threading.get_ident()
        threading.Thread(target=target, args=(loop, thread), name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._over.set()

    def _run(self, loop: AbstractEventLoop, thread: int) -> None:
        while not self._over.wait(self._patience.tick):
            if self._waits:
                self._check(thread)
            else:
                self._ask(loop)
            self._look()

    def _ask(self, loop: AbstractEventLoop) -> None:
        self._asked, self._waits, self._told = self._now(), True, False
        try:
            loop.call_soon_threadsafe(self._hear)
        except RuntimeError:
            self._over.set()  # the loop is closed

    def _hear(self) -> None:
        self._lag = self._now() - self._asked
        self._slow_turns = self._slow_turns + 1 if self._lag >= self._patience.late else 0
        self._waits = False

    def _check(self, thread: int) -> None:
        late = self._now() - self._asked
        if late < self._patience.stall or self._told:
            return
        self._told = True
        self._stalled()
        if self._now() - self._dumped < self._patience.quiet:
            return
        self._dumped = self._now()
        frame = sys._current_frames().get(thread)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # the documented way to another thread's stack
        stack = "" if frame is None else "".join(traceback.format_stack(frame, _FRAMES))
        _log.warning("the event loop stands still since %.0f ms, at:\n%s", late * 1000, stack)
