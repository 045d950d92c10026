"""A WebSocket whose handshake fails inside infway."""

import json
from typing import Any

import pytest
import websockets
from tests.api.serving import served

from infway.api.errors import error_body
from infway.api.exchange import ID_HEADERS
from infway.api.front import Front
from infway.api.routes import Routes, family
from infway.kernel.clock import system_clock
from infway.kernel.errors import GatewayError
from infway.kernel.ids import Ids
from infway.telemetry.metrics import Metrics


class _FaultyLine:
    """An endpoint with a bug in it, of our own making."""

    id_headers = ID_HEADERS

    async def connect(self, *_: object) -> None:
        raise ZeroDivisionError("a secret detail")

    def refusal(self, error: GatewayError) -> bytes:
        return error_body(error)


async def test_our_own_bug_in_a_handshake_leaves_as_the_one_error_body() -> None:
    async def rest(_scope: Any, receive: Any, send: Any) -> None:
        for event in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{event}.complete"})

    faulty: Any = _FaultyLine()
    routes = Routes([(family("/v1/responses"), faulty)])
    front = Front(routes, lambda _: [], rest, Ids(7), system_clock(), Metrics())
    async with served(front) as port:
        with pytest.raises(websockets.InvalidStatus) as refused:
            await websockets.connect(f"ws://127.0.0.1:{port}/v1/responses")
    reply = refused.value.response
    assert reply.status_code == 500
    assert json.loads(reply.body)["error"]["code"] == "internal_server_error"
    assert b"secret" not in reply.body
    assert not front.intake.open
