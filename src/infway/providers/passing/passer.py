"""The shape of a dialect of such work: a request becomes a call, a reply is measured.

Beside `adapter`: what comes back is mostly not looked into, but for what it costs.
"""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from infway.kernel.chat import ChatRequest, HttpCall, Offer
from infway.kernel.events import Usage
from infway.kernel.faults import Failure

JSON = "application/json"


class Whole(NamedTuple):
    """A reply in one piece. `kind`: its content type. `fields`: its root fields, where it is JSON."""

    body: bytes
    kind: str
    usage: Usage
    fields: Mapping[str, object] | None = None


class Passer(Protocol):
    """One dialect. Stateless: one instance serves every request."""

    def request(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the call that asks `offer`.

        Raises UpstreamFailed where the dialect has no words for it.
        """
        ...

    def whole(
        self, body: bytes, headers: Mapping[str, str], ask: ChatRequest, offer: Offer
    ) -> Whole:
        """Return a reply as it is passed on; raises UpstreamFailed where it is none."""
        ...

    def limits(self, headers: Mapping[str, str]) -> tuple[float, float] | None:
        """Return the requests left and the seconds until all are, where the headers say so."""
        ...

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        """Name what a reply with an error status means, even without a readable body."""
        ...
