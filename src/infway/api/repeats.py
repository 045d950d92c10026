"""`Idempotency-Key`: a request that is delivered twice is answered, and billed, once (row 81).

The first delivery is answered as always. Another one of the same caller, path and key gets the same
reply where that was whole and good; while the first is under way, or where its reply was a stream,
it gets 409; with another body 422. What was refused or failed may be sent again.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

import msgspec

from infway.api.auth import know
from infway.api.errors import Header
from infway.api.exchange import Exchange, Message, Send
from infway.api.routes import Endpoint
from infway.beside import beside
from infway.kernel.clock import Clock
from infway.kernel.errors import CallerError, InfwayError, UnavailableError
from infway.ledger.replays import OPEN, Kept, Once, Replays

REPLAYED: Header = (b"idempotent-replayed", b"true")
_NAME = re.compile(rb"[!-~]{1,255}")
# How a stream of any dialect says that it failed: an object `error` at the root of an event
_ERROR = re.compile(rb'(?:^|\n)(?:event: error\b|data: \{[^\n]*?"error":\s*\{)')
_PAUSE = 60.0  # seconds between two looks for what is too old
_OWN = frozenset(
    {b"x-request-id", b"request-id", b"content-length", b"x-client-request-id"}
    | {
        b"x-ratelimit-%b-%b" % (what, of)
        for what in (b"limit", b"remaining", b"reset")
        for of in (b"requests", b"tokens")
    }
)
_write = msgspec.msgpack.Encoder().encode
_read = msgspec.msgpack.Decoder(list[tuple[bytes, bytes]]).decode


class Memory(NamedTuple):
    """How long replies are kept, in seconds, and how many bytes of one at most."""

    keep: float = 86_400.0
    size: int = 2**20


class Repeats:
    """What knows requests by the keys their callers gave them. `owner`: this run of this process."""

    def __init__(self, replays: Replays, owner: str, clock: Clock, memory: Memory) -> None:
        self._replays = replays
        self._owner = owner
        self._clock = clock
        self._ending: set[asyncio.Task[None]] = set()
        self.memory = memory

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Forget what is old while the block runs."""
        await asyncio.to_thread(self._replays.open)
        try:
            async with beside(self._sweep()):
                yield
        finally:
            if self._ending:
                await asyncio.wait(self._ending)

    async def answer(self, endpoint: Endpoint, exchange: Exchange, model: str | None) -> None:
        """Answer an exchange that has such a key; raises GatewayError where the edge has to."""
        who, _ = know(endpoint.keyring, exchange.headers, exchange.query)
        if not _NAME.fullmatch(exchange.once):
            message = "Idempotency-Key must be 1 to 255 printable letters without spaces."
            raise CallerError(400, "invalid_field", message, "Idempotency-Key")
        body = await exchange.read_ahead(endpoint.rules.body_limit)
        name = f"{exchange.once.decode()} {exchange.path}"
        once = Once(who.name, name, hashlib.sha256(body).digest())
        kept = await self._claim(once)
        if kept is not None:
            await _replay(exchange, kept, once)
            return
        recorder = Recorder(exchange.send, self.memory.size)
        exchange.watch(exchange.receive, recorder.send)
        try:
            await endpoint.answer(exchange, model)
        finally:
            # it must be known what became of it, also where the caller has left: in a task of its own
            ending = asyncio.create_task(self._end(once, recorder))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)

    async def _claim(self, once: Once) -> Kept | None:
        now = self._clock.wall()
        try:
            return await asyncio.to_thread(self._replays.claim, once, self._owner, now)
        except InfwayError as error:
            raise UnavailableError(
                503,
                "accounting_unavailable",
                "Whether this request was made before cannot be seen now.",
                retry_after=1,
            ) from error

    async def _end(self, once: Once, recorder: "Recorder") -> None:
        answer = recorder.answer()
        with suppress(InfwayError):  # then the claim stands until this process ends
            if answer is None:
                await asyncio.to_thread(self._replays.free, once, self._owner)
            else:
                await asyncio.to_thread(self._replays.keep, once, self._owner, answer)

    async def _sweep(self) -> None:
        while True:
            with suppress(InfwayError):
                before = self._clock.wall() - self.memory.keep
                await asyncio.to_thread(self._replays.sweep, before)
            await asyncio.sleep(_PAUSE)


class Recorder:
    """Sees a reply go by, and keeps it as long as it is whole, good and not too large."""

    def __init__(self, send: Send, most: int) -> None:
        self._send = send
        self._most = most
        self._status = 0
        self._head: list[Header] = []
        self._body: list[bytes] = []
        self._size = 0
        self._whole = False
        self._failed = False

    async def send(self, message: Message) -> None:
        """Pass one message on."""
        await self._send(message)
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._head = [one for one in message["headers"] if one[0] not in _OWN]
        else:
            piece: bytes = message.get("body", b"")
            self._failed = self._failed or _ERROR.search(piece) is not None
            self._size += len(piece)
            if self._size <= self._most:
                self._body.append(piece)
            self._whole = not message.get("more_body", False)

    def answer(self) -> Kept | None:
        """Return what there is to keep; None where the request may be made again."""
        if not self._whole or not 200 <= self._status < 300:
            return None
        kind = dict(self._head).get(b"content-type", b"")
        if self._failed:
            return None
        if kind.startswith(b"text/event-stream") or self._size > self._most:
            return Kept(b"", self._status, b"", b"")
        return Kept(b"", self._status, _write(self._head), b"".join(self._body))


async def _replay(exchange: Exchange, kept: Kept, once: Once) -> None:
    """Answer as the first time; raises CallerError where that cannot be."""
    if kept.asked != once.asked:
        message = "This Idempotency-Key was used for another request."
        raise CallerError(422, "idempotency_key_reused", message, "Idempotency-Key")
    if kept.status == OPEN:
        message = "A request with this Idempotency-Key is under way."
        raise CallerError(409, "request_in_progress", message, "Idempotency-Key")
    if not kept.head:
        message = "The request with this Idempotency-Key was answered, and its reply is not kept."
        raise CallerError(409, "idempotency_key_used", message, "Idempotency-Key")
    await exchange.reply(kept.status, [*_read(kept.head), REPLAYED], kept.body)
