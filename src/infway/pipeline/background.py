"""Responses that are made after their caller was answered: kept while they run, and cancellable.

Whoever runs one says so every second in the store, and learns there that it was cancelled: by
another worker too.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Protocol

from infway.kernel.errors import GatewayError, StoppedError, UnavailableError
from infway.ledger.responses import Kept
from infway.pipeline.admit import Visit
from infway.pipeline.keeping import Keeper

_log = logging.getLogger(__name__)
_STOPPED = "The gateway stopped before the response was made."
_BEAT = 1.0  # seconds between two looks whether a response was cancelled


class Job(Protocol):
    """One response to be made."""

    def begun(self) -> Kept:
        """Return it as it is before anything was done."""
        ...

    async def run(self) -> Kept:
        """Make it; raises GatewayError where it cannot be made."""
        ...

    def failed(self, error: GatewayError) -> Kept:
        """Return it as it is after an error."""
        ...


class Background:
    """Runs jobs. `drain`: seconds that running ones get when the gateway stops."""

    def __init__(self, keeper: Keeper, drain: float) -> None:
        self.keeper = keeper
        self._drain = drain
        self._running: dict[str, tuple[Job, asyncio.Task[Kept]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def running(self) -> int:
        """How many jobs are under way."""
        return len(self._tasks)

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None, None]:
        """Keep the store open; at the end jobs are waited for, and fail where they take too long."""
        async with self.keeper.open():
            try:
                yield
            finally:
                if self._tasks:
                    await asyncio.wait(self._tasks, timeout=self._drain)
                await self.stop()

    async def stop(self) -> None:
        """End the jobs that are under way: they have failed, and whoever listens hears so."""
        for _, work in self._running.values():
            work.cancel(StoppedError(503, "service_unavailable", _STOPPED))
        await asyncio.gather(*self._tasks)

    async def start(self, job: Job, visit: Visit | None = None) -> Kept:
        """Keep a job and start it; return it as it is kept. Raises UnavailableError.

        `visit`: that of the request, which lasts as long as the job.
        """
        begun = job.begun()
        await self.keeper.begin(begun)
        task = asyncio.create_task(self._run(job, begun.id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if visit is not None:
            visit.hold()
            task.add_done_callback(visit.leave)
        return begun

    async def cancel(self, cancelled: Kept) -> bool:
        """End a response that is being made; False where it was over before."""
        was_running = await self.keeper.finish(cancelled)
        running = self._running.get(cancelled.id)
        if running is not None:
            running[1].cancel()
        return was_running

    async def _run(self, job: Job, id_: str) -> None:
        work = asyncio.create_task(job.run())
        self._running[id_] = job, work
        try:
            await self._watch(work, id_)
            await self._finish(_result(job, work, id_))
        finally:
            work.cancel()
            del self._running[id_]

    async def _watch(self, work: asyncio.Task[Kept], id_: str) -> None:
        """Wait for the end of the work, and end it where nobody wants it any more."""
        while not work.done():
            if not await self._is_wanted(id_):
                work.cancel()
            await asyncio.wait({work}, timeout=_BEAT)

    async def _is_wanted(self, id_: str) -> bool:
        """Say that a response is being made; a store that cannot answer now is asked again later."""
        try:
            return await self.keeper.touch(id_, "in_progress")
        except UnavailableError:
            return True

    async def _finish(self, made: Kept) -> None:
        """Keep what became of a job, or queue it where the store cannot take it now."""
        try:
            await self.keeper.finish(made)
        except UnavailableError:
            self.keeper.keep(made, was_begun=True)


def _result(job: Job, work: asyncio.Task[Kept], id_: str) -> Kept:
    """Return what became of a job; one that was ended has failed, unless it was cancelled before."""
    if work.cancelled():
        return job.failed(GatewayError(503, "service_unavailable", _STOPPED))
    error = work.exception()
    if error is None:
        return work.result()
    if isinstance(error, GatewayError):
        return job.failed(error)
    _log.error("the response %s failed inside infway", id_, exc_info=error)
    message = "infway failed; the request id tells which."
    return job.failed(GatewayError(500, "internal_server_error", message))
