"""The settler: what is settled goes to the ledger in batches, and waits in the journal until then."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from typing import NamedTuple

from infway.database import NewerError
from infway.kernel.clock import Clock
from infway.kernel.errors import InfwayError
from infway.ledger.journal import Journal
from infway.ledger.rows import Ledger, Row
from infway.pipeline.backlog import Backlog, Group
from infway.pipeline.checkpoints import TICK, look, move
from infway.pipeline.recovery import Recovery
from infway.threads import Threads

_log = logging.getLogger(__name__)
_LONGEST_PAUSE = 1.0  # seconds between two tries while the ledger refuses
_HOUSE = 1.0  # seconds between two syncs of the journal
_DEAD = 3  # of these, between two looks for processes that died
_QUESTIONS = 4  # of callers that are asked of the ledger at once
_HOLD = 200  # of these looks, between two words about what the journal holds


class Spooling(NamedTuple):
    """How much may wait while the ledger is away: `rows`, for `seconds`, in this journal."""

    journal: Journal
    rows: int = 100_000
    seconds: float = 300.0


class Settler(Backlog):
    """The queue between the request path and the ledger, and what empties it.

    `capacity`: requests whose rows are held in memory; without `spooling`, no more than that may
    wait at all. `pause`: seconds in which rows gather before they are written. `watch` is told of
    each row once. `is_away`: the ledger refuses rows. `outdated`: since a newer infway has
    changed it, in words; else empty. `buried` is told the name of each process whose journal was
    taken over. `thread`: the only one that writes rows, and whatever has to be in one order with
    them. `questions`: those that ask the ledger for callers. `owes`: this process ends, and has to
    be buried by the next.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        watch: Callable[[Sequence[Row]], None] | None = None,
        capacity: int = 10_000,
        pause: float = 0.1,
        spooling: Spooling | None = None,
    ) -> None:
        spooling = spooling or Spooling(Journal(), rows=2 * capacity, seconds=float("inf"))
        super().__init__(clock, spooling.journal, 2 * capacity, spooling.rows, watch)
        self.is_away = False
        self.outdated = ""
        self.owes = False
        self.buried: Callable[[str], None] = _unheard
        self._ledger = ledger
        self._patience = spooling.seconds
        self._pause = pause
        self._writing = asyncio.Lock()
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="infway-ledger")
        self.questions = Threads("questions", _QUESTIONS)
        self._refuses = False
        self._progress = clock.monotonic()
        self._told: float | None = None  # the ledger knows that the journal holds rows since then

    async def rows_of(self, request: str) -> Sequence[Row]:
        """Return the rows of a request that has ended, none where it is unknown.

        A row waits here until it is in the ledger, so looking here first misses none.
        """
        waiting = self.waiting_rows(request)
        if waiting is not None:
            return waiting
        return await self.questions.run(self._ledger.rows_of, request)

    async def run(self) -> None:
        """Write batches, and look after the journal, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._write())
            group.create_task(self._turn())
            group.create_task(self._keep_house())

    async def _write(self) -> None:
        while True:
            await self.woken.wait()
            await asyncio.sleep(
                min(self._pause * 10, _LONGEST_PAUSE) if self.is_away else self._pause
            )
            self.woken.clear()
            await self.flush()

    async def _turn(self) -> None:
        """Turn the wheel of what does not wait for the ledger."""
        while True:
            await asyncio.sleep(TICK)
            self.gather()
            look(self.open, self.journal, self.clock.monotonic())
            move(self.open, self.journal)
            if not self.journal.is_full:
                self.put_down()
            self._look_back()

    async def _keep_house(self) -> None:
        """Sync the journal, and take over those of processes that died."""
        if self.journal.folder is None:
            return
        recovery = Recovery(self.journal.folder, self._ledger, self.watch or _unheard, self._bury)
        loop = asyncio.get_running_loop()
        cleared = self.journal.first
        for turn in count(1):
            await loop.run_in_executor(self.thread, recovery.run)
            if turn % _HOLD == 0:
                cleared = await self.let_go(cleared)
            for _ in range(_DEAD):
                await asyncio.to_thread(self._tidy)
                await asyncio.sleep(_HOUSE)

    async def let_go(self, cleared: int) -> int:
        """Tell the ledger that the journal holds nothing from before a segment; return the next such.

        That was cleared when this was said the last time: by now it is so on the disk too.
        """
        async with self._writing:
            with suppress(InfwayError):  # then it is said the next time
                await self._hold(self.since(cleared))
        return self.journal.first

    async def _hold(self, since: float | None) -> None:
        """Say that the journal may bring rows since then again."""
        self._told = None  # nobody knows, where the answer is lost
        loop = asyncio.get_running_loop()
        name = self.journal.name
        await loop.run_in_executor(self.thread, self._ledger.hold, name, since)
        self._told = since

    def _bury(self, name: str) -> None:
        self.buried(name)

    def _tidy(self) -> None:
        self.journal.tidy()
        self.journal.sync()

    async def flush(self) -> None:
        """Write everything that waits; what the ledger refuses is kept for the next time."""
        async with self._writing:
            self.gather()
            try:
                while groups := self.batch():
                    # a flush that is cancelled keeps its rows, and a row that comes twice is kept once
                    await self._append([row for rows in groups for row in rows])
                    self.written(groups)
                await self._replay()
            except InfwayError as error:
                self.woken.set()
                await asyncio.to_thread(self.journal.sync)
                if not self.is_away:
                    _log.error("the ledger refuses rows, they are kept and tried again: %s", error)
                self.is_away = True
                self.outdated = str(error) if isinstance(error, NewerError) else ""
            else:
                if self.is_away:
                    _log.warning("the ledger takes rows again, and has all of them")
                self.is_away = False
                self.outdated = ""
            self._look_back()

    async def _append(self, rows: Group) -> None:
        earliest = min(row.at for row in rows)
        if self.journal.folder is not None and (self._told is None or earliest < self._told):
            known = self.since()
            await self._hold(earliest if known is None else min(known, earliest))
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self.thread, self._ledger.append, rows, self.journal.name)
        self._progress = self.clock.monotonic()
        if self.funds is not None:
            self.funds.written(rows)

    async def _replay(self) -> None:
        """Write what is in the journal alone."""
        while (groups := self.replay()) is not None:
            done = False
            try:
                while (rows := await asyncio.to_thread(next, groups, None)) is not None:
                    await self._append(rows)
                done = True
            finally:
                self.replayed(done=done)
            self.gather()

    def _look_back(self) -> None:
        """Free what the journal need not hold any more, and tell whether more may wait."""
        first = next(iter(self.open), None)
        self.journal.free(self.oldest if first is None else min(self.oldest, first.segment))
        now = self.clock.monotonic()
        if not self.count:
            self._progress = now
        self.is_full = not self.has_room or now - self._progress > self._patience
        if self.is_full is not self._refuses:
            level = logging.ERROR if self.is_full else logging.WARNING
            said = "no request is begun, its usage could not be recorded"
            said = said if self.is_full else "requests are begun again"
            _log.log(level, "%s: %d rows wait for the ledger", said, self.count)
        self._refuses = self.is_full

    async def close(self) -> None:
        """Write what is left, end the threads, and leave to the next start what could not be written."""
        try:
            await self.flush()
        finally:
            await self.questions.close()
            self.thread.shutdown(wait=True)
            left = self.count
            lost = left if self.journal.folder is None else self.put_down()
            if left > lost:
                _log.error(
                    "the ledger refused the last %d rows, they wait for the next start", left - lost
                )
            if lost:
                _log.error("the ledger refused the last %d rows, they are lost", lost)
            keeps = bool(left or self.open or self.owes)
            self.journal.close(keep=keeps)
            if self.journal.folder is not None and not keeps:
                with suppress(InfwayError):
                    await asyncio.to_thread(self._ledger.hold, self.journal.name, None)


def _unheard(_: object) -> None:
    """Tell nobody."""
