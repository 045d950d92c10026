"""One probe among all replicas: who may ask an offer whose breaker was open is settled in Redis.

Who asks first holds the offer's key, for a few seconds that are renewed as long as the probe runs.
Then the key goes; after a failure it stays until the wait of that replica is over, and so all wait
for as long. A request waits for Redis at most once, and only where a probe is due.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, NamedTuple

from infway.state.redis import pool_of
from infway.state.redis_pipe import Away, OddReplyError, Pipe

_log = logging.getLogger(__name__)
KEY = "infway:1:probe:"  # and the offer's name


class Bounds(NamedTuple):
    """How long things take at most, in seconds.

    `deadline` of each command, `connect` of a connection, `pause` before another after a failure.
    `lease`: until the probe of a replica that died is given to another. `soon`: until a request
    may ask again where the key went meanwhile.
    """

    deadline: float = 0.05
    connect: float = 0.5
    pause: float = 1.0
    lease: float = 4.0
    soon: float = 0.1


class RedisProbes:
    """Leases in the Redis at `url`; raises SettingsError where it is no URL.

    `name` sets this replica apart from all others. `now`: monotonic seconds. While Redis is away
    each replica probes for itself.
    """

    def __init__(
        self, url: str, name: str, now: Callable[[], float], bounds: Bounds | None = None
    ) -> None:
        self._bounds = bounds = bounds or Bounds()
        self._pool = pool_of(url, socket_timeout=None, health_check_interval=0)
        self._name = name.encode()
        self._now = now
        self._pipe: Pipe | None = None
        self._again = float("-inf")
        self._held: set[str] = set()

    async def claim(self, offer: str) -> float:
        """Return 0 where the next attempt at this offer is the probe, else seconds to leave it alone."""
        pipe, key = self._pipe, KEY + offer
        if pipe is None or offer in self._held:  # ours still, of a probe that has ended or speaks
            return 0.0
        lease = round(self._bounds.lease * 1000)
        self._held.add(offer)  # also where the answer comes too late to be heard
        try:
            set_it, left = await asyncio.gather(
                pipe.ask("SET", key, self._name, "NX", "PX", lease), pipe.ask("PTTL", key)
            )
        except Away as error:
            self._failed(pipe, error)
            return 0.0
        if set_it is not None:
            return 0.0
        self._held.discard(offer)
        if not isinstance(left, int):
            self._failed(pipe, OddReplyError(f"an odd reply: {left!r}"))
            return 0.0
        return max(self._bounds.soon, left / 1000)

    async def keep(self, waiting: Callable[[str], float | None]) -> None:
        """Renew the leases of probes that run, and end the others; connect where that is to be done.

        `waiting`: seconds that an offer is left alone after its probe has ended, None while it runs.
        """
        if self._pipe is None and self._now() >= self._again:
            await self._connect()
        pipe = self._pipe
        if pipe is None:
            return
        try:
            for offer in list(self._held):
                wait = waiting(offer)
                await self._prolong(pipe, KEY + offer, wait)
                if wait is not None:
                    self._held.discard(offer)
        except Away as error:
            self._failed(pipe, error)

    async def close(self) -> None:
        """Hang up; what is held ends by itself."""
        if self._pipe is not None:
            self._pipe.close()

    async def _connect(self) -> None:
        bounds = self._bounds
        try:
            self._pipe = await Pipe.open(self._pool, bounds.deadline, bounds.connect)
        except Away:
            self._again = self._now() + bounds.pause

    async def _prolong(self, pipe: Pipe, key: str, wait: float | None) -> None:
        """Change for how long a key of ours stays.

        That it may have passed to another between the two commands costs one probe more.
        """
        holder: Any = await pipe.ask("GET", key)
        if holder != self._name:
            return
        seconds = self._bounds.lease if wait is None else wait
        if seconds > 0:
            await pipe.ask("PEXPIRE", key, max(1, round(seconds * 1000)))
        else:
            await pipe.ask("DEL", key)

    def _failed(self, pipe: Pipe, error: Exception) -> None:
        if self._pipe is pipe:
            self._pipe = None
            self._again = self._now() + self._bounds.pause
            self._held.clear()
            pipe.close(error)
            _log.debug("redis fails, each replica probes for itself: %s", error)
