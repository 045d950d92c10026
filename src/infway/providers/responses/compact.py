"""Conversations that a server makes short: asked for as responses are, answered by an object of its own.

https://platform.openai.com/docs/api-reference/responses/compact
"""

from urllib.parse import quote

from infway.kernel.chat import ChatRequest, HttpCall, Offer
from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Event, Finish
from infway.kernel.faults import Failure, Fault
from infway.providers.responses.carry import HEADERS, ResponsesCarrier, known_input
from infway.providers.responses.faults import fault_inside
from infway.providers.responses.usage import usage_of
from infway.providers.shapes import read_object, write

COMPACTION = "compaction"
"""What this is called where dialects are named: it has an address of its own."""
# The fields of a response that its making short has too
_TAKEN = frozenset(
    {"input", "instructions", "prompt_cache_key", "prompt_cache_retention"}
    | {"prompt_cache_options", "service_tier", "image"}
)


class CompactCarrier(ResponsesCarrier):
    """The carrier: the words, limits and errors of responses, and a reply that comes whole."""

    def carry(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the call; fields that only a response has are left out and listed."""
        upstream, native = offer.upstream, ask.native
        fields, routed = upstream.told(native.fields if native is not None else {})
        dropped = dict.fromkeys([*routed, *(name for name in fields if name not in _TAKEN)])
        said = {name: value for name, value in fields.items() if name in _TAKEN}
        said["input"] = known_input(said.get("input"), dropped)
        url = upstream.url_of(COMPACTION) or upstream.chat_url
        url = url.replace("{model}", quote(offer.native, safe=""))
        body = write({**said, "model": offer.native})
        return HttpCall(upstream.name, url, upstream.headers or HEADERS, body, tuple(dropped))

    def whole(self, body: bytes) -> list[Event]:
        """Return how a reply ended, and what it used; raises UpstreamFailed where it is none."""
        fields = read_object(body)
        if fields is None:
            raise UpstreamFailed(Failure(Fault.INVALID_JSON, 200))
        if fields.get("error"):
            raise UpstreamFailed(fault_inside(fields))
        if not fields.get("output"):
            raise UpstreamFailed(Failure(Fault.EMPTY_CHOICES, 200))
        usage = usage_of(fields)
        ended: list[Event] = [Finish(0, "stop", None)]
        return ended if usage is None else [*ended, usage]
