"""The shape of a dialect of embeddings: a request becomes a call, and bytes become vectors.

Beside `adapter`: there is nothing to stream, and the headers of a reply may say what it cost.
"""

from collections.abc import Mapping
from typing import Protocol

from infway.kernel.chat import ChatRequest, HttpCall, Offer
from infway.kernel.events import Vectors
from infway.kernel.faults import Failure


class Embedder(Protocol):
    """One dialect. Stateless: one instance serves every request."""

    @property
    def takes(self) -> frozenset[str] | None:
        """The request fields it has words for beside the input; None: it passes on any."""
        ...

    def request(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the call that asks `offer` for the vectors of `ask`.

        Raises UpstreamFailed where the dialect cannot carry the input.
        """
        ...

    def whole(self, body: bytes, headers: Mapping[str, str]) -> Vectors:
        """Return the vectors of a reply; raises UpstreamFailed where it has none."""
        ...

    def limits(self, headers: Mapping[str, str]) -> tuple[float, float] | None:
        """Return the requests left and the seconds until all are, where the headers say so."""
        ...

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        """Name what a reply with an error status means, even without a readable body."""
        ...
