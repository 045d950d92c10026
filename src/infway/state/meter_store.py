"""What is asked of Redis about limits, and how its answers are read."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple, TypeVar

import msgspec
from redis.asyncio.connection import ConnectionPool
from redis.exceptions import NoScriptError, RedisError

from infway.kernel.account import Holder
from infway.state.meter import Kind, Need, Refused, Standing, windows_of
from infway.state.meter_scripts import ADMITTED, LOOK, LOST, PUT, TAKE, WAITS
from infway.state.redis_pipe import OddReplyError, Pipe

_write = msgspec.msgpack.Encoder().encode
_PREFIX = "infway:{limits}:1:"  # the number is the version of what the keys hold
_COMMON = (_PREFIX + "epoch", _PREFIX + "marked", _PREFIX + "processes")
_TELLING, _TOLD = _PREFIX + "telling", _PREFIX + "told:"
_FILLER, _FILLED = _PREFIX + "filler", _PREFIX + "filled"
_MOST_WAITS = 4  # a request waits for the marks of its windows, which may come one by one
_MOST_LOADS = 4  # it may be told to forget a script right after it was loaded
_T = TypeVar("_T")
_Count = Annotated[int, msgspec.Meta(ge=0)]


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
    """What every process knows of the store.

    `marked`: windows of which more than half is used. `processes`: how many count there. `telling`:
    somebody has not told yet what it lacks.
    """

    epoch: str
    at: int
    marked: Sequence[str]
    processes: int
    telling: bool = False


class Terms(NamedTuple):
    """What the scripts are told. `parts`: processes that share at least. `name`: of this one.

    Milliseconds: `patience` before the second half of a window is used, `lease` that a request is
    under way without being heard of, `presence` that a process counts after its last look.
    """

    patience: int
    lease: int
    presence: int
    parts: int
    name: str


class _Reply(NamedTuple):
    """What `TAKE` says; LOST is said alone. `left`: milliseconds. `limit` is -1 where there is none."""

    code: Annotated[int, msgspec.Meta(ge=LOST, le=WAITS)]
    at: _Count = 0
    tried: _Count = 0
    what: Annotated[int, msgspec.Meta(ge=0, le=int(max(Kind)))] = 0
    left: _Count = 0
    never: int = 0
    requests_limit: int = -1
    requests_room: int = 0
    requests_reset: int = 0
    tokens_limit: int = -1
    tokens_room: int = 0
    tokens_reset: int = 0


class Store:
    """The limits in one Redis. Everything raises one of `Away`.

    `epoch`: the data set it is. `parts`: processes that are known to share.
    """

    def __init__(self, pipe: Pipe, terms: Terms) -> None:
        self._pipe = pipe
        self._terms = terms
        self._hashes: dict[str, str] = {}
        self.epoch = ""
        self.parts = terms.parts

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

        Without a `lease` it is looked at only. `ended`: leases that are over, whoever held them.
        """
        terms = self._terms
        keys = (*_COMMON, *(_PREFIX + one.id for one in holders))
        told = _write(
            (
                self.epoch,
                int(bool(lease)),
                need.tokens,
                need.characters,
                terms.patience,
                terms.parts,
                self.parts,
                lease,
                terms.lease,
                [_told(one) for one in holders],
                ended,
            )
        )
        reply = _shaped(await self._run(TAKE, keys, told), _Reply)
        waits = 0
        while reply.code == WAITS and waits < _MOST_WAITS:
            waits += 1
            await asyncio.sleep(min(reply.left, terms.patience) / 1000)
            reply = _shaped(await self._run(TAKE, keys, told), _Reply)
        if reply.code == LOST:
            raise LostError("it lost its data")
        return _taken(reply, holders)

    async def look(self, since: int) -> Looked:
        """Say that this process is there; return what is marked, all of it where `since` is below 0."""
        told = _write((since, self._terms.name, self._terms.presence))
        reply = await self._run(LOOK, (*_COMMON, _TELLING), told)
        epoch, at, marked, processes, telling = _shaped(
            reply, tuple[bytes, _Count, list[bytes], _Count, _Count]
        )
        names = [one.decode() for one in marked]
        return Looked(epoch.decode(), at, names, processes, bool(telling))

    async def meet(self, patience: float) -> Looked:
        """Look at all for the first time, within `patience` seconds: nothing waits for it yet."""
        deadline, self._pipe.deadline = self._pipe.deadline, patience
        try:
            return await self.look(-1)
        finally:
            self._pipe.deadline = deadline

    async def put(self, uses: Mapping[str, Sequence[Use]], name: str = "", number: int = 0) -> None:
        """Count uses of holders beside all limits; raises LostError as `take` does.

        `number`: goes up with all that is told under this `name`, and counts once; 0: whenever it is
        told.
        """
        keys = (_COMMON[0], _TELLING, _TOLD + name, *(_PREFIX + one for one in uses))
        told = _write((self.epoch, number, list(uses.values())))
        if not _shaped(await self._run(PUT, keys, told), int):
            raise LostError("it lost its data")

    async def fills(self, seconds: float) -> bool:
        """Return whether this process is the one that fills the store: for so long it stays it."""
        name, milliseconds = self._terms.name, round(seconds * 1000)
        if await self._pipe.ask("SET", _FILLER, name, "NX", "PX", milliseconds) is not None:
            return True
        is_ours = bool(await self._pipe.ask("GET", _FILLER) == name.encode())
        if is_ours:
            await self._pipe.ask("PEXPIRE", _FILLER, milliseconds)
        return is_ours

    async def filled(self) -> str:
        """Return what was said of how far this data set is filled, empty where nothing was."""
        said = await self._pipe.ask("GET", _FILLED)
        epoch, _, word = _shaped(said or b"", bytes).decode(errors="replace").partition(" ")
        return word if epoch == self.epoch else ""

    async def say_filled(self, word: str, seconds: float) -> None:
        """Say how far it is filled, for so long."""
        milliseconds = round(seconds * 1000)
        await self._pipe.ask("SET", _FILLED, f"{self.epoch} {word}", "PX", milliseconds)

    async def processes(self) -> list[str]:
        """Return the names of all processes that count here."""
        names = _shaped(await self._pipe.ask("ZRANGE", _COMMON[2], 0, -1), list[bytes])
        return [one.decode(errors="replace") for one in names]

    async def hold(self, holder: str, leases: Sequence[str], at: int) -> None:
        """Say that requests are under way; `at`: milliseconds of the store's clock."""
        key, until = f"{_PREFIX}{holder}:held", at + self._terms.lease
        told = [word for lease in leases for word in (until, lease)]
        await self._pipe.ask("ZADD", key, *told)
        await self._pipe.ask("PEXPIRE", key, self._terms.lease * 2)

    async def release(self, holder: str, leases: Sequence[str]) -> None:
        """Say that requests are over."""
        await self._pipe.ask("ZREM", f"{_PREFIX}{holder}:held", *leases)

    async def _run(self, script: str, keys: Sequence[str], told: bytes) -> Any:
        """Run a script; one that the store does not know yet, or any more, is sent once more."""
        for _ in range(_MOST_LOADS):
            name = self._hashes.get(script) or await self._load(script)
            try:
                return await self._pipe.ask("EVALSHA", name, len(keys), *keys, told)
            except NoScriptError:  # several that are under way may hear it at once
                self._hashes.pop(script, None)
        raise OddReplyError("it forgets each script at once")

    async def _load(self, script: str) -> str:
        reply = await self._pipe.ask("SCRIPT", "LOAD", script)
        self._hashes[script] = name = _shaped(reply, bytes).decode()
        return name


def _told(holder: Holder) -> tuple[str, list[tuple[int, int, int]], int]:
    limits = holder.limits
    windows = [(int(kind), one.seconds, one.most) for kind, one in windows_of(limits)]
    return holder.id, windows, -1 if limits.concurrent is None else limits.concurrent


def _shaped(reply: object, shape: type[_T]) -> _T:
    """Return a reply that is what was asked for; raises OddReplyError."""
    try:
        return msgspec.convert(reply, shape)
    except msgspec.ValidationError as error:
        raise OddReplyError(f"an odd reply: {error}") from None


def _taken(reply: _Reply, holders: Sequence[Holder]) -> Taken:
    code, at, tried, what, left, never, *standings = reply
    if not 0 < tried <= len(holders):
        raise OddReplyError(f"an odd reply: {tried} of {len(holders)} holders were asked")
    refused = None
    if code != ADMITTED:
        kind = Kind(what or Kind.REQUESTS)
        refused = Refused(kind, holders[tried - 1].id, left / 1000, bool(never))
    return Taken(at, refused, tried, _standing(*standings[:3]), _standing(*standings[3:]))


def _standing(limit: int, room: int, reset: int) -> Standing | None:
    return None if limit < 0 else Standing(limit, room, reset / 1000)
