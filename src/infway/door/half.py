"""A caller that ended its side of the connection: it may still listen, or be gone.

TCP tells the two apart only when something is sent: who is gone answers with a reset. So a byte
is sent that means nothing yet: the next of the status line that every reply begins with, or a
zero before the size of a chunk (RFC 9112, section 7.1 allows them). Rows 55, 56 and 58 of the
fault matrix.
"""

import asyncio
from typing import Any

# Seconds from the end of the caller's side; a reset takes one round trip to come back
PROBES = (0.0, 0.02, 0.06, 0.12, 0.2, 1.0)
_LINE = b"HTTP/1.1 "


class HalfClosed:
    """Finds out whether the caller of an exchange still listens."""

    def __init__(self, cycle: Any, transport: asyncio.Transport, flow: Any) -> None:
        self._cycle = cycle
        self._transport = transport
        self._flow = flow
        self._begun = _Begun(transport, cycle)
        self._timers: list[asyncio.TimerHandle] = []

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Send the bytes one after another, while the exchange lasts."""
        self._timers = [loop.call_later(after, self._probe) for after in PROBES]

    def stop(self) -> None:
        """Send no more."""
        for timer in self._timers:
            timer.cancel()

    def _probe(self) -> None:
        cycle = self._cycle
        if cycle.response_complete or cycle.disconnected or self._flow.write_paused:
            return  # what waits to be sent is the probe
        if not cycle.response_started:
            cycle.transport = self._begun
            self._begun.say_one()
        elif getattr(cycle, "chunked_encoding", True):
            self._transport.write(b"0")


class _Begun:
    """A transport whose next reply has begun already, by some bytes of its status line."""

    def __init__(self, transport: asyncio.Transport, cycle: Any) -> None:
        self._transport = transport
        self._cycle = cycle
        self._said = 0

    def say_one(self) -> None:
        """Send the next byte of the status line."""
        self._transport.write(_LINE[self._said : self._said + 1])
        self._said += 1

    def write(self, data: bytes) -> None:
        """Send a head without what was sent of it; from then on there is nothing to leave out."""
        self._cycle.transport = self._transport
        self._transport.write(data[self._said :])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
