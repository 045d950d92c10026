"""The two parsers of uvicorn behind the door.

httptools is the default: with the door before it the two answer every case of the tests alike,
and it takes a fifth of the time for a head, in C.
"""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from infway.door.doorway import Doorway
from infway.door.hall import DoorConfig
from infway.door.head import malformed


class HttpToolsDoor(Doorway, HttpToolsProtocol):  # type: ignore[misc]  # asyncio reads what uvicorn leaves out: whether the end of one side is the end
    """The door before httptools."""

    def __init__(
        self,
        config: DoorConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        HttpToolsProtocol.__init__(self, config, server_state, app_state, _loop)
        self.begin(config.limits, config.hall)

    def handle_websocket_upgrade(self) -> None:
        """Let a WebSocket take over."""
        super().handle_websocket_upgrade()
        self.hand_over()

    def send_400_response(self, msg: str) -> None:
        """Refuse in the words of all refusals."""
        self.refuse(malformed(msg))


class H11Door(Doorway, H11Protocol):  # type: ignore[misc]  # as above
    """The door before h11."""

    def __init__(
        self,
        config: DoorConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        H11Protocol.__init__(self, config, server_state, app_state, _loop)
        self.begin(config.limits, config.hall)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Let a WebSocket take over."""
        super().handle_websocket_upgrade(event)
        self.hand_over()

    def on_response_complete(self) -> None:
        """Let h11 begin its next message; the time until then is the door's."""
        H11Protocol.on_response_complete(self)
        self._unset_keepalive_if_required()
        Doorway.on_response_complete(self)

    def send_400_response(self, msg: str) -> None:
        """Refuse in the words of all refusals."""
        self.refuse(malformed(msg))


PROTOCOLS = {"httptools": HttpToolsDoor, "h11": H11Door}
