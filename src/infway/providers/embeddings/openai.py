"""Embeddings in the OpenAI dialect, which most vendors speak.

https://platform.openai.com/docs/api-reference/embeddings
"""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from infway.kernel.chat import ChatRequest, HttpCall, Offer
from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Usage, Vectors
from infway.kernel.faults import Failure
from infway.providers.embeddings.inputs import call_of
from infway.providers.embeddings.vectors import (
    bytes_of,
    coded_of,
    in_order,
    read_as,
    usage_of,
    vectors_of,
)
from infway.providers.openai.faults import fault_of, inband_fault
from infway.providers.openai.limits import limits_of

# What is converted is no loss where an upstream is not told of it.
_CONVERTED = frozenset({"encoding_format"})
_NULL = msgspec.Raw(b"null")


class _Item(msgspec.Struct):
    embedding: msgspec.Raw
    index: int | None = None


class _Counts(msgspec.Struct):
    prompt_tokens: object = None
    total_tokens: object = None  # the only one that Voyage gives


class _Reply(msgspec.Struct):
    data: list[_Item] | None = None
    usage: _Counts | None = None
    error: msgspec.Raw = _NULL


_REPLY = msgspec.json.Decoder(_Reply)
_Read = Callable[[Sequence[msgspec.Raw], Usage | None], Vectors]


class OpenAIEmbeddings:
    """The embedder of the dialect. `small`: vectors come as base64 of signed bytes.

    Perplexity knows no other numbers; everyone else's base64 is of float32.
    """

    takes = None

    def __init__(self, *, small: bool = False) -> None:
        self._coded: _Read = bytes_of if small else coded_of

    def request(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the caller's own fields with the model's native name and the row's quirks."""
        upstream = offer.upstream
        said, routed = upstream.told(ask.fields)
        body: dict[str, object] = {**upstream.defaults, **said, "model": offer.native}
        if body.get("encoding_format") == "float":
            del body["encoding_format"]  # what everyone sends; not everyone knows the word
        dropped = routed + [name for name in upstream.drop if body.pop(name, None) is not None]
        for name, other in upstream.rename.items():
            if name in body:
                body.setdefault(other, body.pop(name))
        return call_of(offer, body, [name for name in dropped if name not in _CONVERTED])

    def whole(self, body: bytes, headers: Mapping[str, str]) -> Vectors:  # noqa: ARG002 - all is in the body
        """Return the vectors in the order of their indexes."""
        reply = read_as(_REPLY, body)
        if bytes(reply.error) != b"null":
            raise UpstreamFailed(inband_fault(bytes(reply.error)))
        items = reply.data or []
        raws = in_order([item.index for item in items], [item.embedding for item in items])
        counts = reply.usage or _Counts()
        usage = usage_of(counts.prompt_tokens, counts.total_tokens)
        read = self._coded if raws and bytes(raws[0])[:1] == b'"' else vectors_of
        return read(raws, usage)

    def limits(self, headers: Mapping[str, str]) -> tuple[float, float] | None:
        """Return what the rate-limit headers leave."""
        return limits_of(headers)

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        """Name an error reply by the vendor's code, then the status, then the text."""
        return fault_of(status, headers, body)
