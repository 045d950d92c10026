"""What all dialects of embeddings share: the inputs, their purpose, and the call that is made."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from infway.kernel.chat import ChatRequest, Feature, HttpCall, Offer
from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Failure, Fault
from infway.providers.shapes import as_list, as_text, write

_HEADERS: Mapping[str, str] = {"content-type": "application/json"}
# infway turns one format into the other: nobody misses it where an upstream is not told.
_CONVERTED = frozenset({"encoding_format"})
# What clients of many vendors call the purpose of a text, and what it means.
_MEANINGS: Mapping[str, str] = {
    "query": "query",
    "search_query": "query",
    "retrieval_query": "query",
    "document": "document",
    "search_document": "document",
    "retrieval_document": "document",
    "passage": "document",
    "classification": "classification",
    "clustering": "clustering",
    "similarity": "similarity",
    "semantic_similarity": "similarity",
}
GOOGLE_WORDS: Mapping[str, str] = {
    "query": "RETRIEVAL_QUERY",
    "document": "RETRIEVAL_DOCUMENT",
    "classification": "CLASSIFICATION",
    "clustering": "CLUSTERING",
    "similarity": "SEMANTIC_SIMILARITY",
}
PURPOSES = ("input_type", "task_type")
"""The fields that say what an embedding is for; the first that is given counts."""


def inputs_of(ask: ChatRequest) -> Sequence[object]:
    """Return the inputs, texts or lists of token ids; one alone is a list of one."""
    said = ask.fields.get("input")
    listed = as_list(said)
    return listed if listed and not isinstance(listed[0], int) else [said]


def texts_of(ask: ChatRequest) -> list[str]:
    """Return the inputs as texts; raises UpstreamFailed where they are token ids."""
    if Feature.TOKEN_IDS in ask.features:
        message = "Only upstreams of the OpenAI dialect can read token ids."
        raise UpstreamFailed(Failure(Fault.UNTRANSLATABLE, message=message, param="input"))
    return [as_text(one) for one in inputs_of(ask)]


def carried(
    ask: ChatRequest, offer: Offer, takes: frozenset[str]
) -> tuple[dict[str, object], tuple[str, ...]]:
    """Return the fields beside the input that a dialect has words for, and those it has not."""
    kept = takes - offer.upstream.drop
    fields = {name: value for name, value in ask.fields.items() if name in kept}
    missed = ask.fields.keys() - kept - _CONVERTED - {"input"}
    return fields, tuple(missed)


def purpose_of(fields: dict[str, object], words: Mapping[str, str]) -> str | None:
    """Take the purpose of the texts out of `fields`, in the vendor's own word for it.

    A purpose that the vendor has no word for stays in `fields`. A word that means nothing here is
    taken for the vendor's own.
    """
    for name in PURPOSES:
        said = as_text(fields.get(name))
        meaning = _MEANINGS.get(said.lower())
        word = said if meaning is None else words.get(meaning)
        if word:
            del fields[name]
            return word
    return None


def call_of(
    offer: Offer, body: object, dropped: Sequence[str], model: str | None = None
) -> HttpCall:
    """Return the call; `model`: the name in its address, where that is not the native one."""
    upstream = offer.upstream
    named = quote(offer.native if model is None else model, safe="@")
    url = upstream.embeddings_url.replace("{model}", named)
    headers = upstream.headers or _HEADERS
    return HttpCall(upstream.name, url, headers, write(body), tuple(sorted(dropped)))
