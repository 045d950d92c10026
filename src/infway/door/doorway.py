"""One connection at the door: whole requests of one reading go in, within their time.

What comes is looked at before the server's parser is: the head once, by one expression, and a
chunked body by its sizes. One message is inside at a time; what a caller sends ahead waits. Each
stage has one moment by which it must be over, kept by one timer that is moved only where it would
come too late: a request that comes at once costs two readings of the clock.
"""

import asyncio
from collections import deque
from typing import Any

from uvicorn.server import ServerState

from infway.door.chunks import Chunks
from infway.door.half import HalfClosed
from infway.door.hall import DoorConfig
from infway.door.head import CHUNKED, check_begun, malformed, read_head, without_upgrade
from infway.door.limits import LINGER, MAX_FIELDS_SIZE, MAX_TARGET
from infway.kernel.errors import CallerError, GatewayError
from infway.kernel.faults import SLOW_CLIENT

_END = b"\r\n\r\n"
_HELD = 64 * 1024  # bytes sent ahead that are kept; then the socket is held back
# Shared by all connections, since each of its own is 0.8 KiB: uvicorn's queue of requests sent
# ahead, which the door holds, and its event for a slow reader, until there is one
_NOTHING: deque[Any] = deque(maxlen=0)
_WRITABLE = asyncio.Event()
_WRITABLE.set()


