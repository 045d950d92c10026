"""One chat request and the things it meets: the caller, the offers, the upstream call."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntFlag
from types import MappingProxyType
from typing import NamedTuple

from infway.kernel.account import Account
from infway.kernel.begun import Prefill, Said
from infway.kernel.form import Form
from infway.kernel.place import Place
from infway.kernel.prices import Prices

RECKONED = "max_completion_tokens"
"""The limit of an answer that goes before `max_tokens` where both are there."""


class Feature(IntFlag):
    """What a request needs and an offer can do. Names are the capability words of the catalogue."""

    TOOLS = 1
    VISION = 2
    AUDIO_IN = 4
    AUDIO_OUT = 8
    FILES = 16
    JSON_OBJECT = 32
    JSON_SCHEMA = 64
    REASONING = 128
    LOGPROBS = 256
    SEVERAL = 512  # n > 1
    PREFILL = 1024
    REMOTE_MEDIA = 2048  # an image, a sound or a file is given by an http(s) address
    EMBEDDINGS = 4096  # vectors are asked for, no answer
    TOKEN_IDS = 8192  # the input is the model's own tokens, no text
    RERANK = 16384  # from here on: work that is neither a chat nor vectors, see `kernel/work.py`
    MODERATION = 32768
    IMAGES = 65536
    IMAGE_EDITS = 131072
    IMAGE_VARIATIONS = 262144
    SPEECH = 524288
    TRANSCRIPTION = 1048576
    TRANSLATION = 2097152  # of speech into English text


class Weights(NamedTuple):
    """How much each quantity counts, 0..1000; None is the default of the configuration."""

    price: float | None = None
    error: float | None = None
    start_latency: float | None = None
    end_latency: float | None = None
    quality: float | None = None


class Selection(NamedTuple):
    """What the caller said about models and upstreams. Empty tuples and None mean: nothing said.

    `max_input_cost`, `max_output_cost`: USD per million characters. `max_latency`: seconds to the
    first token. `min_throughput`: output tokens per second. `sort`: price, throughput or latency.
    `fallback_statuses`: refusals by an upstream, 400 for one, that are not passed on but tried
    elsewhere. `rescue`: an answer that breaks off may be finished by another offer.
    """

    model: str | None = None
    llms: tuple[str, ...] = ()
    exclude_llms: tuple[str, ...] = ()
    weights: Weights | None = None
    imsn: int = 1
    max_input_cost: float | None = None
    max_output_cost: float | None = None
    fallback_models: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    allow_fallbacks: bool = True
    sort: str | None = None
    require_parameters: bool = False
    data_collection: str | None = None
    zdr: bool = False
    quantizations: tuple[str, ...] = ()
    max_latency: float | None = None
    min_throughput: float | None = None
    fallback_statuses: tuple[int, ...] = ()
    rescue: bool = True


class Native(NamedTuple):
    """A request in its caller's own dialect, for upstreams that speak it too.

    `fields`: the body's root fields as sent. `needs`: paths of what chats have no words for and
    the answer depends on, so that only such upstreams can serve it. `lost`: paths of what all
    other upstreams are not told. `headers`: the caller's headers that belong to the dialect.
    `words`: what is asked for at a path of `needs`, where the path alone does not say it.
    """

    dialect: str
    fields: Mapping[str, object]
    needs: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    headers: Mapping[str, str] = MappingProxyType({})
    words: Mapping[str, str] = MappingProxyType({})

    def said(self, path: str) -> str:
        """Return a path of `needs` as an error tells it."""
        word = self.words.get(path)
        return f"`{path}`" if word is None else f"`{path}` ({word})"


class ChatRequest(NamedTuple):
    """One chat request, read and validated.

    `fields`: the body's root fields as sent, key -> raw JSON, without those that are infway's own.
    `parameters`: the names in it that a model may not support. `input_tokens`: an estimate.
    `output_tokens`: the caller's own limit, None where none was set. `affinity`: equal for
    requests that are likely to share a prompt cache, None where nothing can be shared. `native`:
    how its caller put it, where that was not a chat completion. `form`: what it was sent as, where
    that was no JSON. `place`: its place in the queue, None where it does not wait.
    `said`: what its caller has read of an answer that broke off, and is not to read twice.
    """

    id: str
    fields: Mapping[str, object]
    stream: bool
    selection: Selection
    features: Feature
    input_tokens: int
    input_chars: int
    output_tokens: int | None
    affinity: int | None
    parameters: frozenset[str] = frozenset()
    native: Native | None = None
    form: Form | None = None
    place: Place | None = None
    said: Said | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: the name of the key, and what it may use (None: everything).

    `rescue`: its answers may be finished by another offer where they break off. `account`: where
    it belongs, and the limits and budgets that hold for it; None: none do.
    """

    name: str
    models: frozenset[str] | None = None
    upstreams: frozenset[str] | None = None
    weights: Weights | None = None
    rescue: bool = True
    account: Account | None = None


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits of one attempt in seconds; `total` is shared by all attempts of a request.

    `first_token` holds for streams, `first_token_fallback` while another offer is left; `whole`
    for replies in one piece, whose headers come last. `slowest`: tokens a second, below which a
    stream is as good as silent.
    """

    connect: float = 3.0
    first_token: float = 60.0
    first_token_fallback: float = 10.0
    whole: float = 300.0
    idle: float = 30.0
    slowest: float = 0.1
    total: float = 600.0


@dataclass(frozen=True, slots=True, eq=False)
class Upstream:
    """One account at one vendor, or one model server: where offers are served from.

    `chat_url`: where chat requests go; `{model}` in it stands for the model's native name, and
    `{action}` for the word by which the dialect asks for a whole reply or a stream.
    `embeddings_url`: the same for embeddings, empty where this is no way to any. `work_urls`: the
    same for other work, by the feature that asks for it.
    `takes`: the request fields its dialect can say, None where it passes on any. `drop`,
    `rename`, `defaults`: the vendor's departures from its dialect, as data. `refuses`: extensions
    of messages and tools that it answers with an error. `routing`: root fields by which the vendor
    itself would choose models or sell extras: the operator's to say, in any dialect. `speaks`:
    other dialects in which the same models are asked there, and where; words in braces as in
    `chat_url`.
    """

    name: str
    vendor: str
    dialect: str
    chat_url: str
    timeouts: Timeouts = field(default_factory=Timeouts)
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    takes: frozenset[str] | None = None
    drop: frozenset[str] = frozenset()
    refuses: frozenset[str] = frozenset()
    routing: frozenset[str] = frozenset()
    rename: Mapping[str, str] = field(default_factory=dict[str, str])
    defaults: Mapping[str, object] = field(default_factory=dict[str, object])
    trains_on_data: bool | None = None
    zero_data_retention: bool | None = None
    embeddings_url: str = ""
    work_urls: Mapping[Feature, str] = field(default_factory=dict[Feature, str])
    speaks: Mapping[str, str] = field(default_factory=dict[str, str])

    def url_of(self, dialect: str) -> str | None:
        """Return where requests in a dialect go, None where it is not spoken here."""
        return self.chat_url if dialect == self.dialect else self.speaks.get(dialect)

    def told(self, fields: Mapping[str, object]) -> tuple[Mapping[str, object], list[str]]:
        """Return a caller's fields without those of `routing`, and the names of what was left out.

        What is served and billed is the model that was checked, not one that the vendor chooses.
        """
        taken = sorted(self.routing & fields.keys()) if self.routing else []
        if not taken:
            return fields, taken
        return {name: one for name, one in fields.items() if name not in self.routing}, taken

    def rename_in(self, body: dict[str, object], fields: Mapping[str, object]) -> None:
        """Give the fields of a body the names they have here; `fields`: those that its caller sent.

        What the caller said goes before the row's own defaults, and of two limits the one that is
        reckoned with is sent.
        """
        for name, other in self.rename.items():
            if name in body:
                value = body.pop(name)
                if other not in fields or (name in fields and other != RECKONED):
                    body[other] = value


@dataclass(frozen=True, slots=True, eq=False)
class Offer:
    """One model at one upstream. `index` is its place in the catalogue, dense from 0.

    `native`: the upstream's own name for the model. `quality`: 0..100, the prior of the model.
    `context`, `max_output`: tokens, None where unknown. `features`: what it is known to do.
    `inputs`: the most texts of one call for embeddings, None where there is no limit. `prefill`: how
    it goes on with an answer that has begun, None where it is not known to. `thinks_beside`: its
    thoughts are not within what the caller allows an answer.
    """

    index: int
    model: str
    upstream: Upstream
    native: str
    prices: Prices
    features: Feature
    quality: float
    context: int | None = None
    max_output: int | None = None
    quantization: str | None = None
    source: str = "configuration"
    inputs: int | None = None
    prefill: Prefill | None = None
    thinks_beside: bool = False

    @property
    def id(self) -> str:
        """The name of this offer in explanations, logs and the ledger: `upstream/model`."""
        return f"{self.upstream.name}/{self.model}"


@dataclass(frozen=True, slots=True)
class Scripted:
    """A reply that is played in-process instead of fetched: pieces after delays in seconds."""

    status: int
    headers: Mapping[str, str]
    pieces: tuple[tuple[float, bytes], ...]


@dataclass(frozen=True, slots=True)
class HttpCall:
    """What an adapter wants sent: everything but the secret, which is added where it is sent.

    `upstream` names whose credential signs it. `dropped`: what of the request it does not carry,
    as field names and paths. `script` plays the reply instead.
    """

    upstream: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    dropped: tuple[str, ...] = ()
    script: Scripted | None = None
