"""Names become addresses: off the loop, within bounds, and from memory while the resolver fails.

Every name is asked for once at a time, so that a resolver that hangs holds one thread and no
more; what it said last is used for five minutes when it says nothing. Reliability, row 3.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

PATIENCE = 2.0  # seconds for an answer
STALE = 300.0  # seconds that an old answer may still be used

Addresses = Sequence[tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]]
Ask = Callable[[str, int], Awaitable[Addresses]]


async def system(host: str, port: int) -> Addresses:
    """Ask the operating system; raises OSError."""
    loop = asyncio.get_running_loop()
    return await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)  # type: ignore[return-value]  # its tuples hold more kinds of addresses than TCP has


class _Known(NamedTuple):
    addresses: Addresses
    at: float


class Resolver:
    """Resolves for one event loop. `now`: seconds, monotonic. `ask`: who knows."""

    def __init__(self, now: Callable[[], float], ask: Ask = system) -> None:
        self._now = now
        self._ask = ask
        self._known: dict[tuple[str, int], _Known] = {}
        self._asking: dict[tuple[str, int], asyncio.Task[Addresses]] = {}

    async def addresses(self, host: str, port: int, patience: float = PATIENCE) -> Addresses:
        """Return where a name is; raises OSError where nobody says, and nobody said lately.

        `patience`: seconds, `PATIENCE` at most.
        """
        place = host, port
        try:
            async with asyncio.timeout(min(patience, PATIENCE)):
                return await asyncio.shield(self._answer(place))
        except (OSError, UnicodeError) as error:  # a TimeoutError is an OSError
            known = self._known.get(place)
            if known is not None and self._now() - known.at <= STALE:
                return known.addresses
            raise socket.gaierror(socket.EAI_AGAIN, "the name was not resolved") from error

    def _answer(self, place: tuple[str, int]) -> asyncio.Task[Addresses]:
        task = self._asking.get(place)
        if task is None:
            task = self._asking[place] = asyncio.ensure_future(self._asked(place))
            task.add_done_callback(lambda done: self._told(place, done))
        return task

    async def _asked(self, place: tuple[str, int]) -> Addresses:
        return await self._ask(*place)

    def _told(self, place: tuple[str, int], task: asyncio.Task[Addresses]) -> None:
        self._asking.pop(place, None)
        if not task.cancelled() and task.exception() is None:
            self._known[place] = _Known(task.result(), self._now())
