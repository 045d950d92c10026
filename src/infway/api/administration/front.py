"""The ASGI app in front of the admin API: who asks, before anything else; then the body's bounds."""

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple

import msgspec

from infway.accounts.capabilities import Actor
from infway.accounts.gatehouse import Gatehouse
from infway.api.administration.failures import Failures
from infway.api.auth import presented_key
from infway.api.errors import Header, error_body, error_headers, own_fault
from infway.api.exchange import ClientLeftError, Exchange, Message, Receive, Scope, Send
from infway.api.gate import check_shape, read_members
from infway.api.unreadable import not_json
from infway.kernel.clock import Clock
from infway.kernel.errors import CallerError, GatewayError, UnavailableError
from infway.kernel.ids import Ids

_log = logging.getLogger(__name__)
LARGEST = 65_536  # bytes of a body
_WITH_BODY = frozenset({"POST", "PATCH", "PUT", "DELETE"})

App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Desk(NamedTuple):
    """What stands behind the front. `refused` is told the code of every error."""

    gatehouse: Gatehouse
    ids: Ids
    clock: Clock
    refused: Callable[[str], None]


class AdminFront:
    """Lets administrators in, and nobody else."""

    def __init__(self, rest: App, desk: Desk) -> None:
        self._rest = rest
        self._desk = desk
        self._failures = Failures(desk.clock.monotonic)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "lifespan":
            await self._rest(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        request_id = self._desk.ids.next()
        exchange = Exchange(scope, receive, send, request_id, self._desk.clock.monotonic())
        try:
            self._let_in(scope, exchange)
            known = {"request_id": request_id, "actor": partial(self._actor, exchange)}
            scope["state"] = {**scope.get("state", {}), **known}
            if scope["method"] in _WITH_BODY:
                exchange.check_size(LARGEST)
                receive = _again(_checked(await exchange.read_json(LARGEST)), receive)
            await self._rest(scope, receive, _stamped(send, exchange))
        except GatewayError as error:
            await self._refuse(exchange, error)
        except ClientLeftError:
            _log.debug("an administrator left before the request was whole")
        except Exception:  # noqa: BLE001 - our own bugs end in an error body as well
            _log.exception("request %s failed inside infway", request_id)
            await self._refuse(exchange, own_fault())

    def turn_away(self, error: GatewayError, _: str) -> tuple[list[Header], bytes]:
        """Return headers and body for what is refused before it is a request."""
        self._desk.refused(error.code)
        return [*error_headers(error), (b"x-request-id", self._desk.ids.next().encode())], (
            error_body(error)
        )

    def _let_in(self, scope: Scope, exchange: Exchange) -> None:
        """Raise GatewayError unless an administrator asks; who guesses has to wait."""
        client = scope.get("client")
        address = str(client[0]) if client else ""
        self._failures.check(address)
        _, presented = presented_key(exchange.headers)
        if self._desk.gatehouse.admin(presented) is None:
            self._failures.add(address)
        self._actor(exchange)

    def _actor(self, exchange: Exchange) -> Actor:
        """Return which administrator asks; one error for all keys that are none.

        It is asked for again when something is done: a body may come slowly, and keys end.
        """
        _, presented = presented_key(exchange.headers)
        gatehouse = self._desk.gatehouse
        actor = gatehouse.admin(presented)
        if actor is not None:
            return actor
        if gatehouse.is_unsure():
            message = "Keys cannot be looked up now."
            raise UnavailableError(503, "accounting_unavailable", message, retry_after=1)
        raise CallerError(401, "invalid_api_key", "The API key is not valid.")

    async def _refuse(self, exchange: Exchange, error: GatewayError) -> None:
        self._desk.refused(error.code)
        if not exchange.started:
            await exchange.reply(error.status, error_headers(error), error_body(error))


def _checked(body: bytes) -> bytes:
    """Return a body that is an object, or empty; raises CallerError."""
    if body:
        check_shape(body)
        try:
            read_members(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if body.strip() and not isinstance(error, msgspec.ValidationError):
                raise not_json(body, error) from error
            message = "The body must be a JSON object."
            raise CallerError(400, "invalid_request_body", message) from error
    return body


def _again(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read already, and then what still comes."""
    left = [body]

    async def received() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return received


def _stamped(send: Send, exchange: Exchange) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            exchange.started = True
            told: list[Header] = [(b"x-request-id", exchange.request_id.encode())]
            if not any(name == b"cache-control" for name, _ in message.get("headers", ())):
                told.append((b"cache-control", b"private, no-store"))
            message = {**message, "headers": [*message.get("headers", ()), *told]}
        await send(message)

    return sent