class Doorway(asyncio.Protocol):
    """Stands before one of uvicorn's protocols, which comes next in the order of classes.

    `_left`: bytes of the body that are still to come, CHUNKED while nobody knows. `_due`: the
    moment by which the stage must be over, in the loop's time; None while infway itself works.
    """

    # With these in slots the rest of a connection's names fit what instances can share: 1.2 KiB.
    __slots__ = (
        "__dict__", "_chunks", "_due", "_half", "_held", "_is_busy", "_is_closing", "_is_new",
        "_left", "_speaker", "_timer", "hall", "limits",
    )  # fmt: skip

    transport: asyncio.Transport
    loop: asyncio.AbstractEventLoop
    client: tuple[str, int] | None
    server_state: ServerState
    flow: Any
    cycle: Any
    ws_protocol_class: Any

    def __init__(
        self,
        config: DoorConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)  # type: ignore[call-arg]  # uvicorn's protocol, not asyncio's, comes next
        self.limits, self.hall = config.limits, config.hall
        self.pipeline = _NOTHING
        self._held = b""
        self._left = 0
        self._chunks: Chunks | None = None
        self._is_busy = False
        self._is_closing = False
        self._is_new = True
        self._half: HalfClosed | None = None
        self._due: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._speaker: Any = None  # the WebSocket that took over

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let a caller in, or not where there are too many."""
        super().connection_made(transport)
        self.flow._is_writable_event = _WRITABLE  # noqa: SLF001 - each would have its own
        due = self._due = self.loop.time() + self.limits.head
        self._timer = self.loop.call_at(due, self._look)  # there is none to move
        if not self.hall.enter(self.client[0] if self.client else ""):
            self.refuse(
                GatewayError(
                    503, "too_many_connections", "infway has too many connections.", retry_after=1
                )
            )

    def connection_lost(self, exc: Exception | None) -> None:
        """Let a caller out."""
        self.hall.leave(self.client[0] if self.client else "")
        self._due = None
        if self._timer is not None:
            self._timer.cancel()
        if self._half is not None:
            self._half.stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Let in what came, as far as it is one message of one reading."""
        try:
            while data:
                if self._left:
                    data = self._more_body(data)
                    continue
                if self._is_busy:
                    return self._hold(data)
                if self._held:
                    data = self._held + data
                end = data.find(_END, 0, MAX_TARGET + MAX_FIELDS_SIZE) + 4
                if end < 4:
                    return self._wait_for_head(data)
                length, upgrade = read_head(data[:end], self.limits.hosts)
                self._is_busy, self._is_new, self._held, self._due = True, False, b"", None
                if len(data) == end + length and upgrade is None:
                    return super().data_received(data)
                data = self._in_pieces(data, end, length, upgrade)
        except CallerError as error:
            self.refuse(error, path=_path(data))

    def eof_received(self) -> bool:
        """Go on for a caller who asked all it had to ask; the others are gone."""
        if not self._is_busy or self._left or self._is_closing or self._is_old():
            return False
        if self._half is None:
            self._half = HalfClosed(self.cycle, self.transport, self.flow)
            self._half.watch(self.loop)
        return True

    def pause_writing(self) -> None:
        """Give a slow reader its time."""
        self.flow._is_writable_event = asyncio.Event()  # noqa: SLF001 - nobody waits for it yet
        super().pause_writing()
        self._end_by(self.limits.write)

    def resume_writing(self) -> None:
        """Forget that a reader was slow."""
        super().resume_writing()
        self._due = None
        if self._left:
            self._end_by(self.limits.body)
        elif not self._is_busy:
            self._end_by(self.limits.idle)

    # what the server's protocol calls

    def on_response_complete(self) -> None:
        """Wait for the next request once a reply is out and its request is in.

        Nothing waits in uvicorn's own queue, and none of its timers runs: both are the door's.
        """
        self._is_busy = False
        self.flow.resume_reading()
        if self.transport.is_closing():
            self._end_by(self.limits.write)  # for what waits to be sent
        elif self._left:
            return
        elif self._held:
            held, self._held = self._held, b""
            self.data_received(held)
        elif self._half is not None:
            self.transport.close()
        elif self.flow.write_paused:
            self._end_by(self.limits.write)
        else:
            due = self._due = self.loop.time() + self.limits.idle
            if self._timer is None or self._timer.when() > due:
                self._end_by(self.limits.idle)

    def send_400_response(self, msg: str) -> None:
        """Refuse in the words of all refusals."""
        self.refuse(malformed(msg))

    def refuse(self, error: GatewayError, linger: float = LINGER, path: str = "") -> None:
        """Say why a request is not taken, and close; what the caller still sends is dropped."""
        if self.transport.is_closing() or self._is_closing:
            return
        self._is_closing = True
        self._held = b""
        is_answered = self._left != 0 and (not self._is_busy or self._abandon())
        self._left, self._is_busy = 0, True
        if not is_answered:
            self.transport.write(self.hall.refusal(error, path, self.server_state.default_headers))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self._end_by(linger)

    def _abandon(self) -> bool:
        """Let infway know that the rest of a body will not come; tell whether it has answered."""
        if self.cycle is None or self.cycle.response_complete:
            return False  # the parser refused the head: nobody was asked
        self.cycle.disconnected = True
        self.cycle.message_event.set()
        started: bool = self.cycle.response_started
        return started

    def hand_over(self) -> None:
        """Leave the transport to the WebSocket that speaks on it now; it is in the hall to its end."""
        self._due = None
        if self._timer is not None:
            self._timer.cancel()
        address, hall = self.client[0] if self.client else "", self.hall
        speaker: Any = self.transport.get_protocol()
        self._speaker = speaker
        speaker.at_end = lambda: hall.leave(address)

    # what comes in

    def _in_pieces(self, data: bytes, end: int, length: int, upgrade: bytes | None) -> bytes:
        """Let in a head whose body is not here with it, or not alone; return what follows it."""
        if upgrade is not None and (length or not self._may_become(upgrade)):
            data, end = without_upgrade(data, end)
        self._chunks = Chunks() if length == CHUNKED else None
        self._left = length
        if length:
            self._end_by(self.limits.body_time(length))
        rest = data[end:]
        super().data_received(data[:end] if rest else data)
        if rest and self._speaker is not None:
            self._speaker.data_received(rest)
            return b""
        return rest

    def _may_become(self, protocol: bytes) -> bool:
        return self.ws_protocol_class is not None and protocol.lower() == b"websocket"

    def _more_body(self, data: bytes) -> bytes:
        """Let in what belongs to the body; return what is of the next message."""
        if self._chunks is None:
            end = min(self._left, len(data))
            self._left -= end
        else:
            end = self._chunks.follow(data)
            self._left, end = (CHUNKED, len(data)) if end < 0 else (0, end)
        if not self._left:
            self._due = None
        super().data_received(data if end == len(data) else data[:end])
        if not self._left and not self._is_busy:
            self._end_by(self.limits.idle)
        return data[end:]

    def _wait_for_head(self, data: bytes) -> None:
        check_begun(data, len(self._held))
        if not self._held and not self._is_new:
            self._end_by(self.limits.head)
        self._held = data

    def _hold(self, data: bytes) -> None:
        """Keep what was sent ahead of the reply to come; drop what comes after a refusal."""
        if self._is_closing:
            return
        self._held += data
        if len(self._held) > _HELD:
            self.flow.pause_reading()

    # time

    def _end_by(self, seconds: float) -> None:
        """Give the stage that begins now so many seconds."""
        due = self._due = self.loop.time() + seconds
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = self.loop.call_at(due, self._look)

    def _look(self) -> None:
        """End the connection where its stage is over its time."""
        self._timer = None
        if self._due is None:
            return
        if self.loop.time() < self._due - 0.001:
            self._timer = self.loop.call_at(self._due, self._look)
            return
        if self._is_closing or self.transport.is_closing() or self.flow.write_paused:
            if self._is_busy and self.cycle is not None:
                self.cycle.scope["state"][SLOW_CLIENT] = True
            self.transport.abort()
        elif self._held or (self._left and self._is_busy):
            self.refuse(_late(), linger=0.0)
        else:
            self.transport.close()
            self._end_by(self.limits.write)

    def _is_old(self) -> bool:
        """Tell whether the request is of HTTP/1.0, whose replies cannot be begun by single bytes."""
        version: str = self.cycle.scope["http_version"]
        return version == "1.0"


def _path(head: bytes) -> str:
    """Return the path of a request that is refused, as far as it can be read."""
    return head[:MAX_TARGET].partition(b" ")[2].partition(b" ")[0].decode("latin-1")


def _late() -> GatewayError:
    return GatewayError(408, "request_timeout", "The request took too long to arrive.")
