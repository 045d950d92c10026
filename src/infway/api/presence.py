"""Whether the client is still there: its leaving ends the work that is done for it, at once."""

import asyncio
from types import TracebackType
from typing import Self

from infway.api.exchange import Exchange
from infway.kernel.faults import SLOW_CLIENT, Fault

_GRACE = 0.05  # seconds before anyone listens: most requests are over by then, and need no task


class Presence:
    """Cancels the block it guards when the client disconnects, and ends it quietly."""

    def __init__(self, exchange: Exchange) -> None:
        self.left = False
        self._exchange = exchange
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._listener: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self._timer = self._loop.call_later(_GRACE, self._listen)
        return self

    def _listen(self) -> None:
        self._timer = None
        self._listener = self._loop.create_task(self._wait())

    async def _wait(self) -> None:
        receive = self._exchange.receive
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left = True
        if self._task is not None:
            is_slow = SLOW_CLIENT in self._exchange.state
            self._task.cancel(Fault.SLOW_CLIENT if is_slow else None)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if self._timer is not None:
            self._timer.cancel()
        if self._listener is not None:
            self._listener.cancel()
            self._listener = None  # its frame holds this object: a cycle otherwise
        if not self.left or self._task is None:
            return False
        return self._task.uncancel() == 0 and kind is asyncio.CancelledError
