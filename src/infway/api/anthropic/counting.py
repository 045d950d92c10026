"""Counting the tokens of a Messages request, without asking anybody.

The number is exact for models whose vocabulary infway has, and an estimate for the others, Claude
among them: no upstream is asked, so that it works offline and uses up nobody's rate limit.
"""

from infway.api.anthropic.message import ID_HEADERS
from infway.api.anthropic.reading import read_counted
from infway.api.anthropic.refusals import refusal_body
from infway.api.bulk import read_beside
from infway.api.counted import answering, counted
from infway.api.exchange import Exchange
from infway.api.reading import missing
from infway.api.served import ServedEndpoint
from infway.kernel.errors import GatewayError
from infway.pipeline.gateway import Gateway
from infway.providers.counting import count_chat
from infway.providers.shapes import write


class CountTokensEndpoint(ServedEndpoint[Gateway]):
    """Answers how many tokens a Messages request has."""

    id_headers = ID_HEADERS

    async def answer(self, exchange: Exchange, path_model: str | None) -> None:  # noqa: ARG002 - no path of this dialect names a model
        """Answer one exchange; raises GatewayError where the edge has to."""
        who, body = await self.received(exchange)
        ask = await read_beside(body, lambda: read_counted(body, exchange.request_id))
        if exchange.visit is not None:
            await exchange.visit.enter(None)
        if self.rules.require_model and ask.selection.model is None and not ask.selection.llms:
            raise missing("model")
        model = answering(self.gateway, ask, who)
        count = await counted(lambda weigh: count_chat(ask, model, weigh))
        await self.tell(exchange, write({"input_tokens": count.tokens}))

    def refusal(self, error: GatewayError) -> bytes:
        """Return the body of an error."""
        return refusal_body(error)
