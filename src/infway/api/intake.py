"""What is open at the door, and whether more is let in: each request is begun at once, or refused.

Nothing waits here: a queue in front of an overloaded process only makes every answer late.
"""

import asyncio
import sys
from collections.abc import Callable

from infway.api.exchange import Exchange
from infway.kernel.errors import GatewayError, StoppedError, UnavailableError, stopped_by

_SHARE = 10  # one request in so many is ended at once where memory has run short


def overloaded(why: str) -> UnavailableError:
    """Return what a request hears that is not begun; reliability, rows 74, 75 and 77."""
    return UnavailableError(503, "overloaded", f"Too busy: {why}.", retry_after=1)


def goes_on(ended: asyncio.CancelledError) -> bool:
    """Undo infway's own cancellation, so that its task can say why; False where it is another's.

    What is not undone has to be raised again, by a bare `raise`: an exception that a frame keeps
    is a cycle, and holds all of its request until the collector comes to it.
    """
    task = asyncio.current_task()
    if stopped_by(ended) is None or task is None:
        return False
    task.uncancel()
    return True


class Intake:
    """The requests that are open, by their tasks. `most`: how many may be.

    `shut`: makes the error of all further ones, None while they are let in.
    """

    def __init__(self, most: int | None = None) -> None:
        self.open: dict[asyncio.Task[object] | None, Exchange] = {}
        self.most = sys.maxsize if most is None else most
        self.shut: Callable[[], GatewayError] | None = None

    def refusal(self) -> GatewayError:
        """Return the error of a request that is not let in."""
        return overloaded("no further request is taken now") if self.shut is None else self.shut()

    def end_all(self, error: Callable[[], StoppedError]) -> int:
        """End every open request with an error, or with its dialect's terminal event."""
        return self._end(list(self.open), error)

    def end_largest(self, error: Callable[[], StoppedError]) -> int:
        """End a tenth of the open requests: the largest, and among equals those open longest.

        A request keeps its body to its end, for another attempt.
        """
        tasks = sorted(self.open, key=self._size, reverse=True)
        return self._end(tasks[: -(-len(tasks) // _SHARE)], error)

    def _size(self, task: asyncio.Task[object] | None) -> tuple[int, float]:
        exchange = self.open[task]
        sizes = [v for name, v in exchange.headers if name == b"content-length" and v.isdigit()]
        return int(sizes[0]) if sizes else 0, -exchange.began

    def _end(
        self, tasks: list[asyncio.Task[object] | None], error: Callable[[], StoppedError]
    ) -> int:
        return sum(task.cancel(error()) for task in tasks if task is not None)
