"""What was asked and answered, word for word, where that is switched on; nothing is called otherwise.

Bytes are noted as they come and go, up to a size, and written in the background. They may be lost:
where the database is away for long, the oldest make room; no request ever waits for them.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

from infway.accounts.keys import Keyring
from infway.api.auth import know
from infway.api.exchange import Exchange, Message, Receive, Scope, Send
from infway.api.gemini.paths import key_query
from infway.beside import beside
from infway.kernel.clock import Clock
from infway.kernel.errors import GatewayError, InfwayError
from infway.ledger.contents import Content, Contents

_log = logging.getLogger(__name__)
_PAUSE = 0.5  # seconds in which they gather before they are written
_AT_ONCE = 64  # of one transaction
_MOST = 2**26  # bytes that wait to be written


class Transcripts:
    """What keeps them. `size`: bytes kept of a request, and of its reply."""

    def __init__(self, contents: Contents, keyring: Callable[[], Keyring], clock: Clock) -> None:
        self.size = 0
        self._keyring = keyring
        self._contents = contents
        self._clock = clock
        self._waiting: deque[Content] = deque()
        self._bytes = 0
        self._lost = 0
        self._is_away = False

    def begin(
        self, scope: Scope, receive: Receive, send: Send, request_id: str, began: float
    ) -> Exchange:
        """Return an exchange that is listened to until its task ends."""
        exchange = Exchange(scope, receive, send, request_id, began)
        transcript = Transcript(self, exchange)
        task = asyncio.current_task()
        if task is not None:
            task.add_done_callback(transcript.end)
        return exchange

    def key_of(self, exchange: Exchange) -> str | None:
        """Return the name of the key that was presented, None where nobody is known by it."""
        with suppress(GatewayError):
            query = key_query(exchange.path, exchange.query)
            return know(self._keyring(), exchange.headers, query)[0].name
        return None

    def put(self, content: Content) -> None:
        """Have one written soon."""
        self._waiting.append(content)
        self._bytes += _weight(content)
        while self._bytes > _MOST:
            self._bytes -= _weight(self._waiting.popleft())
            self._lost += 1

    def now(self) -> float:
        """Return Unix time."""
        return self._clock.wall()

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Write what waits while the block runs, and what is left after it."""
        try:
            async with beside(self._write):
                yield
        finally:
            await self.flush()

    async def _write(self) -> None:
        while True:
            await asyncio.sleep(_PAUSE)
            await self.flush()

    async def flush(self) -> None:
        """Write everything that waits; what cannot be written is tried again."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]
            try:
                await asyncio.to_thread(self._contents.write, batch)
            except BaseException as error:
                self._waiting.extendleft(reversed(batch))
                if not isinstance(error, InfwayError):
                    raise
                if not self._is_away:
                    _log.warning("contents of requests cannot be kept now: %s", error)
                self._is_away = True
                return
            self._bytes -= sum(map(_weight, batch))
        if self._lost:
            _log.warning("the contents of %d requests were not kept: too many waited", self._lost)
        self._is_away, self._lost = False, 0


class Transcript:
    """One exchange, from its first byte to its last. What goes wrong in it is kept as well."""

    __slots__ = ("_answered", "_asked", "_exchange", "_keeper", "_receive", "_send")

    def __init__(self, keeper: Transcripts, exchange: Exchange) -> None:
        self._keeper = keeper
        self._exchange = exchange
        self._asked, self._answered = _Bytes(keeper.size), _Bytes(keeper.size)
        self._receive, self._send = exchange.receive, exchange.send
        exchange.watch(self.receive, self.send)

    async def receive(self) -> Message:
        """Pass on what comes."""
        message = await self._receive()
        self._asked.add(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        """Pass on what goes."""
        await self._send(message)
        self._answered.add(message.get("body", b""))

    def end(self, _: object = None) -> None:
        """Keep it, where a key was known: nothing is kept of what strangers send."""
        key = self._keeper.key_of(self._exchange)
        if key is None:
            return
        asked, answered = self._asked, self._answered
        self._keeper.put(
            Content(
                self._exchange.request_id,
                key,
                self._keeper.now(),
                bytes(asked.first),
                asked.size,
                bytes(answered.first),
                answered.size,
            )
        )


class _Bytes:
    """The first bytes of what passes, and how many there were."""

    __slots__ = ("_most", "first", "size")

    def __init__(self, most: int) -> None:
        self.first = bytearray()
        self.size = 0
        self._most = most

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        if len(self.first) < self._most:
            self.first += piece[: self._most - len(self.first)]


def _weight(content: Content) -> int:
    return len(content.asked) + len(content.answered)
