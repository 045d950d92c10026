"""Counting the tokens of a Messages request, without asking anybody.

The number is exact for models whose vocabulary infway has, and an estimate for the others, Claude
among them: no upstream is asked, so that it works offline and uses up nobody's rate limit.
"""

import asyncio
from collections.abc import Callable

from infway.accounts.keys import Keyring
from infway.api.anthropic.message import ID_HEADERS
from infway.api.anthropic.reading import read_counted
from infway.api.anthropic.refusals import refusal_body
from infway.api.auth import know
from infway.api.bulk import read_beside
from infway.api.errors import Header
from infway.api.exchange import Exchange
from infway.api.line import Rules
from infway.api.reading import missing
from infway.kernel.chat import Feature
from infway.kernel.errors import GatewayError
from infway.pipeline.gateway import Gateway
from infway.providers.counting import count_chat, is_ready
from infway.providers.shapes import write

_LONG = 50_000  # bytes of a request from which it is counted beside the other work


class CountTokensEndpoint:
    """Answers how many tokens a Messages request has. `keyring` and `rules` are swapped.

    `traces`: the headers of every reply, from when the request was received.
    """

    def __init__(
        self,
        gateway: Gateway,
        keyring: Keyring,
        rules: Rules,
        traces: Callable[[float], list[Header]],
    ) -> None:
        self.gateway = gateway
        self.keyring = keyring
        self.rules = rules
        self._traces = traces

    async def answer(self, exchange: Exchange, path_model: str | None) -> None:  # noqa: ARG002 - no path of this dialect names a model
        """Answer one exchange; raises GatewayError where the edge has to."""
        exchange.id_headers = ID_HEADERS
        exchange.check_size(self.rules.body_limit)
        who, _ = know(self.keyring, exchange.headers)
        body = await exchange.read_json(self.rules.body_limit)
        ask = await read_beside(body, lambda: read_counted(body, exchange.request_id))
        if self.rules.require_model and ask.selection.model is None and not ask.selection.llms:
            raise missing("model")
        # whatever the request needs, and however long it is, it may be counted
        plain = ask._replace(features=Feature(0), input_tokens=0, native=None)
        now = self.gateway.clock.monotonic()
        model = self.gateway.router.decide(plain, who, now).order[0].model
        if is_ready(model) and len(body) < _LONG:
            count = count_chat(ask, model)
        else:
            count = await asyncio.to_thread(count_chat, ask, model)
        head = [*self._traces(exchange.began), (b"content-type", b"application/json")]
        head.append((b"cache-control", b"private, no-store"))
        await exchange.reply(200, head, write({"input_tokens": count.tokens}))

    def refusal(self, error: GatewayError) -> bytes:
        """Return the body of an error."""
        return refusal_body(error)
