"""`embedContent` and `batchEmbedContents`: one vector, or one for each request of a batch.

https://ai.google.dev/api/embeddings
"""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from infway.accounts.keys import Keyring
from infway.api.bulk import read_beside
from infway.api.embeddings import EmbeddingsEndpoint
from infway.api.embeddings_reading import read_embeddings
from infway.api.errors import Header
from infway.api.exchange import Exchange
from infway.api.gemini.body import BatchEmbedBody, EmbedBody, EmbedConfig
from infway.api.gemini.errors import refusal_of
from infway.api.gemini.paths import model_of
from infway.api.gemini.reading import sent_object, typed
from infway.api.line import Rules
from infway.api.presence import Presence
from infway.api.reading import missing
from infway.api.stamp import bill_fields
from infway.kernel.chat import ChatRequest
from infway.kernel.errors import CallerError, GatewayError
from infway.pipeline.embedding import EmbeddingAnswer, EmbeddingGateway
from infway.providers.shapes import write

_OPTIONS: Mapping[str, str] = {
    "task_type": "task_type",
    "title": "title",
    "output_dimensionality": "dimensions",
}
_write = msgspec.json.Encoder().encode


class EmbedEndpoint(EmbeddingsEndpoint):
    """Answers requests for vectors. `batch`: several at once."""

    def __init__(
        self,
        gateway: EmbeddingGateway,
        keyring: Keyring,
        rules: Rules,
        traces: Callable[[float], list[Header]],
        *,
        batch: bool,
    ) -> None:
        super().__init__(gateway, keyring, rules, traces)
        self._is_batch = batch

    async def answer(self, exchange: Exchange, path_model: str | None) -> None:
        """Answer one exchange; raises GatewayError where the edge has to."""
        who, body = await self.received(exchange, exchange.query)
        model = model_of(path_model)
        ask, tells_cost = await read_beside(
            body, lambda: self._read(body, exchange.request_id, model)
        )
        if exchange.visit is not None:
            await exchange.visit.enter(ask)
        self._check(ask)
        answer: EmbeddingAnswer | None = None
        with Presence(exchange):
            answer = await self.gateway.embed(ask, who)
        if answer is not None:
            reply = self._body(answer, tells_cost=tells_cost)
            await exchange.reply(200, self._head(exchange, answer), reply)

    def refusal(self, error: GatewayError) -> bytes:
        """Return the body of an error in Google's shape."""
        return refusal_of(error)

    def _read(self, body: bytes, request_id: str, model: str | None) -> tuple[ChatRequest, bool]:
        """Return the request, and whether its cost is told; raises CallerError with the field."""
        said = sent_object(body)
        if self._is_batch:
            batch = typed(said, BatchEmbedBody)
            requests = batch.requests or []
            if not requests:
                raise missing("requests")
            texts = [_text(one, f"requests[{at}].") for at, one in enumerate(requests)]
            options = _options(requests)
        else:
            one = typed(said, EmbedBody)
            texts, options = [_text(one, "")], _options([one])
        own = {name: said[name] for name in ("provider", "usage") if said.get(name) is not None}
        try:
            return read_embeddings(write({"input": texts, **options, **own}), request_id, model)
        except CallerError as error:
            if error.param == "input":
                error.param = "requests"
            raise

    def _body(self, answer: EmbeddingAnswer, *, tells_cost: bool) -> bytes:
        vectors = [{"values": msgspec.Raw(item)} for item in answer.items]
        tokens = answer.prompt_tokens
        fields: dict[str, object] = (
            {"embeddings": vectors} if self._is_batch else {"embedding": vectors[0]}
        )
        fields["usageMetadata"] = {"promptTokenCount": tokens, "totalTokenCount": tokens}
        return _write(fields | (bill_fields(answer.settlement.bill()) if tells_cost else {}))


def _text(said: EmbedBody, path: str) -> str:
    """Return the text of a content, its parts joined; raises CallerError where there is none."""
    parts = (said.content.parts or ()) if said.content is not None else ()
    if not parts:
        raise missing(f"{path}content")
    for place, part in enumerate(parts):
        if part.text is None:
            where = f"{path}content.parts[{place}]"
            raise CallerError(400, "invalid_field", f"{where}: only texts are embedded.", where)
    return "".join(part.text or "" for part in parts)


def _options(requests: Sequence[EmbedBody]) -> dict[str, object]:
    """Return what all requests want of their vectors; raises CallerError where they differ."""
    wanted = [_wanted(one) for one in requests]
    odd = next((at for at, one in enumerate(wanted) if one != wanted[0]), None)
    if odd is not None:
        message = f"requests[{odd}]: must want the same kind of vector as requests[0]."
        raise CallerError(400, "invalid_field", message, f"requests[{odd}]")
    return wanted[0]


def _wanted(said: EmbedBody) -> dict[str, object]:
    config = said.embed_content_config or EmbedConfig()
    found = {
        name: value if (value := getattr(said, field)) is not None else getattr(config, field)
        for field, name in _OPTIONS.items()
    }
    return {name: value for name, value in found.items() if value is not None}
