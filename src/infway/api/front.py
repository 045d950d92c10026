"""The ASGI app that stands in front: hot routes by a table, everything else to FastAPI.

The web framework's own layers cost more than the whole line; here a request meets none of them.
Every failure of a hot route ends in the error body of its dialect, our own bugs included.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from infway.api.errors import Header, error_body, error_headers, own_fault
from infway.api.exchange import ClientLeftError, Exchange, Message, Receive, Scope, Send
from infway.api.guesses import Client, Guesses
from infway.api.intake import Intake, goes_on
from infway.api.repeats import Repeats
from infway.api.routes import Connectable, Desk, Endpoint, Routes
from infway.api.worded import words_of
from infway.kernel.clock import Clock
from infway.kernel.errors import CallerError, GatewayError, stopped_by
from infway.kernel.ids import Ids
from infway.telemetry.metrics import Metrics

_log = logging.getLogger(__name__)

Answer = Callable[[Exchange, str | None], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Refusal = Callable[[GatewayError], bytes]
Begin = Callable[[Scope, Receive, Send, str, float], Exchange]


class Front:
    """Serves the hot routes and hands on the rest, with a request id on every reply.

    `intake`: the open requests, and whether more are let in. `repeats`: what knows those that are
    delivered twice; None: nothing does. `begin`: how an exchange begins. `guesses`: wrong keys.
    """

    def __init__(
        self,
        routes: Routes,
        traces: Callable[[float], list[Header]],
        rest: App,
        ids: Ids,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._routes = routes
        self._traces = traces
        self._rest = rest
        self._ids = ids
        self._clock = clock
        self._metrics = metrics
        self.intake = Intake()
        self.repeats: Repeats | None = None
        self.begin: Begin = Exchange
        self.guesses = Guesses(clock.monotonic)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http":
            serve = self._connect if scope["type"] == "websocket" else self._rest
            await serve(scope, receive, send)
            return
        endpoint, model = self._routes.find(scope["path"])
        request_id = self._ids.next()
        began = self._clock.monotonic()
        if endpoint is None:
            scope.setdefault("state", {})["request_id"] = request_id
            await self._rest(scope, receive, self._traced(scope, send, request_id, began))
            return
        exchange = self.begin(scope, receive, send, request_id, began)
        exchange.id_headers = endpoint.id_headers
        intake, task = self.intake, asyncio.current_task()
        try:
            if intake.shut is not None or len(intake.open) >= intake.most:
                raise intake.refusal()
            intake.open[task] = exchange
            if scope["method"] != "POST":
                raise CallerError(405, "method_not_allowed", "This endpoint takes POST.")
            answer = (exchange.once and self._repeated(endpoint)) or endpoint.answer
            await answer(exchange, model)
        except (Exception, asyncio.CancelledError) as error:
            if not await self._answered(exchange, endpoint.refusal, error):
                raise
        finally:
            if exchange.visit is not None:
                exchange.visit.leave()
            intake.open.pop(task, None)

    def _repeated(self, endpoint: Endpoint) -> Answer | None:
        """Return what answers requests that may be delivered twice; None where nothing is kept."""
        if self.repeats is None or not self.repeats.remembered.memory.keep:
            return None
        return partial(self.repeats.answer, endpoint)

    async def _answered(self, exchange: Exchange, refusal: Refusal, ended: BaseException) -> bool:
        """Answer for what ended a request, where nothing was answered yet; False: it goes on."""
        error: GatewayError | None = None
        if isinstance(ended, asyncio.CancelledError):
            error = stopped_by(ended)
            if not goes_on(ended):
                return False
        elif isinstance(ended, GatewayError):
            error = ended
        elif isinstance(ended, ClientLeftError):
            _log.debug("the client of %s left before its request was whole", exchange.request_id)
        else:
            _log.error("request %s failed inside infway", exchange.request_id, exc_info=ended)
            error = own_fault()
        if error is not None and not exchange.started:
            if exchange.visit is not None:
                error = await exchange.visit.instead_of(error)
            await self._refuse(exchange, refusal, error)
        return True

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a WebSocket, or refuse its handshake as a request is refused."""
        endpoint, _ = self._routes.find(scope["path"])
        exchange = self._exchange(scope, receive, _in_handshake(send))

        def turn(opened: Exchange) -> Exchange:
            return self._exchange(scope, opened.receive, opened.send)

        intake, task = self.intake, asyncio.current_task()
        try:
            if not isinstance(endpoint, Connectable):
                raise CallerError(404, "endpoint_not_found", "No WebSocket is served at this path.")
            if intake.shut is not None or len(intake.open) >= intake.most:
                raise intake.refusal()
            intake.open[task] = exchange
            await endpoint.connect(exchange, Desk(turn, self._metrics.refused))
        except (Exception, asyncio.CancelledError) as error:
            refusal = endpoint.refusal if endpoint else error_body
            if not await self._answered(exchange, refusal, error):
                raise
        finally:
            intake.open.pop(task, None)

    def _exchange(self, scope: Scope, receive: Receive, send: Send) -> Exchange:
        return Exchange(scope, receive, send, self._ids.next(), self._clock.monotonic())

    async def _refuse(self, exchange: Exchange, refusal: Refusal, error: GatewayError) -> None:
        """Send the error in the caller's dialect."""
        error = self.told(error, exchange.client)
        error.request_id = exchange.request_id
        headers = [*error_headers(error), *self._traces(exchange.began)]
        if error.status == 405:
            headers.append((b"allow", b"POST"))
        if exchange.visit is None and isinstance(error, CallerError):  # whose key nobody looked at
            headers += await self._standing(exchange.path, exchange.query, exchange.headers)
        await exchange.reply(error.status, headers, refusal(error))

    def told(self, error: GatewayError, client: Client) -> GatewayError:
        """Count an error, and return what this client is told of it."""
        error = self.guesses.instead_of(error, client)
        self._metrics.refused(error.code)
        return error

    def turn_away(self, error: GatewayError, path: str) -> tuple[list[Header], bytes]:
        """Return headers and body for what is refused before it is a request, in its dialect."""
        self._metrics.refused(error.code)
        error.request_id = self._ids.next()
        words, named = words_of(path), error.request_id.encode()
        ids = [(name, named) for name in (b"x-request-id", *words.id_headers)]
        return [*error_headers(error), *ids], words.refusal(error)

    async def _standing(self, path: str, query: bytes, asked: Sequence[Header]) -> list[Header]:
        """Return where the limits of a key stand, nothing for one that is unknown."""
        standing = self._routes.standing
        return [] if standing is None else await standing(path, query, asked)

    def _traced(self, scope: Scope, send: Send, request_id: str, began: float) -> Send:
        path, query, asked = scope["path"], scope.get("query_string", b""), scope["headers"]

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                traces = [(b"x-request-id", request_id.encode()), *self._traces(began)]
                said = message.get("headers", ())
                traces += await self._standing(path, query, asked)
                if not any(name == b"cache-control" for name, _ in said):
                    traces.append((b"cache-control", b"private, no-store"))
                message = {**message, "headers": [*said, *traces]}
            await send(message)

        return stamped


def _in_handshake(send: Send) -> Send:
    """Return what sends a reply of HTTP in the place of an opened WebSocket, and the rest as it is."""

    async def sent(message: Message) -> None:
        if message["type"].startswith("http."):
            message = {**message, "type": f"websocket.{message['type']}"}
        await send(message)

    return sent
