"""Settling: every attempt and every request leaves its rows exactly once, and nothing awaits it.

A `Settlement` gathers what happened to one request; closing it appends to a bounded queue, which
a background task writes in batches and which is drained when the gateway stops.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from infway.kernel.chat import ChatRequest, Principal
from infway.kernel.clock import Clock
from infway.kernel.errors import InfwayError
from infway.ledger.rows import Ledger, Row
from infway.pipeline.tried import Attempt

_log = logging.getLogger(__name__)


class Settlement:
    """One request from admission to its end. `ask` comes without its body, as it is kept."""

    __slots__ = (
        "_at",
        "_closed",
        "_settler",
        "ask",
        "attempts",
        "began",
        "outcome",
        "status",
        "who",
    )

    def __init__(self, ask: ChatRequest, who: Principal, began: float, settler: "Settler") -> None:
        self.ask = ask
        self.who = who
        self.began = began
        self.attempts: list[Attempt] = []
        self.outcome = "open"
        self.status = 0
        self._at = settler.clock.wall()
        self._settler = settler
        self._closed = False

    def close(self, outcome: str, status: int) -> None:
        """Settle; the first call counts, later ones change nothing."""
        if not self._closed:
            self._closed = True
            self.outcome = outcome
            self.status = status
            self._settler.take(self)

    def rows(self) -> list[Row]:
        """Return one row for each attempt, and one for the request that sums them."""
        rows = [self._row(number, attempt) for number, attempt in enumerate(self.attempts, 1)]
        if len(rows) == 1 and rows[0].outcome == self.outcome:
            first = rows[0]
            return [first, Row._make((first.request, 0, *first[2:7], self.status, *first[8:]))]
        return [*rows, self._sum(rows)]

    def _row(self, number: int, attempt: Attempt) -> Row:
        usage = attempt.usage
        cost = attempt.cost
        failure = attempt.failure
        ended = attempt.began if attempt.ended is None else attempt.ended
        return Row(
            self.ask.id,
            number,
            self._at + (attempt.began - self.began),
            self.who.name,
            attempt.offer.model,
            attempt.offer.upstream.name,
            attempt.outcome,
            200 if failure is None else failure.status,
            int(self.ask.stream),
            usage.prompt,
            usage.completion,
            usage.cached,
            usage.reasoning,
            cost.total,
            int(usage.estimated),
            int(cost.priced),
            _milliseconds(attempt.began, attempt.first),
            _milliseconds(attempt.began, ended) or 0,
            attempt.tactic,
        )

    def _sum(self, rows: Sequence[Row]) -> Row:
        answered = [row for row in rows if row.outcome == self.outcome] or rows
        last = answered[-1] if rows else None
        first = next((a.first for a in self.attempts if a.first is not None), None)
        ended = max((a.ended for a in self.attempts if a.ended is not None), default=None)
        return Row(
            request=self.ask.id,
            attempt=0,
            at=self._at,
            key=self.who.name,
            model=last.model if last else self.ask.selection.model or "",
            upstream=last.upstream if last else "",
            outcome=self.outcome,
            status=self.status,
            stream=int(self.ask.stream),
            prompt_tokens=sum(row.prompt_tokens for row in rows),
            completion_tokens=sum(row.completion_tokens for row in rows),
            cached_tokens=sum(row.cached_tokens for row in rows),
            reasoning_tokens=sum(row.reasoning_tokens for row in rows),
            cost=sum(row.cost for row in rows),
            estimated=int(any(row.estimated for row in rows)),
            priced=int(all(row.priced for row in rows)),
            start_ms=_milliseconds(self.began, first),
            end_ms=_milliseconds(self.began, ended) or 0,
            rescue=last.rescue if last else "",
        )


def _milliseconds(began: float, until: float | None) -> int | None:
    return None if until is None else max(0, round((until - began) * 1000))


class Settler:
    """The queue between the request path and the ledger."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        watch: Callable[[Sequence[Row]], None] | None = None,
        capacity: int = 10_000,
        pause: float = 0.1,
    ) -> None:
        self.clock = clock
        self._ledger = ledger
        self._watch = watch
        self._capacity = capacity
        self._pause = pause
        self._waiting: list[Settlement] = []
        self._woken = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="infway-ledger")
        self._unwritten: list[Row] = []
        self._failing = False

    @property
    def is_full(self) -> bool:
        """Whether so much waits to be written that no further request may be admitted."""
        return len(self._waiting) + len(self._unwritten) // 2 >= self._capacity

    def take(self, settlement: Settlement) -> None:
        """Queue what happened to one request."""
        self._waiting.append(settlement)
        self._woken.set()

    async def rows_of(self, request: str) -> Sequence[Row]:
        """Return the rows of a request that has ended, none where it is unknown.

        A row waits here until it is in the ledger, so looking here first misses none.
        """
        waiting = next((one.rows() for one in self._waiting if one.ask.id == request), None)
        rows = waiting or [row for row in self._unwritten if row.request == request]
        return rows or await asyncio.to_thread(self._ledger.rows_of, request)

    async def run(self) -> None:
        """Write batches until cancelled."""
        while True:
            await self._woken.wait()
            await asyncio.sleep(self._pause)
            self._woken.clear()
            await self.flush()

    async def flush(self) -> None:
        """Write everything that waits; what the ledger refuses is kept for the next time."""
        settlements, self._waiting = self._waiting, []
        rows = [row for settlement in settlements for row in settlement.rows()]
        if self._watch is not None:
            self._watch(rows)
        self._unwritten += rows
        if not self._unwritten:
            return
        batch = list(self._unwritten)
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, self._ledger.append, batch)
        except InfwayError as error:
            self._woken.set()
            if not self._failing:
                _log.error("the ledger refuses rows, they are kept and tried again: %s", error)
            self._failing = True
        else:
            # a flush that is cancelled keeps its rows, and a row that comes twice is kept once
            del self._unwritten[: len(batch)]
            self._failing = False

    async def close(self) -> None:
        """Write what is left and end the thread."""
        await self.flush()
        if self._unwritten:
            _log.error("the ledger refused the last %d rows, they are lost", len(self._unwritten))
        self._thread.shutdown(wait=True)
