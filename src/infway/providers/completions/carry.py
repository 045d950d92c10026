"""Text completions passed on to upstreams that continue texts themselves.

https://platform.openai.com/docs/api-reference/completions. Streams, errors and limits are those of
OpenAI's chats but for `text` in the place of a delta, and are read by the same modules.
"""

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from infway.kernel.chat import ChatRequest, HttpCall, Offer
from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Event
from infway.kernel.faults import Failure, Fault
from infway.providers.completions.logprobs import ListingDecoder, Lists
from infway.providers.openai.faults import fault_of, inband_fault
from infway.providers.openai.limits import limits_of
from infway.providers.openai.objects import chunk_of, fields_of, is_null

DIALECT = "completions"
# What belongs to chats alone: servers that check every field refuse it
CHATS = frozenset(
    {"messages", "tools", "tool_choice", "functions", "function_call", "parallel_tool_calls"}
    | {"modalities", "audio", "top_logprobs"}
)
_HEADERS: Mapping[str, str] = {"content-type": "application/json"}
_STREAM_OPTIONS = msgspec.Raw(b'{"include_usage":true}')
_EMPTY = msgspec.Raw(b'""')
_write = msgspec.json.Encoder().encode


class Completions:
    """The carrier of the dialect."""

    def carry(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the caller's own fields with the model's native name and the row's quirks.

        Raises UpstreamFailed(untranslatable) where the row drops what the answer depends on.
        """
        upstream, native = offer.upstream, ask.native
        body: dict[str, object] = dict(upstream.defaults)
        said, routed = upstream.told(native.fields if native is not None else {})
        body.update(said)
        body["model"] = offer.native
        if ask.stream:
            body["stream_options"] = _STREAM_OPTIONS
        for name, other in upstream.rename.items():
            if name in body and name != "max_tokens":  # here the limit has no other name
                body.setdefault(other, body.pop(name))
        dropped = sorted((upstream.drop | CHATS) & body.keys())
        for name in dropped:
            del body[name]
            if native is not None and name in native.needs:
                message = f"{native.said(name)}: this upstream does not take it."
                raise UpstreamFailed(Failure(Fault.UNTRANSLATABLE, message=message, param=name))
        url = (upstream.url_of(DIALECT) or upstream.chat_url).replace("{model}", offer.native)
        told = tuple(name for name in routed + dropped if name != "stream_options")
        return HttpCall(upstream.name, url, upstream.headers or _HEADERS, _write(body), told)

    def whole(self, body: bytes) -> list[Event]:
        """Return one Chunk; raises UpstreamFailed where the body is not a whole reply.

        A choice that was filtered may have no text.
        """
        fields = fields_of(body, Fault.INVALID_JSON)
        if not is_null(fields.get("error")):
            raise UpstreamFailed(inband_fault(bytes(fields["error"])))
        chunk = chunk_of(fields, Fault.INVALID_JSON, is_whole=True)
        filtered = [finish.reason == "content_filter" for finish in chunk.finishes]
        silent = [is_null(choice.get("text")) for choice in chunk.choices]
        if not silent or any(s and not f for s, f in zip(silent, filtered, strict=True)):
            raise UpstreamFailed(Failure(Fault.EMPTY_CHOICES, 200))
        if any(silent):
            choices = [
                {**choice, "text": _EMPTY} if is_silent else choice
                for choice, is_silent in zip(chunk.choices, silent, strict=True)
            ]
            chunk = chunk._replace(choices=choices)
        return [Lists().of(chunk)]

    def decoder(self) -> ListingDecoder:
        """Return a new decoder."""
        return ListingDecoder()

    def limits(self, headers: Mapping[str, str]) -> tuple[float, float] | None:
        """Return what the rate-limit headers leave."""
        return limits_of(headers)

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        """Name an error reply by the vendor's code, then the status, then the text.

        A bare 404 does not say that the model is gone: it may well hold chats there, and must not
        be rested for those.
        """
        failure = fault_of(status, headers, body)
        named = fault_of(0, headers, body).fault is Fault.MODEL_MISSING
        if failure.fault is Fault.MODEL_MISSING and not named:
            return replace(failure, fault=Fault.UNTRANSLATABLE)
        return failure
