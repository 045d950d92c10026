"""Embeddings in Cohere's own dialect, v2.

https://docs.cohere.com/reference/embed
"""

from collections.abc import Mapping

from infway.kernel.chat import ChatRequest, HttpCall, Offer
from infway.kernel.events import Vectors
from infway.kernel.faults import Failure
from infway.providers.cohere.faults import fault_of
from infway.providers.embeddings.cohere_shape import TAKES, body_of, read_vectors
from infway.providers.embeddings.inputs import call_of


class CohereEmbeddings:
    """The embedder of the dialect."""

    takes = TAKES

    def request(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the call; the type of the numbers has to be said."""
        body, missed = body_of(ask, offer)
        return call_of(offer, {"model": offer.native, "embedding_types": ["float"], **body}, missed)

    def whole(self, body: bytes, headers: Mapping[str, str]) -> Vectors:
        """Return the vectors; the tokens are those that are billed."""
        return read_vectors(body, headers.get("num_tokens"))

    def limits(self, headers: Mapping[str, str]) -> None:
        """Know no limits: Cohere's headers tell of calls in a month."""

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        """Name an error reply: Cohere gives a sentence, seldom a type."""
        return fault_of(status, headers, body)
