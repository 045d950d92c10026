"""Embeddings of Amazon Bedrock by InvokeModel: each maker has a body of its own.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html,
https://docs.aws.amazon.com/nova/latest/userguide/embeddings-schema.html and
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html
"""

from collections.abc import Mapping

import msgspec

from infway.kernel.chat import ChatRequest, HttpCall, Offer
from infway.kernel.events import Vectors
from infway.kernel.faults import Failure
from infway.providers.bedrock.faults import fault_of
from infway.providers.embeddings.cohere_shape import TAKES, body_of, read_vectors
from infway.providers.embeddings.inputs import call_of, carried, purpose_of, texts_of
from infway.providers.embeddings.vectors import read_as, usage_of, vectors_of

_NOVA_WORDS: Mapping[str, str] = {
    "query": "TEXT_RETRIEVAL",
    "document": "GENERIC_INDEX",
    "classification": "CLASSIFICATION",
    "clustering": "CLUSTERING",
}
_NOVA_USUAL = "GENERIC_INDEX"
_NULL = msgspec.Raw(b"null")
_COUNTED = "x-amzn-bedrock-input-token-count"  # a header of every reply


class _Titan(msgspec.Struct, rename="camel"):
    embedding: msgspec.Raw = _NULL
    input_text_token_count: object = None


class _One(msgspec.Struct):
    embedding: msgspec.Raw


class _Nova(msgspec.Struct):
    embeddings: list[_One] | None = None


_TITAN = msgspec.json.Decoder(_Titan)
_NOVA = msgspec.json.Decoder(_Nova)


class _Bedrock:
    """What the errors of all models have in common."""

    def limits(self, headers: Mapping[str, str]) -> None:
        """Know no limits: Bedrock tells of them only when they are reached."""

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        """Name an error reply by the exception's name."""
        return fault_of(status, headers, body)


class TitanEmbeddings(_Bedrock):
    """The embedder of Titan's text models: one text a call."""

    takes = frozenset({"dimensions", "normalize"})

    def request(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the call for the first text; there are never several."""
        fields, dropped = carried(ask, offer, self.takes)
        return call_of(offer, {"inputText": texts_of(ask)[0], **fields}, dropped)

    def whole(self, body: bytes, headers: Mapping[str, str]) -> Vectors:
        """Return the one vector."""
        reply = read_as(_TITAN, body)
        return vectors_of(
            [reply.embedding], usage_of(reply.input_text_token_count, headers.get(_COUNTED))
        )


class NovaEmbeddings(_Bedrock):
    """The embedder of Nova's model: one text a call."""

    takes = frozenset({"dimensions", "input_type", "task_type", "truncate"})

    def request(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the call for the first text; a text too long is cut at its end, as elsewhere."""
        fields, dropped = carried(ask, offer, self.takes)
        purpose = purpose_of(fields, _NOVA_WORDS) or _NOVA_USUAL
        missed = [*dropped, *(fields.keys() & {"input_type", "task_type"})]
        text = {"truncationMode": fields.get("truncate", "END"), "value": texts_of(ask)[0]}
        said: dict[str, object] = {"embeddingPurpose": purpose, "text": text}
        if "dimensions" in fields:
            said["embeddingDimension"] = fields["dimensions"]
        body = {"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": said}
        return call_of(offer, body, missed)

    def whole(self, body: bytes, headers: Mapping[str, str]) -> Vectors:
        """Return the one vector; only a header tells the tokens."""
        found = read_as(_NOVA, body).embeddings or []
        return vectors_of([one.embedding for one in found], usage_of(headers.get(_COUNTED)))


class BedrockCohereEmbeddings(_Bedrock):
    """The embedder of Cohere's models."""

    takes = TAKES

    def request(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the call: the model stands in its address alone."""
        body, missed = body_of(ask, offer)
        return call_of(offer, body, missed)

    def whole(self, body: bytes, headers: Mapping[str, str]) -> Vectors:
        """Return the vectors; only a header tells the tokens."""
        return read_vectors(body, headers.get(_COUNTED))
