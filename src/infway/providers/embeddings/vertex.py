"""Text embeddings of Google Vertex AI, by `predict`.

https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api
"""

from collections.abc import Mapping

import msgspec

from infway.kernel.chat import ChatRequest, HttpCall, Offer
from infway.kernel.events import Usage, Vectors
from infway.kernel.faults import Failure
from infway.providers.embeddings.inputs import GOOGLE_WORDS, call_of, carried, purpose_of, texts_of
from infway.providers.embeddings.vectors import read_as, usage_of, vectors_of
from infway.providers.gemini.faults import fault_of


class _Statistics(msgspec.Struct):
    token_count: object = None


class _Embedding(msgspec.Struct):
    values: msgspec.Raw
    statistics: _Statistics | None = None


class _Prediction(msgspec.Struct):
    embeddings: _Embedding


class _Reply(msgspec.Struct):
    predictions: list[_Prediction] | None = None


_REPLY = msgspec.json.Decoder(_Reply)


class VertexEmbeddings:
    """The embedder of the dialect."""

    takes = frozenset({"dimensions", "input_type", "task_type", "title", "autoTruncate"})

    def request(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the call: one instance for each text."""
        fields, dropped = carried(ask, offer, self.takes)
        instance: dict[str, object] = {}
        purpose = purpose_of(fields, GOOGLE_WORDS)
        if purpose is not None:
            instance["task_type"] = purpose
        if "title" in fields:
            instance["title"] = fields.pop("title")
        body: dict[str, object] = {
            "instances": [{"content": text, **instance} for text in texts_of(ask)]
        }
        parameters = {
            theirs: fields.pop(name)
            for name, theirs in (
                ("dimensions", "outputDimensionality"),
                ("autoTruncate", "autoTruncate"),
            )
            if name in fields
        }
        if parameters:
            body["parameters"] = parameters
        return call_of(offer, body, [*dropped, *fields])

    def whole(self, body: bytes, headers: Mapping[str, str]) -> Vectors:  # noqa: ARG002 - all is in the body
        """Return the vectors, which come in the order of the instances."""
        found = [one.embeddings for one in read_as(_REPLY, body).predictions or []]
        return vectors_of([one.values for one in found], _usage(found))

    def limits(self, headers: Mapping[str, str]) -> None:
        """Know no limits: Google tells of them only when they are reached."""

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        """Name an error reply by Google's own status."""
        return fault_of(status, headers, body)


def _usage(found: list[_Embedding]) -> Usage | None:
    """Return the sum of what was counted for each text; None where one was not counted."""
    counts = [usage_of(one.statistics.token_count) for one in found if one.statistics]
    known = [count.prompt for count in counts if count is not None]
    return usage_of(sum(known)) if len(known) == len(found) else None
