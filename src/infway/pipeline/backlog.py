"""Rows that are settled and not in the ledger yet: all are in the journal, the first ones in memory too.

What finds no room in the journal is in memory alone, however much that is: no request is begun by then.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from infway.kernel.clock import Clock
from infway.ledger.journal import SETTLED, Journal, Position
from infway.ledger.rows import Row
from infway.pipeline.settle import Settlement

Group = list[Row]  # the rows of one request
Spilled = tuple[int, int]  # the segment where the first of them is, and how many rows they are
_BATCH = 2000  # rows of one transaction


class Paid(Protocol):
    """Who is told of requests that were paid for beforehand: that they ended, and are written."""

    def settled(self, settlement: Settlement) -> None:
        """Free what was set aside for a request; what it cost is owed until its rows are written."""
        ...

    def written(self, rows: Iterable[Row]) -> None:
        """Take off what these rows told the database."""
        ...


class Backlog:
    """The rows that wait, in the order in which they came.

    `memory`: rows that are held there; what is more is read in the journal again, if that is a
    file. `most`: rows that may wait at all. `watch` is told of each row once. `count`: all rows.
    `settled` is told of each request of an account, `funds` of those that budgets hold for.
    `open`: settlements with an attempt on record, the oldest first. `is_full`: so much waits that
    no further request may be admitted.
    """

    def __init__(
        self,
        clock: Clock,
        journal: Journal,
        memory: int,
        most: int,
        watch: Callable[[Sequence[Row]], None] | None,
    ) -> None:
        self.clock = clock
        self.journal = journal
        self.open: dict[Settlement, None] = {}
        self.is_full = False
        self.count = 0
        self.woken = asyncio.Event()
        self.settled: Callable[[Settlement], None] | None = None
        self.funds: Paid | None = None
        self.watch = watch
        self._memory = memory
        self._most = most
        self._fresh: list[tuple[int, Group]] = []
        self._held: deque[tuple[int, Group]] = deque()
        self._holding = 0
        self._loose: dict[int, Group] = {}  # by identity: those of them that are in memory alone
        self._spilled: Spilled | None = None
        self._replayed: Spilled | None = None
        self._groups = self._kept = 0  # that were ever held, and those of them in the ledger
        self._marks: deque[tuple[int, Position]] = deque()  # what is before it is in so many groups
        self._since: dict[int, float] = {}  # by segment: when the earliest row in it was

    def take(self, settlement: Settlement) -> None:
        """Put what happened to one request into the journal, and queue it."""
        self.open.pop(settlement, None)
        if settlement.who.account is not None and self.settled is not None:
            self.settled(settlement)
        if settlement.funding is not None and self.funds is not None:
            self.funds.settled(settlement)
        rows = settlement.rows()
        journal = self.journal
        self._fresh.append((journal.number, rows))
        self.count += len(rows)
        if self.count >= self._most:
            self.is_full = True
        if not journal.write(SETTLED, rows):
            self._loose[id(rows)] = rows
        self.woken.set()

    @property
    def has_room(self) -> bool:
        """Whether more may wait, as far as it is known here."""
        return self.count < self._most and not self.journal.is_full

    def gather(self) -> None:
        """Look at what came since the last time: it is shown, and held or left in the journal."""
        fresh, self._fresh = self._fresh, []
        for number, rows in fresh:
            earliest = min(row.at for row in rows)
            self._since[number] = min(earliest, self._since.get(number, earliest))
            is_spilled = self._holding >= self._memory and self.journal.folder is not None
            if is_spilled and id(rows) not in self._loose:
                since, count = self._spilled or (number, 0)
                self._spilled = since, count + len(rows)
            else:
                self._held.append((number, rows))
                self._holding += len(rows)
                self._groups += 1
        if fresh and self._spilled is None and self._replayed is None:
            self._marks.append((self._groups, self.journal.position))
        if fresh and self.watch is not None:  # at the end: what fails there loses no row
            self.watch([row for _, rows in fresh for row in rows])

    def put_down(self) -> int:
        """Put what is in memory alone into the journal; return how many rows find no room still."""
        for key, rows in list(self._loose.items()):
            number = self.journal.number
            if self.journal.write(SETTLED, rows):
                del self._loose[key]
                earliest = min(row.at for row in rows)
                self._since[number] = min(earliest, self._since.get(number, earliest))
            elif self.journal.is_full:
                break
        return sum(map(len, self._loose.values()))

    def waiting_rows(self, request: str) -> Group | None:
        """Return the rows of a request that waits in memory, else None."""
        groups = [*self._fresh, *self._held]
        return next((rows for _, rows in groups if rows[0].request == request), None)

    def batch(self) -> list[Group]:
        """Return the first groups that wait in memory."""
        groups: list[Group] = []
        count = 0
        for _, rows in self._held:
            if count >= _BATCH:
                break
            groups.append(rows)
            count += len(rows)
        return groups

    def written(self, groups: Sequence[Group]) -> None:
        """Forget a batch: it is in the ledger, which the journal knows from now on."""
        for rows in groups:
            self._held.popleft()
            self._loose.pop(id(rows), None)
            self._holding -= len(rows)
            self.count -= len(rows)
        self._kept += len(groups)
        while self._marks and self._marks[0][0] <= self._kept:
            self.journal.mark(self._marks.popleft()[1])

    def replay(self) -> Iterator[Group] | None:
        """Return what is in the journal alone, None where nothing is; `replayed` ends it."""
        self._replayed, self._spilled = self._spilled, None
        if self._replayed is None:
            return None
        return self._read(self._replayed[0], self.journal.position)

    def replayed(self, *, done: bool) -> None:
        """Forget what was replayed, or keep it for the next time."""
        replayed, self._replayed = self._replayed, None
        if replayed is None:
            return
        if done:
            self.count -= replayed[1]
        else:
            since, count = replayed
            self._spilled = since, count + (self._spilled[1] if self._spilled else 0)

    def _read(self, since: int, until: tuple[int, int]) -> Iterator[Group]:
        batch: Group = []
        for rows in self.journal.settled(since, until):
            batch += rows
            if len(batch) >= _BATCH and not batch[-1].attempt:
                yield batch
                batch = []
        if batch:
            yield batch

    def since(self, segment: int = 0) -> float | None:
        """Return when the earliest row was that the journal has from a segment on; None: it has none.

        Rows may also be in the segment behind the one they are noted with.
        """
        self._since = {one: at for one, at in self._since.items() if one >= segment - 1}
        return min(self._since.values(), default=None)

    @property
    def oldest(self) -> int:
        """The first segment of the journal that is needed for what waits here."""
        needed = [self.journal.number]
        needed += [waiting[0][0] for waiting in (self._held, self._fresh) if waiting]
        needed += [one[0] for one in (self._spilled, self._replayed) if one is not None]
        return min(needed)
