"""WebSockets under uvicorn, which get the time to end what they are at when the gateway stops."""

from collections.abc import Callable

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class _Open:
    """What is under way on a connection as long as it is open."""

    response_complete = False


def _nothing() -> None:
    """What is done at the end of a connection where nobody wants more."""


class DrainingSocket(WebSocketsSansIOProtocol):
    """One connection. uvicorn would cut it at a stop, in the middle of an answer.

    `at_end` is called once it is closed.
    """

    cycle = _Open()
    at_end: Callable[[], None] = staticmethod(_nothing)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell that it is closed."""
        super().connection_lost(exc)
        self.at_end()

    async def send(self, message: ASGISendEvent) -> None:
        """Send a message; a handshake that was refused is over, and no fault of the app."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True

    def shutdown(self) -> None:
        """Tell who serves the connection to close it once its answer is whole."""
        if not self.handshake_complete or self.close_sent:
            super().shutdown()
            return
        self.stop_keepalive()
        # what uvicorn queues are ASGI's own messages; this one is read by api/responses/connection.py
        self.queue.put_nowait({"type": "websocket.drain"})  # type: ignore[misc, arg-type]  # pyright: ignore[reportArgumentType]  # no message of ASGI
