"""The two parsers of uvicorn behind the door.

httptools is the default: with the door before it the two answer every case of the tests alike,
and it takes a fifth of the time for a head, in C.
"""

from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from infway.door.doorway import Doorway
from infway.door.whole import write_whole
from infway.kernel.outlet import WHOLE

_EXTENSIONS: Any = {WHOLE: write_whole}  # one for all requests


class HttpToolsDoor(Doorway, HttpToolsProtocol):  # type: ignore[misc]  # asyncio reads what uvicorn leaves out: whether the end of one side is the end
    """The door before httptools."""

    def on_headers_complete(self) -> None:
        """Let whoever answers write a whole reply at once."""
        self.scope["extensions"] = _EXTENSIONS
        super().on_headers_complete()

    def handle_websocket_upgrade(self) -> None:
        """Let a WebSocket take over."""
        super().handle_websocket_upgrade()
        self.hand_over()


class H11Door(Doorway, H11Protocol):  # type: ignore[misc]  # as above
    """The door before h11."""

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Let a WebSocket take over."""
        super().handle_websocket_upgrade(event)
        self.hand_over()

    def on_response_complete(self) -> None:
        """Let h11 begin its next message; the time until then is the door's."""
        H11Protocol.on_response_complete(self)
        self._unset_keepalive_if_required()
        Doorway.on_response_complete(self)


PROTOCOLS = {"httptools": HttpToolsDoor, "h11": H11Door}
