"""`Idempotency-Key`: a request that is delivered twice is answered, and billed, once (row 81).

The first delivery is answered as always. Another one of the same caller, path and key gets the same
reply where that was whole and good; while the first is under way, or where its reply was a stream,
it gets 409; with another body 422. What was refused or failed may be sent again.
"""

import asyncio
import hashlib
import logging
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count

import msgspec

from infway.api.auth import know
from infway.api.endings import Endings
from infway.api.errors import Header
from infway.api.exchange import Exchange, Message, Send
from infway.api.gemini.paths import key_query
from infway.api.remembered import Remembered
from infway.api.routes import Endpoint
from infway.beside import beside
from infway.database import DatabaseError
from infway.kernel.clock import Clock
from infway.kernel.errors import CallerError, InfwayError, UnavailableError
from infway.ledger.replays import OPEN, Claim, Kept, Memory, Once, Replays, owner_of
from infway.threads import Threads

_log = logging.getLogger(__name__)
REPLAYED: Header = (b"idempotent-replayed", b"true")
_NAME = re.compile(rb"[!-~]{1,255}")
# How a stream of any dialect says that it failed: an object `error` at the root of an event
_ERROR = re.compile(rb'(?:^|\n)(?:event: error\b|data: \{[^\n]*?"error":\s*\{)')
_THREADS = 4  # that claim and write what was answered: half of the connections that a database has
_WAITING = 1000  # claims that wait at once for the database
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


class Repeats:
    """What knows requests by the keys their callers gave them. `process`: this run of this process.

    `left` is told at the end where claims could not be given back: they wait for the next start.
    """

    def __init__(
        self,
        replays: Replays,
        process: str,
        clock: Clock,
        memory: Memory,
        left: Callable[[], None],
    ) -> None:
        self._replays = replays
        self._process = process
        self._clock = clock
        self._left = left
        self._numbers = count(1)
        self._threads = Threads("repeats", _THREADS)
        self._endings = Endings(replays, self._threads, clock.wall)
        self._claiming: set[asyncio.Task[Kept | None]] = set()
        self.remembered = Remembered(replays, clock, self._threads, memory)

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Write what ended and forget what is old while the block runs; then give every claim back."""
        await asyncio.to_thread(self._replays.open)
        try:
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(beside(self.remembered.run))
                await stack.enter_async_context(beside(self._endings.run))
                yield
        finally:
            if self._claiming:
                await asyncio.wait(self._claiming)
            await self._give_back()
            await self._threads.close()

    async def answer(self, endpoint: Endpoint, exchange: Exchange, model: str | None) -> None:
        """Answer an exchange that has such a key; raises GatewayError where the edge has to."""
        limit = endpoint.rules.body_limit
        exchange.check_size(limit)
        query = key_query(exchange.path, exchange.query)
        who, _ = know(endpoint.keyring, exchange.headers, query)
        exchange.visit = endpoint.visits.of(who, exchange.request_id)
        if not _NAME.fullmatch(exchange.once):
            message = "Idempotency-Key must be 1 to 255 printable letters without spaces."
            raise CallerError(400, "invalid_field", message, "Idempotency-Key")
        body = await exchange.read_ahead(limit)
        name = f"{exchange.once.decode()} {exchange.path}"
        once = Once(who.name, name, hashlib.sha256(body).digest())
        claim = Claim(once, owner_of(self._process, next(self._numbers)))
        kept = await self._claim(claim)
        if kept is not None:
            await _replay(exchange, kept, once)
            return
        recorder = Recorder(exchange.send, self.remembered.memory.size)
        exchange.watch(exchange.receive, recorder.send)
        try:
            await endpoint.answer(exchange, model)
        finally:
            # it must be known what became of it, also where the caller has left: nothing is awaited
            self._endings.add(claim, self.remembered.fitting(who.name, recorder.answer()))

    async def _claim(self, claim: Claim) -> Kept | None:
        """Return what is known of a request, None where it is to be answered; raises UnavailableError.

        A claim that nobody waits for any more, or whose answer was lost, is freed again.
        """
        if self._endings.is_away or len(self._claiming) >= _WAITING:
            raise _unseen()
        claiming = asyncio.create_task(self._threads.run(self._take, claim, self._clock.wall()))
        self._claiming.add(claiming)
        claiming.add_done_callback(self._claiming.discard)
        try:
            return await asyncio.shield(claiming)
        except InfwayError as error:
            self._endings.add(claim, None)
            raise _unseen() from error
        except asyncio.CancelledError:
            claiming.add_done_callback(lambda done: self._abandon(claim, done))
            raise

    def _take(self, claim: Claim, now: float) -> Kept | None:
        """Claim, in a thread. Where the database fell silent, who waited behind asks no more."""
        if self._endings.is_away:
            raise DatabaseError("the database was away a moment ago", is_away=True)
        try:
            return self._replays.claim(*claim, now)
        except DatabaseError as error:
            if error.is_away:
                self._endings.is_away = True
            raise

    def _abandon(self, claim: Claim, done: asyncio.Task[Kept | None]) -> None:
        """Free a claim that was made for nobody."""
        if not done.cancelled():
            done.exception()  # it is heard of where it is freed
        self._endings.add(claim, None)

    async def _give_back(self) -> None:
        """Write what waits still, and free what is claimed and will never be answered."""
        try:
            await self._endings.flush()
            await self._threads.run(self._replays.release, self._process)
        except InfwayError as error:
            _log.error("what requests came to cannot be kept, the next start frees them: %s", error)
            self._left()


def _unseen() -> UnavailableError:
    message = "Whether this request was made before cannot be seen now."
    return UnavailableError(503, "accounting_unavailable", message, retry_after=1)


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
    if exchange.visit is not None:
        await exchange.visit.look()
    await exchange.reply(kept.status, [*_read(kept.head), REPLAYED], kept.body)
