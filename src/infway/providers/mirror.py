"""A request that goes to an upstream in the words of its caller, and a reply that comes back in them.

What is sent and what comes is the caller's own dialect, so nothing is translated. The reply is
read all the same: its events say when it began, what it used and how it ended.
"""

from collections.abc import Mapping
from typing import Protocol

from infway.kernel.chat import ChatRequest, HttpCall, Offer
from infway.kernel.events import Event, Raw
from infway.kernel.faults import Failure
from infway.providers.adapter import Decoder
from infway.providers.sse import Framer


class Carrier(Protocol):
    """A dialect of clients that some upstreams speak too. Stateless, as adapters are."""

    def carry(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the call that passes `ask.native` on, changed only where the offer demands it.

        It goes to `offer.upstream.url_of(ask.native.dialect)`.
        """
        ...

    def whole(self, body: bytes) -> list[Event]:
        """Return the events of a whole reply; raises UpstreamFailed where it is none."""
        ...

    def decoder(self) -> Decoder:
        """Return a new decoder for one streamed reply, which comes as server-sent events."""
        ...

    def limits(self, headers: Mapping[str, str]) -> tuple[float, float] | None:
        """Return the requests left and the seconds until all are, where the headers say so."""
        ...

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        """Name what a reply with an error status means, even without a readable body."""
        ...


class Mirror:
    """A carrier as an adapter: its events come with the bytes that said them, as `Raw`."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self.limits = carrier.limits
        self.fault = carrier.fault

    def request(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the call."""
        return self._carrier.carry(ask, offer)

    def whole(self, body: bytes) -> list[Event]:
        """Return the events of a whole reply, and the body; raises UpstreamFailed where it is none."""
        return [*self._carrier.whole(body), Raw(body)]

    def decoder(self) -> Decoder:
        """Return a new decoder."""
        return _Echo(self._carrier.decoder())


class _Echo:
    """Frames before the first event wait for it, so that a reply begins with what is said."""

    def __init__(self, inner: Decoder) -> None:
        self._inner = inner
        self._framer = Framer()
        self._waiting = b""

    @property
    def done(self) -> bool:
        """Whether the reply is over."""
        return self._inner.done

    def feed(self, data: bytes) -> list[Event]:
        """Return the whole frames of `data`, and what they mean."""
        block = self._framer.feed(data)
        if not block or self.done:
            return []
        self._waiting += block
        return self._with_frames(self._inner.feed(block))

    def close(self) -> list[Event]:
        """Return what the end of the bytes means."""
        return self._with_frames(self._inner.close())

    def _with_frames(self, events: list[Event]) -> list[Event]:
        if not (events or self.done):
            return []
        frames, self._waiting = self._waiting, b""
        return [Raw(frames), *events] if frames else events
