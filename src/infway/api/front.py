"""The ASGI app that stands in front: hot routes by an exact table, everything else to FastAPI.

The web framework's own layers cost more than the whole line; here a request meets none of them.
Every failure of a hot route ends in the one error body, our own bugs included.
"""

import logging
from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from typing import Protocol

from infway.api.chat import ChatEndpoint
from infway.api.embeddings import EmbeddingsEndpoint
from infway.api.errors import error_body, error_headers, own_fault
from infway.api.exchange import ClientLeftError, Exchange, Message, Receive, Scope, Send
from infway.kernel.clock import Clock
from infway.kernel.errors import CallerError, GatewayError
from infway.kernel.ids import Ids
from infway.telemetry.metrics import Metrics

_log = logging.getLogger(__name__)

CHAT_PATHS = frozenset({"/v1/chat/completions", "/chat/completions", "/api/v1/chat/completions"})
EMBEDDING_PATHS = frozenset({"/v1/embeddings", "/embeddings", "/api/v1/embeddings"})
# Paths that name the model: the path beats the body.
MODEL_PATHS = ("/openai/deployments/", "/engines/", "/v1/engines/")
CHAT_TAIL = "/chat/completions"
EMBEDDING_TAIL = "/embeddings"

App = Callable[[Scope, Receive, Send], Awaitable[None]]


class _Endpoint(Protocol):
    async def answer(self, exchange: Exchange, path_model: str | None) -> None: ...


def hot_route(path: str, paths: AbstractSet[str], tail: str) -> tuple[bool, str | None]:
    """Tell whether a path is one of `paths` or ends with `tail`, and the model it names."""
    if path in paths:
        return True, None
    if path.endswith(tail):
        for start in MODEL_PATHS:
            model = path[len(start) : -len(tail)]
            if path.startswith(start) and model:
                return True, model
    return False, None


class Front:
    """Serves the hot routes and hands on the rest, with a request id on every reply."""

    def __init__(
        self,
        chat: ChatEndpoint,
        embeddings: EmbeddingsEndpoint,
        rest: App,
        ids: Ids,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._chat = chat
        self._embeddings = embeddings
        self._rest = rest
        self._ids = ids
        self._clock = clock
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http":
            await self._rest(scope, receive, send)
            return
        endpoint: _Endpoint = self._chat
        found, model = hot_route(scope["path"], CHAT_PATHS, CHAT_TAIL)
        if not found:
            endpoint = self._embeddings
            found, model = hot_route(scope["path"], EMBEDDING_PATHS, EMBEDDING_TAIL)
        request_id = self._ids.next()
        began = self._clock.monotonic()
        if not found:
            await self._rest(scope, receive, self._traced(send, request_id, began))
            return
        exchange = Exchange(scope, receive, send, request_id, began)
        try:
            if scope["method"] != "POST":
                raise CallerError(405, "method_not_allowed", "This endpoint takes POST.")
            await endpoint.answer(exchange, model)
        except GatewayError as error:
            await self._refuse(exchange, error)
        except ClientLeftError:
            _log.debug("the client of %s left before its request was whole", request_id)
        except Exception:  # noqa: BLE001 - the last border: our own bugs leave as the one error body
            _log.exception("request %s failed inside infway", request_id)
            await self._apologise(exchange)

    async def _apologise(self, exchange: Exchange) -> None:
        """Answer for a bug of ours, where nothing was answered yet."""
        if not exchange.started:
            await self._refuse(exchange, own_fault())

    async def _refuse(self, exchange: Exchange, error: GatewayError) -> None:
        """Send the one error body."""
        self._metrics.refused(error.code)
        headers = [*error_headers(error), *self._chat.traces(exchange.began)]
        if error.status == 405:
            headers.append((b"allow", b"POST"))
        await exchange.reply(error.status, headers, error_body(error))

    def _traced(self, send: Send, request_id: str, began: float) -> Send:
        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                traces = [(b"x-request-id", request_id.encode()), *self._chat.traces(began)]
                message = {**message, "headers": [*message.get("headers", ()), *traces]}
            await send(message)

        return stamped
