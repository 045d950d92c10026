"""Responses on their way to where they are kept, and back: nothing here waits on the request path.

What is to be written stands in a bounded queue, is found there as if it were written, and is
written in batches by a thread.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Protocol, TypeVar

from infway.beside import beside
from infway.kernel.clock import Clock
from infway.kernel.errors import InfwayError, UnavailableError
from infway.ledger.responses import RUNNING, Kept, Responses, TooLarge

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_DAY = 86_400
_CAPACITY = 1000  # responses that may wait to be written; what comes on top is not kept
_ROOM = 64 * 1024 * 1024  # bytes of them that may wait; one alone may be larger
_SWEEP = 60.0  # seconds between two looks for what is too old or too much
_AGAIN = 0.2  # seconds after which an unknown id is looked for again: another worker may write it
ABANDONED = 60.0
"""Seconds after which nobody is thought to be at a response that is not over."""


class Keeping(Protocol):
    """What the configuration says of kept responses."""

    @property
    def store(self) -> bool:
        """Whether responses are kept at all."""
        ...

    @property
    def keep(self) -> float:
        """Days after which a response is forgotten."""
        ...

    @property
    def size(self) -> int:
        """Bytes of all responses; beyond, the oldest of the keys with the most are forgotten."""
        ...


class Keeper:
    """Keeps responses. `rules` is swapped when settings are read again.

    `is_shared`: other workers write into the same store.
    """

    def __init__(
        self, responses: Responses, clock: Clock, rules: Keeping, *, is_shared: bool = False
    ) -> None:
        self._is_shared = is_shared
        self.rules = rules
        self.clock = clock
        self._responses = responses
        self._waiting: dict[str, Kept] = {}
        self._begun: set[str] = set()  # those that wait and are in the store as not over
        self._filled = 0  # bytes that wait
        self._overflowing = False
        self._woken = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="infway-responses")
        self._swept = float("-inf")
        self._failing = False

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None, None]:
        """Keep the store open; at the end everything that waits is written."""
        await self._in_thread(self._responses.open)
        try:
            async with beside(self._run):
                yield
        finally:
            await self.flush()
            await self._in_thread(self._responses.close)
            self._thread.shutdown(wait=True)

    def keep(self, kept: Kept, *, was_begun: bool = False) -> None:
        """Queue a response that is over; one that does not fit is not kept.

        `was_begun`: it is in the store, and is replaced there only while it is not over.
        """
        self._drop(kept.id)
        is_full = len(self._waiting) >= _CAPACITY or self._filled + kept.size > _ROOM
        if self._waiting and is_full:
            if not self._overflowing:
                _log.warning("responses cannot be written fast enough: %s is not kept", kept.id)
            self._overflowing = True
            return
        self._waiting[kept.id] = kept
        self._filled += kept.size
        if was_begun:
            self._begun.add(kept.id)
        self._woken.set()

    async def flush(self) -> None:
        """Write everything that waits; what the store refuses is kept for the next time."""
        batch = dict(self._waiting)
        begun = [batch[id_] for id_ in self._begun]
        over = [kept for id_, kept in batch.items() if id_ not in self._begun]
        try:
            if batch:
                await self._in_thread(lambda: self._write(over, begun))
            now = self.clock.wall()
            if now - self._swept >= _SWEEP:
                self._swept = now
                await self.sweep()
        except InfwayError as error:
            if not self._failing:
                _log.error("responses cannot be kept, which is tried again: %s", error)
            self._failing = True
            return
        self._failing = self._overflowing = False
        for id_, kept in batch.items():
            if self._waiting.get(id_) is kept:
                self._drop(id_)

    async def sweep(self) -> int:
        """Forget what is too old or too much; return how many responses that were."""
        before, size = self._oldest(), self.rules.size
        return await self._in_thread(lambda: self._responses.sweep(before, size))

    async def find(self, id_: str, key: str) -> Kept | None:
        """Return a response of a key, None where there is none; raises UnavailableError."""
        found = await self._twice(lambda: self._find(id_, key))
        return found if found is not None and found.created >= self._oldest() else None

    async def chain(self, id_: str, key: str, limit: int) -> list[Kept]:
        """Return a response and those before it, oldest first; empty where one is missing.

        Raises TooLarge where they have more than `limit` bytes.
        """
        waiting: list[Kept] = []
        before: str | None = id_
        while before is not None and (one := self._waiting.get(before)) is not None:
            if one.key != key:
                return []
            waiting.append(one)
            before = one.previous
        waiting.reverse()
        rest = limit - sum(one.size for one in waiting)
        if rest < 0:
            raise TooLarge(f"the turns that wait are more than {limit} bytes")
        if before is None:
            return waiting
        first = before
        written = await self._twice(
            lambda: self._ask(lambda: self._responses.chain(first, key, rest))
        )
        if not written or written[0].created < self._oldest():
            return []
        return [*written, *waiting]

    async def holders(self, items: Sequence[str], key: str, limit: int) -> Mapping[str, Kept]:
        """Return the responses of a key that hold items of these ids.

        Raises TooLarge where those in the store have more than `limit` bytes.
        """
        found = dict(await self._ask(lambda: self._responses.holders(items, key, limit)))
        for kept in self._waiting.values():
            if kept.key == key:
                found.update(dict.fromkeys(set(items) & set(kept.items), kept))
        return found

    async def remove(self, id_: str, key: str) -> bool:
        """Forget a response; False where there was none."""
        if await self.find(id_, key) is None:
            return False
        await self.flush()
        return await self._ask(lambda: self._responses.remove(id_, key))

    async def begin(self, kept: Kept) -> None:
        """Keep a response that is about to be made, at once; raises UnavailableError."""
        await self._ask(lambda: self._responses.write([kept]))

    async def touch(self, id_: str, status: str) -> bool:
        """Say that a response is being made; False where it is cancelled or forgotten."""
        now = self.clock.wall()
        return await self._ask(lambda: self._responses.touch(id_, status, now))

    async def finish(self, kept: Kept) -> bool:
        """Keep a response that was being made, at once; False where it was cancelled before."""
        return await self._ask(lambda: self._responses.finish(kept))

    def is_abandoned(self, kept: Kept) -> bool:
        """Tell whether whoever made a response is gone."""
        return kept.status in RUNNING and self.clock.wall() - kept.touched > ABANDONED

    def _oldest(self) -> float:
        return self.clock.wall() - self.rules.keep * _DAY

    def _drop(self, id_: str) -> None:
        """Take a response out of the queue."""
        kept = self._waiting.pop(id_, None)
        if kept is not None:
            self._filled -= kept.size
            self._begun.discard(id_)

    def _write(self, over: Sequence[Kept], begun: Sequence[Kept]) -> None:
        self._responses.write(over)
        for kept in begun:
            self._responses.finish(kept)

    async def _find(self, id_: str, key: str) -> Kept | None:
        kept = self._waiting.get(id_)
        if kept is not None:
            return kept if kept.key == key else None
        return await self._ask(lambda: self._responses.find(id_, key))

    async def _twice(self, look: Callable[[], Awaitable[_T]]) -> _T:
        """Look, and where nothing is found that others may write, once more a little later."""
        found = await look()
        if not found and self._is_shared:
            await asyncio.sleep(_AGAIN)
            found = await look()
        return found

    async def _run(self) -> None:
        while True:
            with suppress(TimeoutError):  # what is too old goes, where nothing new comes as well
                async with asyncio.timeout(_SWEEP):
                    await self._woken.wait()
            self._woken.clear()
            await self.flush()
            if self._failing:
                await asyncio.sleep(1.0)
                self._woken.set()

    async def _ask(self, question: Callable[[], _T]) -> _T:
        try:
            return await self._in_thread(question)
        except TooLarge:
            raise
        except InfwayError as error:
            _log.error("kept responses cannot be used: %s", error)
            message = "Kept responses cannot be used now."
            raise UnavailableError(503, "service_unavailable", message, retry_after=1) from error

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
