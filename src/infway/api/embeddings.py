"""Embeddings: texts in, one JSON body with a vector for each out."""

import msgspec

from infway.api.embeddings_reading import read_embeddings
from infway.api.errors import Header
from infway.api.exchange import Exchange
from infway.api.line import listed
from infway.api.presence import Presence
from infway.api.served import ServedEndpoint
from infway.api.stamp import bill_fields
from infway.kernel.chat import ChatRequest, Feature
from infway.kernel.errors import CallerError
from infway.pipeline.embedding import EmbeddingAnswer, EmbeddingGateway
from infway.pipeline.tried import trail

_write = msgspec.json.Encoder().encode


class EmbeddingsEndpoint(ServedEndpoint[EmbeddingGateway]):
    """Answers requests for embeddings."""

    async def answer(self, exchange: Exchange, path_model: str | None) -> None:
        """Answer one exchange; raises GatewayError where the edge has to."""
        who, body = await self.received(exchange)
        ask, tells_cost = read_embeddings(body, exchange.request_id, path_model)
        if exchange.visit is not None:
            await exchange.visit.enter(ask)
        self._check(ask)
        answer: EmbeddingAnswer | None = None
        with Presence(exchange):
            answer = await self.gateway.embed(ask, who)
        if answer is not None:
            reply = _body(answer, tells_cost=tells_cost)
            await exchange.reply(200, self._head(exchange, answer), reply)

    def _check(self, ask: ChatRequest) -> None:
        """Raise CallerError where the model is none, several, or cannot read the input."""
        name = ask.selection.model
        meaning = self.gateway.router.catalog.resolve(name)
        if meaning.policy is not None:
            message = f"model: `{name}` stands for several, and their vectors cannot be compared."
            raise CallerError(400, "invalid_field", message, "model")
        reads_ids = any(Feature.TOKEN_IDS in offer.features for offer in meaning.offers)
        if Feature.TOKEN_IDS in ask.features and not reads_ids:
            message = f"input: no upstream of `{name}` reads token ids; send texts."
            raise CallerError(400, "invalid_field", message, "input")

    def _head(self, exchange: Exchange, answer: EmbeddingAnswer) -> list[Header]:
        headers = self.traces(exchange.began)
        headers += [
            (b"x-gateway-provider", answer.parts[0].attempt.offer.upstream.name.encode()),
            (b"x-gateway-attempts", trail(answer.settlement.attempts).encode()),
            (b"content-type", b"application/json"),
            (b"cache-control", b"private, no-store"),
            (b"infe-unit-cost", answer.settlement.credits.encode()),
        ]
        if answer.dropped:
            headers.append((b"x-gateway-dropped", listed(answer.dropped)))
        return headers


def _body(answer: EmbeddingAnswer, *, tells_cost: bool) -> bytes:
    coded = answer.parts[0].vectors.coded
    written = (b'"%b"' % item if coded else item for item in answer.items)
    tokens = answer.prompt_tokens
    fields: dict[str, object] = {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": msgspec.Raw(item)}
            for index, item in enumerate(written)
        ],
        "model": answer.parts[0].attempt.offer.model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }
    return _write(fields | (bill_fields(answer.settlement.bill()) if tells_cost else {}))
