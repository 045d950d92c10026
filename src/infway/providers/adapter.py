"""The shape of a dialect: a request becomes a call, bytes become events, errors get a name."""

from collections.abc import Mapping
from typing import Protocol

from infway.kernel.chat import ChatRequest, HttpCall, Offer
from infway.kernel.events import Event
from infway.kernel.faults import Failure


class Decoder(Protocol):
    """Turns the bytes of one streamed reply into events, however they are cut."""

    @property
    def done(self) -> bool:
        """Whether the reply is over: what comes after is not part of it."""
        ...

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that are complete with `data`; the last may be `Broken`."""
        ...

    def close(self) -> list[Event]:
        """Return what the end of the bytes means: nothing, or `Broken` if the reply was cut.

        The reply is done then.
        """
        ...


class Adapter(Protocol):
    """One dialect. Stateless: one instance serves every request."""

    def request(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the call that asks `offer` for `ask`."""
        ...

    def whole(self, body: bytes) -> list[Event]:
        """Return the events of a whole reply; raises UpstreamFailed where it is none."""
        ...

    def decoder(self) -> Decoder:
        """Return a new decoder for one streamed reply."""
        ...

    def limits(self, headers: Mapping[str, str]) -> tuple[float, float] | None:
        """Return the requests left and the seconds until all are, where the headers say so."""
        ...

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        """Name what a reply with an error status means, even without a readable body."""
        ...
