"""What Cohere's embedding models say and are told, at Cohere and at Bedrock.

https://docs.cohere.com/reference/embed
"""

from collections.abc import Mapping, Sequence

import msgspec

from infway.kernel.chat import ChatRequest, Offer
from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Usage, Vectors
from infway.kernel.faults import Failure, Fault
from infway.providers.embeddings.inputs import carried, purpose_of, texts_of
from infway.providers.embeddings.vectors import read_as, usage_of, vectors_of

TAKES = frozenset({"dimensions", "input_type", "task_type", "truncate", "max_tokens"})
_WORDS: Mapping[str, str] = {
    "query": "search_query",
    "document": "search_document",
    "classification": "classification",
    "clustering": "clustering",
}
_USUAL = "search_document"  # models since v3 do not go without a purpose


class _Billed(msgspec.Struct):
    input_tokens: object = None


class _Meta(msgspec.Struct):
    billed_units: _Billed | None = None


class _ByType(msgspec.Struct):
    float: list[msgspec.Raw] | None = None


class _Reply(msgspec.Struct):
    embeddings: _ByType | list[msgspec.Raw] | None = None
    meta: _Meta | None = None


_REPLY = msgspec.json.Decoder(_Reply)


def body_of(ask: ChatRequest, offer: Offer) -> tuple[dict[str, object], Sequence[str]]:
    """Return the body but for what differs from place to place, and what is not carried."""
    fields, dropped = carried(ask, offer, TAKES)
    purpose = purpose_of(fields, _WORDS)
    missed = [*dropped, *(fields.keys() & {"input_type", "task_type"})]
    body: dict[str, object] = {"texts": texts_of(ask), "input_type": purpose or _USUAL}
    for name, theirs in (
        ("dimensions", "output_dimension"),
        ("truncate", "truncate"),
        ("max_tokens", "max_tokens"),
    ):
        if name in fields:
            body[theirs] = fields[name]
    return body, missed


def read_vectors(body: bytes, counted: object = None) -> Vectors:
    """Return the vectors in the order of the texts; `counted`: tokens, where the body is silent.

    Models before v4 give a list where no types were asked for, all others a list for each type.
    """
    reply = read_as(_REPLY, body)
    found = reply.embeddings
    if isinstance(found, _ByType):
        found = found.float
    if found is None:
        raise UpstreamFailed(Failure(Fault.EMPTY_CHOICES, 200))
    return vectors_of(found, _usage(reply, counted))


def _usage(reply: _Reply, counted: object) -> Usage | None:
    billed = reply.meta.billed_units if reply.meta is not None else None
    return usage_of(billed.input_tokens if billed is not None else None, counted)
