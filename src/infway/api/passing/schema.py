"""The bodies and replies of work that is no chat, as types.

Fields not named here are passed to the upstream. Explicit null is the same as absent.
"""

from typing import Annotated, Any

from msgspec import Meta, Struct

from infway.api.schema import Positive, ProviderBody, UsageOptions

Text = Annotated[str, Meta(min_length=1)]


class WorkBody(Struct):
    """What all bodies have in common: the model, and what speaks to infway alone."""

    model: str | None = None
    provider: ProviderBody | None = None
    usage: UsageOptions | None = None
    fallback_models: list[str] | None = None


class RerankBody(WorkBody):
    """Documents to be ranked by what they have to do with a query.

    A document is a text or an object with a `text`. `top_n` (`top_k` says the same): how many
    results are wanted. `return_documents`: give the documents back with them.
    """

    query: str | None = None
    documents: list[str | dict[str, Any]] | None = None
    top_n: Positive | None = None
    top_k: Positive | None = None
    return_documents: bool | None = None
    max_tokens_per_doc: Positive | None = None


class RerankedDocument(Struct):
    """A document that is given back."""

    text: str | None = None


class RerankResult(Struct):
    """One result. `index`: the document's place in the request."""

    index: int
    relevance_score: float
    document: RerankedDocument | None = None


class RerankUsage(Struct):
    """Tokens as counted by the upstream, or estimated."""

    prompt_tokens: int
    total_tokens: int


class RerankReply(Struct):
    """The results, best first. `meta` says the same as `usage` in Cohere's words."""

    id: str
    object: str
    model: str
    results: list[RerankResult]
    usage: RerankUsage
    meta: dict[str, Any]


class ModerationBody(WorkBody):
    """Texts and pictures to be judged: one, several, or parts of one content."""

    input: str | list[str | dict[str, Any]] | None = None


class ModerationReply(Struct):
    """What a model thinks of each input."""

    model: str
    results: list[dict[str, Any]]
    id: str | None = None


class ImageBody(WorkBody):
    """A picture to be made. `stream`: give what is there of it while it is made."""

    prompt: Text | None = None
    n: Positive | None = None
    stream: bool | None = None


class ImagesReply(Struct):
    """Pictures, as addresses or base64."""

    data: list[dict[str, Any]]
    created: int | None = None
    usage: dict[str, Any] | None = None


class SpeechBody(WorkBody):
    """A text to be read out. `stream_format` `sse`: the sound comes as events."""

    input: Text | None = None
    voice: str | dict[str, Any] | None = None
    response_format: str | None = None
    stream_format: str | None = None
    stream: bool | None = None


class SoundForm(Struct):
    """A form with a sound: `file`, `model`, and whatever else the upstream takes."""

    file: str
    model: str
    stream: bool | None = None


class ImageForm(Struct):
    """A form with pictures: `image` or `image[]`, `model`, and whatever else the upstream takes."""

    image: str
    model: str
    prompt: str | None = None
    stream: bool | None = None


class TranscriptReply(Struct):
    """What was said."""

    text: str
    usage: dict[str, Any] | None = None
