"""What replicas tell one another: how their attempts ended, so that all know of a failure at once.

Several times a second, beside the requests: none waits for it, and what a replica learns itself
never depends on it.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from infway.ims.health import Health
from infway.ims.outcome import Outcome
from infway.kernel.faults import Fault
from infway.state.board import Board

_log = logging.getLogger(__name__)

PAUSE = 0.2  # seconds between two trades
MOST = 500  # outcomes of one message; a process ends fewer attempts between two trades
_LONGEST = 1e9
_MOST_TOKENS = 2**31
_QUIET = 60.0  # seconds between two log lines about messages that cannot be read

# Bounded, because a sum that has taken in one NaN or infinity never recovers.
_Number = TypeVar("_Number", int, float)
_Seconds = Annotated[float, Meta(ge=0.0, le=_LONGEST)]
_Tokens = Annotated[int, Meta(ge=0, le=_MOST_TOKENS)]


class Told(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One outcome in a message: what `Health.absorb` learns from. An array, in this order.

    New fields go to the end, with a default: older replicas skip them. Any other change needs a
    new version in the name of the board's key.
    """

    offer: str
    fault: Fault | None
    start: _Seconds | None
    end: _Seconds | None
    output_tokens: _Tokens | None
    retry_after: _Seconds | None
    visible: bool


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Annotated[list[Told], Meta(max_length=MOST)])


def encode(outcomes: Iterable[tuple[str, Outcome]]) -> bytes:
    """Return the message that tells these outcomes, by offer id."""
    return _encoder.encode(
        [
            Told(
                offer,
                outcome.fault,
                outcome.start,
                outcome.end,
                _within(outcome.output_tokens, _MOST_TOKENS),
                _within(outcome.retry_after, _LONGEST),
                outcome.visible,
            )
            for offer, outcome in outcomes
        ]
    )


def decode(message: bytes) -> list[tuple[str, Outcome]]:
    """Return what a message tells; raises msgspec.DecodeError where it is none."""
    return [
        (
            told.offer,
            Outcome(
                fault=told.fault,
                start=told.start,
                end=told.end,
                output_tokens=told.output_tokens,
                retry_after=told.retry_after,
                visible=told.visible,
            ),
        )
        for told in _decoder.decode(message)
    ]


class Sharing:
    """Keeps a replica's book and the board in touch.

    `health`: returns the book in use now; a reload puts another one in its place. `now`:
    monotonic seconds.
    """

    def __init__(
        self, board: Board, health: Callable[[], Health], now: Callable[[], float]
    ) -> None:
        self._board = board
        self._health = health
        self._now = now
        self._quiet_until = float("-inf")

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Share while the block runs."""
        task = asyncio.create_task(self.run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await self._board.close()

    async def run(self) -> None:
        """Trade until cancelled."""
        while True:
            await self.trade()
            await asyncio.sleep(PAUSE)

    async def trade(self) -> None:
        """Tell what was seen since the last time, and learn what others saw."""
        seen = self._health().drain()[-MOST:]
        for message in await self._board.trade(encode(seen) if seen else None):
            self._learn(message)
            await asyncio.sleep(0)  # a message takes milliseconds at most: requests come between

    def _learn(self, message: bytes) -> None:
        try:
            outcomes = decode(message)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if self._now() >= self._quiet_until:
                _log.warning("a message of another replica cannot be read, dropped: %s", error)
                self._quiet_until = self._now() + _QUIET
            return
        self._health().absorb(outcomes, self._now())


def _within(number: _Number | None, most: _Number) -> _Number | None:
    """Return what an upstream said, within what a message may carry."""
    return None if number is None else max(type(most)(0), min(number, most))
