"""What is done where memory, file descriptors or time run short, before the machine does worse.

Numbers: rows 74, 75 and 77 of the fault matrix (reliability, section 3.3).
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from infway.api.intake import Intake, overloaded
from infway.kernel.errors import StoppedError
from infway.pressure import Level, Reader, files, memory_reader

_log = logging.getLogger(__name__)
_CROWDED, _EASED = 0.8, 0.7  # of all file descriptors: no connection is accepted, they are again
_FULL = 0.9  # of all file descriptors: no request is begun
_EVERY = 0.25  # seconds between two samples
_AGAIN = 1.0  # seconds until what did not help is done again


class Doors(Protocol):
    """What can be closed."""

    def pause(self) -> None:
        """Accept no connection."""
        ...

    def resume(self) -> None:
        """Accept connections again."""
        ...

    def close_idle(self) -> None:
        """Close connections that are kept for a request to come, on both sides."""
        ...


@dataclass(frozen=True, slots=True)
class Senses:
    """What is looked at, and how often, in seconds. `files`: how many are open, of how many."""

    memory: Reader
    files: Callable[[], tuple[int, int]]
    every: float = _EVERY
    again: float = _AGAIN


def senses() -> Senses:
    """Return those of this machine."""
    return Senses(memory_reader(), files)


class _Need(NamedTuple):
    memory: Level = Level.CALM
    is_crowded: bool = False
    is_full: bool = False
    is_late: bool = False

    @property
    def reason(self) -> str | None:
        """Why no request is begun, None where they are."""
        if self.memory >= Level.REFUSE:
            return "memory runs short"
        if self.is_full:
            return "too many connections are open"
        return "requests wait too long" if self.is_late else None


def _ran_short() -> StoppedError:
    return StoppedError(503, "overloaded", "infway's memory has run short.", retry_after=1)


class Relief:
    """Looks in the watchdog's thread and acts in the loop's.

    `memory`, `files`: how much is in use, from 0 to 1. `room`: connections that may still be
    accepted before the next look.
    """

    def __init__(
        self,
        intake: Intake,
        doors: Doors,
        senses: Senses,
        now: Callable[[], float],
        is_late: Callable[[], bool],
    ) -> None:
        self.memory = self.files = 0.0
        self.room = 0
        self._intake = intake
        self._doors = doors
        self._senses = senses
        self._now = now
        self._is_late = is_late
        self._loop = asyncio.get_running_loop()
        self._need = _Need()
        self._looked = self._acted = float("-inf")

    def look(self) -> None:
        """Look whether something runs short, and have it done if so; from any thread."""
        now, need = self._now(), self._need
        if now - self._looked >= self._senses.every:
            self._looked = now
            need = self._sample()
        need = need._replace(is_late=self._is_late())
        is_calm = need == _Need()
        if need == self._need and (is_calm or now - self._acted < self._senses.again):
            return
        self._need, self._acted = need, now
        try:
            self._loop.call_soon_threadsafe(self._act, need)
        except RuntimeError:
            _log.debug("the loop is closed")

    def _sample(self) -> _Need:
        held, (used, most) = self._senses.memory(), self._senses.files()
        self.memory = 0.0 if held is None else held.share
        self.files = used / most
        self.room = int(_CROWDED * most) - used
        return _Need(
            Level.CALM if held is None else held.level,
            self.files >= (_EASED if self._need.is_crowded else _CROWDED),
            self.files >= _FULL,
        )

    def _act(self, need: _Need) -> None:
        reason = need.reason
        if reason is None:
            self._intake.shut = None
        else:
            if self._intake.shut is None:
                _log.warning("no request is begun: %s", reason)
            self._intake.shut = lambda: overloaded(reason)
        if need.is_crowded:
            self._doors.pause()
        else:
            self._doors.resume()
        if need.is_crowded or need.memory >= Level.SHRINK:
            self._doors.close_idle()
        if need.memory is Level.END:
            ended = self._intake.end_largest(_ran_short)
            _log.warning("memory runs out: %d of the largest requests were ended", ended)
