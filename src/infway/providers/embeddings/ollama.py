"""Embeddings in Ollama's own dialect.

https://github.com/ollama/ollama/blob/main/docs/api.md
"""

from collections.abc import Mapping

import msgspec

from infway.kernel.chat import ChatRequest, HttpCall, Offer
from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Vectors
from infway.kernel.faults import Failure
from infway.providers.embeddings.inputs import call_of, carried, texts_of
from infway.providers.embeddings.vectors import read_as, usage_of, vectors_of
from infway.providers.ollama.faults import fault_of, inband_fault

_NULL = msgspec.Raw(b"null")


class _Reply(msgspec.Struct):
    embeddings: list[msgspec.Raw] | None = None
    embedding: msgspec.Raw = _NULL  # the older surface, one text a call
    prompt_eval_count: object = None
    error: object = None


_REPLY = msgspec.json.Decoder(_Reply)


class OllamaEmbeddings:
    """The embedder of the dialect."""

    takes = frozenset({"dimensions", "truncate", "options", "keep_alive"})

    def request(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return a call of `/api/embed`."""
        fields, dropped = carried(ask, offer, self.takes)
        body = {**offer.upstream.defaults, **fields, "model": offer.native, "input": texts_of(ask)}
        return call_of(offer, body, dropped)

    def whole(self, body: bytes, headers: Mapping[str, str]) -> Vectors:  # noqa: ARG002 - all is in the body
        """Return the vectors, which come in the order of the inputs."""
        reply = read_as(_REPLY, body)
        if reply.error is not None:
            raise UpstreamFailed(inband_fault(reply.error))
        return vectors_of(reply.embeddings or [reply.embedding], usage_of(reply.prompt_eval_count))

    def limits(self, headers: Mapping[str, str]) -> None:
        """Know no limits."""

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        """Name an error reply: Ollama gives a sentence as `error`."""
        return fault_of(status, headers, body)
