"""How many tokens of input a response would have, without making it and without asking anybody."""

from typing import Literal

import msgspec

from infway.api.bulk import read_beside
from infway.api.counted import answering, counted
from infway.api.exchange import Exchange
from infway.api.reading import missing
from infway.api.responses.asking import read_ask
from infway.api.responses.endpoint import ResponsesEndpoint
from infway.providers.counting import count_chat

_write = msgspec.json.Encoder().encode


class InputTokensReply(msgspec.Struct):
    """The count: exact for models whose vocabulary infway has, an estimate for the others."""

    object: Literal["response.input_tokens"]
    input_tokens: int


class InputTokensEndpoint(ResponsesEndpoint):
    """Answers how many tokens a request has, those of the turns before it among them."""

    async def answer(
        self,
        exchange: Exchange,
        path_model: str | None,  # noqa: ARG002 - no path of this dialect names a model
    ) -> None:
        """Answer one exchange; raises GatewayError where the edge has to."""
        who, body, draft, told = await self._received(exchange, may_be_bare=True)
        items, earlier, id_ = told.items, told.earlier, exchange.request_id
        ask = await read_beside(body, lambda: read_ask(draft, items, earlier, id_))
        if exchange.visit is not None:
            await exchange.visit.enter(None)
        if self.rules.require_model and ask.selection.model is None and not ask.selection.llms:
            raise missing("model")
        model = answering(self.gateway, ask, who)
        count = await counted(lambda weigh: count_chat(ask, model, weigh))
        head = [*self.traces(exchange.began), (b"content-type", b"application/json")]
        head.append((b"cache-control", b"private, no-store"))
        reply = InputTokensReply("response.input_tokens", count.tokens)
        await exchange.reply(200, head, _write(reply))
