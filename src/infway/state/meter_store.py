"""What is asked of Redis about limits, and how its answers are read."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
from redis.asyncio.connection import ConnectionPool
from redis.exceptions import NoScriptError, RedisError

from infway.kernel.account import Holder
from infway.state.meter import Kind, Need, Refused, Standing, windows_of
from infway.state.meter_scripts import ADMITTED, LOOK, LOST, PUT, TAKE, WAITS
from infway.state.redis_pipe import Pipe

_write = msgspec.msgpack.Encoder().encode
_PREFIX = "infway:{limits}:1:"  # the number is the version of what the keys hold
_EPOCH, _MARKED = _PREFIX + "epoch", _PREFIX + "marked"
_MOST_WAITS = 4  # a request waits for the marks of its windows, which may come one by one


class LostError(RedisError):
    """The store has lost what it held."""


class Use(NamedTuple):
    """A use of one window at a time of the store's clock, in milliseconds; below 0: taken back."""

    kind: int
    seconds: int
    at: int
    amount: int


class Taken(NamedTuple):
    """What became of one try. `at`: milliseconds of the store's clock.

    `reset` of the standings: seconds from then.
    """

    at: int
    refused: Refused | None
    tried: int
    requests: Standing | None
    tokens: Standing | None


class Looked(NamedTuple):
    """What every process knows of the store. `marked`: windows of which more than half is used."""

    epoch: str
    at: int
    marked: Sequence[str]


class Terms(NamedTuple):
    """What the scripts are told. `parts`: processes that share.

    Milliseconds: `patience` before the second half of a window is used, `lease` that a request is
    under way without being heard of.
    """

    patience: int
    lease: int
    parts: int


class Store:
    """The limits in one Redis. Everything raises one of `Away`. `epoch`: the data set it is."""

    def __init__(self, pipe: Pipe, terms: Terms) -> None:
        self._pipe = pipe
        self._terms = terms
        self._hashes: dict[str, str] = {}
        self.epoch = ""

    @classmethod
    async def open(
        cls, pool: ConnectionPool, terms: Terms, deadline: float, patience: float
    ) -> "Store":
        """Connect within `patience` seconds."""
        return cls(await Pipe.open(pool, deadline, patience), terms)

    def close(self, error: Exception | None = None) -> None:
        """Hang up."""
        self._pipe.close(error)

    async def take(
        self, holders: Sequence[Holder], need: Need, lease: str, ended: Sequence[str] = ()
    ) -> Taken:
        """Count one try; raises LostError where the data set is another one.

        Without a `lease` it is looked at only. `ended`: leases of the same holders that are over.
        """
        terms = self._terms
        keys = (_EPOCH, _MARKED, *(_PREFIX + one.id for one in holders))
        told = _write(
            (
                self.epoch,
                int(bool(lease)),
                need.tokens,
                need.characters,
                terms.patience,
                terms.parts,
                lease,
                terms.lease,
                [_told(one) for one in holders],
                ended,
            )
        )
        reply = await self._run(TAKE, keys, told)
        waits = 0
        while reply[0] == WAITS and waits < _MOST_WAITS:
            waits += 1
            await asyncio.sleep(reply[4] / 1000)
            reply = await self._run(TAKE, keys, told)
        if reply[0] == LOST:
            raise LostError("it lost its data")
        return _taken(reply, holders)

    async def look(self, since: int) -> Looked:
        """Return what is marked; all of it where `since` is below 0."""
        epoch, at, marked = await self._run(LOOK, (_EPOCH, _MARKED), since)
        return Looked(epoch.decode(), at, [one.decode() for one in marked])

    async def put(self, holder: str, uses: Iterable[Use]) -> None:
        """Count uses beside all limits."""
        await self._run(PUT, (_PREFIX + holder,), _write(list(uses)))

    async def hold(self, holder: str, leases: Sequence[str], at: int) -> None:
        """Say that requests are under way; `at`: milliseconds of the store's clock."""
        key, until = f"{_PREFIX}{holder}:held", at + self._terms.lease
        told = [word for lease in leases for word in (until, lease)]
        await self._pipe.ask("ZADD", key, *told)
        await self._pipe.ask("PEXPIRE", key, self._terms.lease * 2)

    async def release(self, holder: str, leases: Sequence[str]) -> None:
        """Say that requests are over."""
        await self._pipe.ask("ZREM", f"{_PREFIX}{holder}:held", *leases)

    async def _run(self, script: str, keys: Sequence[str], told: bytes | int) -> Any:
        """Run a script; one that the store does not know yet, or any more, is sent once more."""
        known = self._hashes.get(script)
        if known is not None:
            try:
                return await self._pipe.ask("EVALSHA", known, len(keys), *keys, told)
            except NoScriptError:
                del self._hashes[script]
        reply = await self._pipe.ask("SCRIPT", "LOAD", script)
        self._hashes[script] = name = reply.decode()
        return await self._pipe.ask("EVALSHA", name, len(keys), *keys, told)


def _told(holder: Holder) -> tuple[str, list[tuple[int, int, int]], int]:
    limits = holder.limits
    windows = [(int(kind), one.seconds, one.most) for kind, one in windows_of(limits)]
    return holder.id, windows, -1 if limits.concurrent is None else limits.concurrent


def _taken(reply: Sequence[int], holders: Sequence[Holder]) -> Taken:
    code, at, tried, what, left, never, *standings = reply
    refused = None
    if code != ADMITTED:
        kind = Kind(what or Kind.REQUESTS)
        refused = Refused(kind, holders[tried - 1].id, left / 1000, bool(never))
    return Taken(at, refused, tried, _standing(*standings[:3]), _standing(*standings[3:]))


def _standing(limit: int, room: int, reset: int) -> Standing | None:
    return None if limit < 0 else Standing(limit, room, reset / 1000)
