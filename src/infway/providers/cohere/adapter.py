"""Cohere's v2 chat dialect, as an upstream's.

https://docs.cohere.com/reference/chat. What is sent is written by `request`, what comes is
read by `reply`.
"""

from collections.abc import Mapping

from infway.kernel.chat import ChatRequest, HttpCall, Offer
from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Event
from infway.kernel.faults import Failure, Fault
from infway.providers.cohere.faults import fault_of
from infway.providers.cohere.reply import MessageReader, whole_message
from infway.providers.cohere.request import call_of
from infway.providers.objects import ObjectDecoder
from infway.providers.shapes import read_object

_LEFT = "x-trial-endpoint-call-remaining"
_MINUTE = 60.0  # seconds: trial keys have so many calls a minute


class Cohere:
    """The adapter of the dialect."""

    def request(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the call; raises UpstreamFailed(untranslatable) for what has no words in it."""
        return call_of(ask, offer)

    def whole(self, body: bytes) -> list[Event]:
        """Return the events of a whole reply; raises UpstreamFailed where it is none."""
        reply = read_object(body)
        if reply is None:
            raise UpstreamFailed(Failure(Fault.INVALID_JSON, 200))
        return whole_message(reply)

    def decoder(self) -> ObjectDecoder:
        """Return a new decoder."""
        return ObjectDecoder(MessageReader())

    def limits(self, headers: Mapping[str, str]) -> tuple[float, float] | None:
        """Return what is left of a trial key; other keys are told nothing."""
        left = headers.get(_LEFT, "")
        is_count = left.isascii() and left.isdecimal() and len(left) < 10
        return (float(left), _MINUTE) if is_count else None

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        """Name an error reply by the vendor's word, its sentence, or its status."""
        return fault_of(status, headers, body)
