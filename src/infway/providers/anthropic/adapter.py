"""The Anthropic Messages dialect, as an upstream's: at Anthropic, on Azure and on Vertex AI.

https://platform.claude.com/docs/en/api/messages. What is sent is written by `request`,
what comes is read by `reply`.
"""

from collections.abc import Mapping

from infway.kernel.chat import ChatRequest, HttpCall, Offer
from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Event
from infway.kernel.faults import Failure, Fault
from infway.providers.anthropic.faults import fault_of
from infway.providers.anthropic.limits import limits_of
from infway.providers.anthropic.reply import MessageReader, whole_message
from infway.providers.anthropic.request import call_of
from infway.providers.objects import ObjectDecoder
from infway.providers.shapes import read_object


class Anthropic:
    """The adapter of the dialect."""

    def request(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the call; raises UpstreamFailed(untranslatable) for what has no words in it."""
        return call_of(ask, offer)

    def whole(self, body: bytes) -> list[Event]:
        """Return the events of a whole reply; raises UpstreamFailed where it is none."""
        message = read_object(body)
        if message is None:
            raise UpstreamFailed(Failure(Fault.INVALID_JSON, 200))
        return whole_message(message)

    def decoder(self) -> ObjectDecoder:
        """Return a new decoder."""
        return ObjectDecoder(MessageReader())

    def limits(self, headers: Mapping[str, str]) -> tuple[float, float] | None:
        """Return what the rate-limit headers leave."""
        return limits_of(headers)

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        """Name an error reply by the vendor's type, then the status, then the text."""
        return fault_of(status, headers, body)
