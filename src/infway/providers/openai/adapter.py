"""The adapter of the OpenAI chat dialect. https://platform.openai.com/docs/api-reference/chat."""

from collections.abc import Mapping

import msgspec

from infway.kernel.chat import ChatRequest, HttpCall, Offer
from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Event
from infway.kernel.faults import Failure, Fault
from infway.providers.openai.faults import fault_of, inband_fault
from infway.providers.openai.history import without
from infway.providers.openai.limits import limits_of
from infway.providers.openai.objects import chunk_of, fields_of, is_null
from infway.providers.openai.stream import Decoder

_HEADERS: Mapping[str, str] = {"content-type": "application/json"}
_STREAM_OPTIONS = msgspec.Raw(b'{"include_usage":true}')
_SPOKEN = ("messages", "tools")  # the root fields in which vendors' extensions may stand
_write = msgspec.json.Encoder().encode


class OpenAI:
    """The adapter of the dialect."""

    limits = staticmethod(limits_of)

    def request(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the caller's own fields with the model's native name and the row's quirks."""
        upstream = offer.upstream
        body: dict[str, object] = dict(upstream.defaults)
        body.update(ask.fields)
        dropped: list[str] = []  # what the caller misses
        if upstream.routing:
            said, dropped = upstream.told(ask.fields)
            body = {**upstream.defaults, **said}
        body["model"] = offer.native
        if ask.stream:
            body["stream_options"] = _STREAM_OPTIONS
        if upstream.rename:
            upstream.rename_in(body, ask.fields)
        unsaid = [name for name in upstream.drop & body.keys() if body.pop(name) is not None]
        dropped += [name for name in unsaid if name != "stream_options"]  # that is infway's own
        for name in _SPOKEN if upstream.refuses else ():
            raw = body.get(name)
            if isinstance(raw, msgspec.Raw):
                body[name], lost = without(name, raw, upstream.refuses)
                dropped += lost
        url = upstream.chat_url.replace("{model}", offer.native)
        headers = upstream.headers or _HEADERS
        return HttpCall(
            upstream.name, url, headers, _write(body), tuple(sorted(dropped)) if dropped else ()
        )

    def whole(self, body: bytes) -> list[Event]:
        """Return one Chunk; raises UpstreamFailed where the body is not a whole reply."""
        fields = fields_of(body, Fault.INVALID_JSON)
        if "error" in fields and bytes(fields["error"]) != b"null":
            raise UpstreamFailed(inband_fault(bytes(fields["error"])))
        chunk = chunk_of(fields, Fault.INVALID_JSON, is_whole=True)
        filtered = {end.index for end in chunk.finishes if end.reason == "content_filter"}
        if not chunk.choices or any(
            place not in filtered and is_null(choice.get("message"))
            for place, choice in enumerate(chunk.choices)
        ):
            raise UpstreamFailed(Failure(Fault.EMPTY_CHOICES, 200))
        return [chunk]

    def decoder(self) -> Decoder:
        """Return a new decoder."""
        return Decoder()

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        """Name an error reply by the vendor's code, then the status, then the text."""
        return fault_of(status, headers, body)
