"""The endpoints in front of the web framework as the API's description shows them, a row each."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from infway.api.anthropic.schema import (
    AnthropicError,
    CountReply,
    CountTokensBody,
    MessageReply,
    MessagesBody,
)
from infway.api.completions.schema import TextBody, TextReply
from infway.api.embeddings_reading import EmbeddingsBody
from infway.api.gemini.body import BatchEmbedBody, CountBody, EmbedBody, GenerateBody
from infway.api.gemini.errors import GoogleError
from infway.api.gemini.paths import COUNT, EMBED, EMBED_BATCH, GENERATE, STREAM
from infway.api.gemini.replies import BatchEmbedReply, EmbedReply, GenerateReply, TokensReply
from infway.api.passing.paths import family_of
from infway.api.passing.schema import (
    ImageBody,
    ImageForm,
    ImagesReply,
    ModerationBody,
    ModerationReply,
    RerankBody,
    RerankReply,
    SoundForm,
    SpeechBody,
    TranscriptReply,
)
from infway.api.queue import QueueBody
from infway.api.replies import ChatReply, EmbeddingsReply, ErrorBody
from infway.api.responses.compacting import CompactionReply
from infway.api.responses.counting import InputTokensReply
from infway.api.responses.schema import ResponseReply, ResponsesBody
from infway.api.routes import MODEL_PATHS, Family, everywhere, family
from infway.api.schema import ChatBody
from infway.api.tokens import DetailedError, TokenCounterBody, TokenCounterReply
from infway.kernel.chat import Feature

_NAMED = re.compile(r"\{(\w+)\}")  # what a path names
_REF = "#/components/schemas/{name}"
_ERRORS = ("400", "401", "403", "404", "405", "413", "415", "429", "500", "502", "503", "504")
CHAT = everywhere("/chat/completions")
QUEUE = everywhere("/queue/chat/completions")
EMBEDDINGS = everywhere("/embeddings")
_ANTHROPIC = tuple(f"{base}/messages" for base in ("/v1", "", "/api/v1", "/anthropic/v1"))
MESSAGES = family(*_ANTHROPIC)
COUNT_TOKENS = family(*(f"{path}/count_tokens" for path in _ANTHROPIC))
_RESPONSES = tuple(f"{base}/responses" for base in ("/v1", "", "/api/v1", "/openai/v1", "/openai"))
RESPONSES = family(*_RESPONSES)
INPUT_TOKENS = family(*(f"{path}/input_tokens" for path in _RESPONSES))
COMPACT = family(*(f"{path}/compact" for path in _RESPONSES))
COMPLETIONS = everywhere("/completions")._replace(starts=(*MODEL_PATHS, "/v1/"), never="/chat")
TOKEN_COUNTER = family("/utils/token_counter", "/v1/utils/token_counter")


class Operation(NamedTuple):
    """One family of paths. `body`, `reply`, `error`: types of msgspec.

    `streams`: the reply may be events. `is_listed`: as JSON it is a list of replies. `form`: the
    type of a form with files that is taken too, or alone where it is `body`. `media`: what else
    the reply may be; `reply` None: it is never JSON.
    """

    word: str
    summary: str
    family: Family
    body: type[msgspec.Struct]
    reply: type[msgspec.Struct] | None
    streams: bool = False
    is_listed: bool = False
    error: type[msgspec.Struct] = ErrorBody
    form: type[msgspec.Struct] | None = None
    media: tuple[str, ...] = ()


OPERATIONS: tuple[Operation, ...] = (
    Operation("chat", "Create a chat completion", CHAT, ChatBody, ChatReply, streams=True),
    Operation(
        "queue",
        "Create a chat completion, waiting by priority while every offer is busy",
        QUEUE,
        QueueBody,
        ChatReply,
        streams=True,
    ),
    Operation("embeddings", "Create embeddings", EMBEDDINGS, EmbeddingsBody, EmbeddingsReply),
    Operation(
        "messages",
        "Create a message",
        MESSAGES,
        MessagesBody,
        MessageReply,
        streams=True,
        error=AnthropicError,
    ),
    Operation(
        "count_tokens",
        "Count the tokens of a message",
        COUNT_TOKENS,
        CountTokensBody,
        CountReply,
        error=AnthropicError,
    ),
    Operation(
        "responses", "Create a response", RESPONSES, ResponsesBody, ResponseReply, streams=True
    ),
    Operation(
        "input_tokens",
        "Count the tokens of a response's input",
        INPUT_TOKENS,
        ResponsesBody,
        InputTokensReply,
    ),
    Operation("compact", "Make a conversation short", COMPACT, ResponsesBody, CompactionReply),
    Operation(
        "completions", "Create a text completion", COMPLETIONS, TextBody, TextReply, streams=True
    ),
    Operation(
        "token_counter",
        "Count the tokens of a prompt or a conversation",
        TOKEN_COUNTER,
        TokenCounterBody,
        TokenCounterReply,
        error=DetailedError,
    ),
    Operation(
        "generate", "Generate content", GENERATE, GenerateBody, GenerateReply, error=GoogleError
    ),
    Operation(
        "stream",
        "Generate content as a stream: events with alt=sse, else a JSON array",
        STREAM,
        GenerateBody,
        GenerateReply,
        streams=True,
        is_listed=True,
        error=GoogleError,
    ),
    Operation("count", "Count tokens", COUNT, CountBody, TokensReply, error=GoogleError),
    Operation("embed", "Embed a content", EMBED, EmbedBody, EmbedReply, error=GoogleError),
    Operation(
        "embed_batch",
        "Embed several contents",
        EMBED_BATCH,
        BatchEmbedBody,
        BatchEmbedReply,
        error=GoogleError,
    ),
    Operation(
        "rerank", "Rank documents by a query", family_of(Feature.RERANK), RerankBody, RerankReply
    ),
    Operation(
        "moderation",
        "Judge contents",
        family_of(Feature.MODERATION),
        ModerationBody,
        ModerationReply,
    ),
    Operation(
        "images",
        "Create images",
        family_of(Feature.IMAGES),
        ImageBody,
        ImagesReply,
        streams=True,
    ),
    Operation(
        "image_edits",
        "Change images",
        family_of(Feature.IMAGE_EDITS),
        ImageBody,
        ImagesReply,
        streams=True,
        form=ImageForm,
    ),
    Operation(
        "image_variations",
        "Create variations of an image",
        family_of(Feature.IMAGE_VARIATIONS),
        ImageForm,
        ImagesReply,
        form=ImageForm,
    ),
    Operation(
        "speech",
        "Read a text out",
        family_of(Feature.SPEECH),
        SpeechBody,
        None,
        streams=True,
        media=("audio/mpeg",),
    ),
    Operation(
        "transcription",
        "Write down speech",
        family_of(Feature.TRANSCRIPTION),
        SoundForm,
        TranscriptReply,
        streams=True,
        form=SoundForm,
        media=("text/plain",),
    ),
    Operation(
        "translation",
        "Write down speech in English",
        family_of(Feature.TRANSLATION),
        SoundForm,
        TranscriptReply,
        form=SoundForm,
        media=("text/plain",),
    ),
)


def components() -> dict[str, Any]:
    """Return the schemas of all bodies and replies."""
    rows = (kind for row in OPERATIONS for kind in (row.body, row.reply, row.error, row.form))
    types = dict.fromkeys(kind for kind in rows if kind is not None)
    return msgspec.json.schema_components(types, ref_template=_REF)[1]


def described_paths() -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the paths of all rows with what is done there."""
    for row in OPERATIONS:
        for path in (*sorted(row.family.paths), *row.family.templates()):
            yield path, {"post": _operation(row, path)}


