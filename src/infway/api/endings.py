"""What became of requests that may come twice, until the database has it."""

import asyncio
import logging
from collections.abc import Callable
from itertools import islice

from infway.database import DatabaseError
from infway.ledger.replays import Claim, Kept, Replays
from infway.threads import Threads

_log = logging.getLogger(__name__)
_AGAIN = 1.0  # seconds between two tries while the database is away
_BATCH = 100  # ends of one transaction
_ROOM = 2**26  # bytes of replies that wait at once; of one beyond that is kept that it was given

Ended = tuple[Claim, Kept | None]


class Endings:
    """The ends that wait to be written, in their order.

    They are put here without waiting for anything, so that a request that is cancelled loses none.
    `is_away`: the database takes none of them now, so there is no use in a claim either; which is
    also why no more can wait than there were requests under way. A claim that fails says so too,
    and puts its own end here: with that the database is tried until it is back.
    """

    def __init__(self, replays: Replays, threads: Threads, wall: Callable[[], float]) -> None:
        self.is_away = False
        self._told = False
        self._replays = replays
        self._threads = threads
        self._wall = wall
        self._waiting: dict[Claim, Kept | None] = {}
        self._size = 0
        self._woken = asyncio.Event()

    def add(self, claim: Claim, answer: Kept | None) -> None:
        """Write what was answered; None: nothing that counts, the request may be made again."""
        if answer is not None and self._size + _size(answer) > _ROOM:
            answer = answer._replace(head=b"", body=b"")
        self._waiting[claim] = answer
        self._size += _size(answer)
        self._woken.set()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                await self.flush()
            except DatabaseError as error:
                if not self._told:
                    _log.error("what requests came to is kept later: %s", error)
                self._told = self.is_away = True
                self._woken.set()
                await asyncio.sleep(_AGAIN)

    async def flush(self) -> None:
        """Write all that waits; raises DatabaseError where that cannot be done now."""
        while ended := list(islice(self._waiting.items(), _BATCH)):
            try:
                await self._write(ended)
            except DatabaseError as error:
                if error.is_away:
                    raise
                await self._write_singly(ended)
            for claim, _ in ended:
                self._size -= _size(self._waiting.pop(claim))
        self._told = self.is_away = False

    async def _write(self, ended: list[Ended]) -> None:
        await self._threads.run(self._replays.end, ended, self._wall())

    async def _write_singly(self, ended: list[Ended]) -> None:
        """Write what can be written of a batch; the rest is free again when this process ends."""
        for one in ended:
            try:
                await self._write([one])
            except DatabaseError as error:
                if error.is_away:
                    raise
                _log.error("what a request came to cannot be kept: %s", error)


def _size(answer: Kept | None) -> int:
    return 0 if answer is None else len(answer.head) + len(answer.body)
