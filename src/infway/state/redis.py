"""The board as one Redis stream: an entry for each message, trimmed, and gone when unused.

Messages are read by the store's own clock, so that no replica's clock matters.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.typing import EncodableT, FieldT

from infway.kernel.errors import SettingsError
from infway.state.outage import Outage

KEY = "infway:2:evidence"  # the number is the version of what the messages say
_FROM, _SAYS = b"from", b"says"
# Of the options of a connection, those that a URL may not change.
_OURS: dict[str, Any] = {
    "protocol": 2,
    "retry": Retry(NoBackoff(), 0),
    "driver_info": None,
    "decode_responses": False,
}

_Position = tuple[int, int]  # an entry's id: the store's milliseconds, and a number within them


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a board takes at most.

    Seconds: `deadline` of one trade, `pause` before another after a failure, `fresh`: how old a
    message may be that is still read, `unused`: after which the stream goes. Messages: `kept` in
    the stream (about), `read` in one trade.
    """

    deadline: float = 0.5
    pause: float = 1.0
    fresh: float = 5.0
    unused: int = 60
    kept: int = 256
    read: int = 128


class RedisBoard:
    """A board at `url`, which may name a database; raises SettingsError where it is no URL.

    `sender` sets this process apart from all others. `now`: monotonic seconds. `outage`: says for
    all of the process whether Redis is there.
    """

    def __init__(
        self, url: str, sender: str, now: Callable[[], float], bounds: Bounds | None = None
    ) -> None:
        self._redis = _client(url)
        self._sender = sender.encode()
        self._now = now
        self._bounds = bounds or Bounds()
        self._answers: bool | None = None
        self.outage = Outage()
        self._again = float("-inf")
        self._position: _Position = (0, 0)

    @property
    def works(self) -> bool:
        """Whether Redis answered the last time."""
        return self._answers is True

    async def trade(self, mine: bytes | None) -> list[bytes]:
        """Leave `mine` and return what others said, in at most `deadline` seconds.

        While Redis fails it is asked once every `pause` seconds, and [] is returned.
        """
        if self._now() < self._again:
            return []
        try:
            async with asyncio.timeout(self._bounds.deadline):
                if not self._answers:
                    await self._find_place()
                heard = await self._round_trip(mine)
        except Exception as error:  # noqa: BLE001 - a library stumbles over odd replies in many ways
            self._again = self._now() + self._bounds.pause
            if self._answers is not False:
                self.outage.fails("board", "evidence is not shared", _why(error))
            self._answers = False
            return []
        if not self._answers:
            self.outage.answers("board")
        self._answers = True
        return heard

    async def close(self) -> None:
        """Hang up; a Redis that does not take part in it is left behind."""
        with contextlib.suppress(RedisError, OSError):
            async with asyncio.timeout(self._bounds.deadline):
                await self._redis.aclose()

    async def _find_place(self) -> None:
        """Read on where reading ended, or where the fresh messages begin.

        Asking for the time first also keeps messages from being sent to a store that is silent,
        which would take them for new ones once it wakes.
        """
        seconds, microseconds = await self._redis.time()  # pyright: ignore[reportUnknownMemberType] # its **kwargs have no type
        present = seconds * 1000 + microseconds // 1000
        oldest = present - round(self._bounds.fresh * 1000)
        if not oldest <= self._position[0] <= present:
            self._position = (oldest, 0)

    async def _round_trip(self, mine: bytes | None) -> list[bytes]:
        bounds = self._bounds
        async with self._redis.pipeline(transaction=False) as commands:
            if mine is not None:
                entry: dict[FieldT, EncodableT] = {_FROM: self._sender, _SAYS: mine}
                commands.xadd(KEY, entry, maxlen=bounds.kept, approximate=True)
                commands.expire(KEY, bounds.unused)
            since = "{}-{}".format(*self._position)
            commands.xread({KEY: since}, count=bounds.read)
            *_, read = await commands.execute()
        return list(self._of_others(read[0][1] if read else ()))

    def _of_others(self, entries: Iterable[tuple[bytes, dict[bytes, bytes]]]) -> Iterable[bytes]:
        """Yield what others said and move on; an entry that is no message is an empty one."""
        for name, entry in entries:
            milliseconds, _, number = name.partition(b"-")
            self._position = (int(milliseconds), int(number))
            if entry.get(_FROM) != self._sender:
                yield entry.get(_SAYS, b"")


def _client(url: str) -> Redis:
    """Return a client for `url` that asks once and sends nothing but what it is told to."""
    return Redis.from_pool(pool_of(url))


def pool_of(url: str, **more: object) -> ConnectionPool:
    """Return what makes connections to `url`; raises SettingsError where that is no URL.

    `more`: options that no URL may change.
    """
    try:
        options: dict[str, Any] = {**parse_url(url), **_OURS, **more}
        pool = ConnectionPool(**options)
        pool.make_connection()  # type: ignore[no-untyped-call] # opens nothing, but refuses unknown options
    except (ValueError, TypeError):  # their text may quote a part of the password
        problem = "state.redis: this is no redis://, rediss:// or unix:// URL with known options"
        raise SettingsError((problem,)) from None
    return pool


def _why(error: Exception) -> str:
    is_known = isinstance(error, (RedisError, OSError, UnicodeError))  # the last: of odd hosts
    return (str(error) if is_known else f"an odd reply: {error!r}") or "no answer in time"