def _operation(row: Operation, path: str) -> dict[str, Any]:
    return {
        "tags": [row.word],
        "summary": row.summary,
        "operationId": row.word + path.replace("/", "_").replace("{", "").replace("}", ""),
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in _NAMED.findall(path)
        ],
        "requestBody": {
            "required": True,
            "content": _taken(row),
        },
        "responses": {
            "200": {"description": row.summary, "content": _given(row)},
            **dict.fromkeys(_ERRORS, error_reply(row.error)),
            **({"408": error_reply(row.error)} if row.family is QUEUE else {}),
        },
    }


def _taken(row: Operation) -> dict[str, Any]:
    """Return what a request may be."""
    content: dict[str, Any] = {}
    if row.form is not row.body:
        content["application/json"] = {"schema": _ref(row.body)}
    if row.form is not None:
        content["multipart/form-data"] = {"schema": _ref(row.form)}
    return content


def _given(row: Operation) -> dict[str, Any]:
    """Return what a reply may be."""
    content: dict[str, Any] = {}
    if row.reply is not None:
        reply: dict[str, Any] = _ref(row.reply)
        listed = {"type": "array", "items": reply}
        content["application/json"] = {"schema": listed if row.is_listed else reply}
    for kind in (*row.media, *(("text/event-stream",) if row.streams else ())):
        content[kind] = {"schema": {"type": "string"}}
    return content


def error_reply(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the description of an error by its type, which is one of a row's."""
    return {"description": "An error", "content": {"application/json": {"schema": _ref(kind)}}}


def _ref(kind: type[msgspec.Struct]) -> dict[str, str]:
    return {"$ref": _REF.format(name=kind.__name__)}
