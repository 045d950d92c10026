"""Embeddings of Google's Gemini API, and of the models that Vertex serves the same way.

https://ai.google.dev/api/embeddings
"""

from collections.abc import Mapping

import msgspec

from infway.kernel.chat import ChatRequest, HttpCall, Offer
from infway.kernel.events import Vectors
from infway.kernel.faults import Failure
from infway.providers.embeddings.inputs import GOOGLE_WORDS, call_of, carried, purpose_of, texts_of
from infway.providers.embeddings.vectors import read_as, usage_of, vectors_of
from infway.providers.gemini.faults import fault_of


class _Values(msgspec.Struct):
    values: msgspec.Raw


class _Counts(msgspec.Struct, rename="camel"):
    prompt_token_count: object = None


class _Reply(msgspec.Struct, rename="camel"):
    embeddings: list[_Values] | None = None
    embedding: _Values | None = None
    usage_metadata: _Counts | None = None


_REPLY = msgspec.json.Decoder(_Reply)


class GeminiEmbeddings:
    """The embedder of `batchEmbedContents`; `single`: of `embedContent`, one text a call."""

    takes = frozenset({"dimensions", "input_type", "task_type", "title"})

    def __init__(self, *, single: bool = False) -> None:
        self._single = single

    def request(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the call: one request inside for each text."""
        fields, dropped = carried(ask, offer, self.takes)
        purpose = purpose_of(fields, GOOGLE_WORDS)
        shared: dict[str, object] = {}
        for name, theirs in (("dimensions", "outputDimensionality"), ("title", "title")):
            if name in fields:
                shared[theirs] = fields.pop(name)
        if purpose is not None:
            shared["taskType"] = purpose
        told = [*dropped, *fields]
        contents = [{"content": {"parts": [{"text": text}]}, **shared} for text in texts_of(ask)]
        model = offer.native.removeprefix("models/")
        if self._single:
            return call_of(offer, contents[0], told, model)
        requests = [{"model": f"models/{model}", **one} for one in contents]
        return call_of(offer, {"requests": requests}, told, model)

    def whole(self, body: bytes, headers: Mapping[str, str]) -> Vectors:  # noqa: ARG002 - all is in the body
        """Return the vectors, which come in the order of the requests."""
        reply = read_as(_REPLY, body)
        found = reply.embeddings or ([] if reply.embedding is None else [reply.embedding])
        counts = reply.usage_metadata or _Counts()
        return vectors_of([one.values for one in found], usage_of(counts.prompt_token_count))

    def limits(self, headers: Mapping[str, str]) -> None:
        """Know no limits: Google tells of them only when they are reached."""

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        """Name an error reply by Google's own status."""
        return fault_of(status, headers, body)
