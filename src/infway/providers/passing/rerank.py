"""Reranking: documents put in the order of what they have to do with a query.

The vendors' requests differ in a few words, their replies in a few more: the words are data, and
one reader understands all replies. https://docs.cohere.com/reference/rerank,
https://jina.ai/reranker, https://docs.voyageai.com/reference/reranker-api and
https://docs.together.ai/reference/rerank-1
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import msgspec

from infway.kernel.chat import ChatRequest, Feature, HttpCall, Offer
from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Units, Usage
from infway.kernel.faults import Failure, Fault
from infway.providers.openai.faults import fault_of, inband_fault
from infway.providers.openai.limits import limits_of
from infway.providers.passing.measures import guess, said
from infway.providers.passing.passer import JSON, Whole
from infway.providers.shapes import (
    as_count,
    as_list,
    as_object,
    as_text,
    is_object,
    value_of,
    write,
)

_HEADERS: Mapping[str, str] = {"content-type": JSON}
_NULL = msgspec.Raw(b"null")
# What infway does itself: documents are given back from the request, whatever the vendor does.
_OWN = frozenset({"query", "documents", "top_n", "return_documents"})
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Result(msgspec.Struct):
    index: int
    relevance_score: float | None = None
    score: float | None = None

    @property
    def told(self) -> float | None:
        """The score, whatever it is called."""
        return self.score if self.relevance_score is None else self.relevance_score


class _Reply(msgspec.Struct):
    results: list[_Result] | None = None
    data: list[_Result] | None = None
    usage: msgspec.Raw = _NULL
    meta: msgspec.Raw = _NULL
    error: msgspec.Raw = _NULL


_REPLY = msgspec.json.Decoder(_Reply | list[_Result])


@dataclass(frozen=True, slots=True)
class RerankPassing:
    """The passer of a vendor. `top`: its word for how many results are wanted.

    `takes`: other fields it has words for, None: it is told any. `objects`: a document may be an
    object, not a text alone. `model_in_path`: its body names no model. `extras`: what it is
    always told. `faults`: how its errors are read.
    """

    top: str = "top_n"
    takes: frozenset[str] | None = None
    objects: bool = False
    model_in_path: bool = False
    extras: Mapping[str, object] = field(default_factory=dict[str, object])
    faults: Callable[[int, Mapping[str, str], bytes], Failure] = fault_of

    def request(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the call; raises UpstreamFailed where a document is no text, and has to be."""
        upstream = offer.upstream
        known = ask.fields.keys() - _OWN
        kept = (
            (known if self.takes is None else known & self.takes) - upstream.drop - upstream.routing
        )
        body: dict[str, object] = {
            **({} if self.model_in_path else {"model": offer.native}),
            "query": ask.fields["query"],
            "documents": [self._document(one) for one in as_list(ask.fields["documents"])],
            **self.extras,
            **{upstream.rename.get(name, name): ask.fields[name] for name in kept},
        }
        if "top_n" in ask.fields:
            body[self.top] = ask.fields["top_n"]
        url = upstream.work_urls[Feature.RERANK].replace("{model}", quote(offer.native, safe="@"))
        headers = upstream.headers or _HEADERS
        missed = tuple(sorted(known - kept))
        return HttpCall(upstream.name, url, headers, write(body), missed)

    def whole(
        self,
        body: bytes,
        headers: Mapping[str, str],  # noqa: ARG002 - all is in the body
        ask: ChatRequest,
        offer: Offer,
    ) -> Whole:
        """Return the results as Cohere and Jina write them, best first."""
        try:
            read = _REPLY.decode(body)
        except _BROKEN as error:
            raise UpstreamFailed(Failure(Fault.INVALID_JSON, 200)) from error
        reply = read if isinstance(read, _Reply) else _Reply(read)
        if bytes(reply.error) != b"null":
            raise UpstreamFailed(inband_fault(bytes(reply.error)))
        scores = _scores(reply, ask)
        meta = as_object(value_of(reply.meta))
        usage = _usage(reply, meta, ask, offer)
        fields: dict[str, object] = {
            "id": ask.id,
            "object": "rerank",
            "model": offer.model,
            "results": _results(scores, ask),
            "usage": {"prompt_tokens": usage.prompt, "total_tokens": usage.total},
            "meta": _meta(usage),
        }
        return Whole(write(fields), JSON, usage, fields)

    def limits(self, headers: Mapping[str, str]) -> tuple[float, float] | None:
        """Return what the rate-limit headers leave."""
        return limits_of(headers)

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        """Name an error reply as the vendor's chats do."""
        return self.faults(status, headers, body)

    def _document(self, document: object) -> object:
        if not is_object(document) or self.objects:
            return document
        text = as_text(document.get("text"))
        if not text:
            message = "Only texts, or objects with a `text`, can be ranked by this upstream."
            raise UpstreamFailed(Failure(Fault.UNTRANSLATABLE, message=message, param="documents"))
        return text


def _scores(reply: _Reply, ask: ChatRequest) -> list[tuple[float, int]]:
    """Return scores and places, best first; raises UpstreamFailed where they make no sense."""
    found = reply.results if reply.results is not None else reply.data
    if not found:
        raise UpstreamFailed(Failure(Fault.EMPTY_CHOICES, 200))
    most = len(as_list(ask.fields["documents"]))
    scores = [(one.told, one.index) for one in found if one.told is not None]
    places = {place for _, place in scores if 0 <= place < most}
    if len(places) < len(found):
        raise UpstreamFailed(Failure(Fault.INVALID_JSON, 200))
    scores.sort(key=lambda one: (-one[0], one[1]))
    return scores[: as_count(ask.fields.get("top_n")) or most]


def _results(scores: list[tuple[float, int]], ask: ChatRequest) -> list[dict[str, object]]:
    documents = as_list(ask.fields["documents"])
    results: list[dict[str, object]] = [
        {"index": place, "relevance_score": score} for score, place in scores
    ]
    if ask.fields.get("return_documents"):
        for (_, place), result in zip(scores, results, strict=True):
            given = documents[place]
            result["document"] = {"text": given} if isinstance(given, str) else given
    return results


def _usage(reply: _Reply, meta: Mapping[str, object], ask: ChatRequest, offer: Offer) -> Usage:
    """Return tokens and searches as they were said; what was not is guessed."""
    billed = as_object(meta.get("billed_units"))
    searches = as_count(billed.get("search_units"))
    usage = next(
        filter(
            None, (said(told, ask) for told in (value_of(reply.usage), billed, meta.get("tokens")))
        ),
        None,
    )
    guessed = guess(ask, offer)
    if usage is None:
        units = Units(queries=searches) if searches else guessed.units
        return guessed._replace(estimated=not searches, units=units)
    return usage._replace(units=Units(queries=searches) if searches else guessed.units)


def _meta(usage: Usage) -> dict[str, object]:
    units = usage.units or Units()
    return {
        "api_version": {"version": "2"},
        "billed_units": {"search_units": units.queries},
        "tokens": {"input_tokens": usage.prompt},
    }
