"""From a body or a form to a request for work: what it is about, and what is passed on."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, NoReturn, TypeVar

import msgspec

from infway.api.gate import read_members
from infway.api.passing.schema import (
    ImageBody,
    ModerationBody,
    RerankBody,
    SpeechBody,
    WorkBody,
)
from infway.api.reading import missing, refuse, with_provider
from infway.api.unreadable import not_json
from infway.kernel.chat import ChatRequest, Feature, Selection
from infway.kernel.errors import CallerError
from infway.kernel.form import Form, Length, Part
from infway.kernel.work import WORKS, Trade
from infway.providers.passing.sounds import length_of
from infway.providers.shapes import as_text, is_object

_Body = TypeVar("_Body", bound=WorkBody)
_CHARS_PER_TOKEN = 4
_IMAGE_TOKENS = 800  # one image, as in chats
_PER_TOKEN = 100  # milliseconds: OpenAI counts ten tokens a second of sound that is heard
_OWN = frozenset({"model", "provider", "usage", "fallback_models"})
_LONGEST_FIELD = 64 * 1024  # bytes of a form's field that is no file
_SOUNDS = WORKS[Trade.TRANSCRIPTION]
_MODEL_IS_CHOSEN = Feature.MODERATION | WORKS[Trade.IMAGE]  # OpenAI has a usual model for these
_RERANK = msgspec.json.Decoder(RerankBody)
_MODERATION = msgspec.json.Decoder(ModerationBody)
_IMAGE = msgspec.json.Decoder(ImageBody)
_SPEECH = msgspec.json.Decoder(SpeechBody)
# Fields that every model of its trade understands, or that infway does itself
_PLAIN = frozenset(
    {
        "query",
        "documents",
        "top_n",
        "return_documents",
        "input",
        "prompt",
        "voice",
        "file",
        "stream",
    }
)


class Wanted(NamedTuple):
    """A request as it was read. `tells_cost`: its caller wants the cost in the reply."""

    ask: ChatRequest
    tells_cost: bool


class Caller(NamedTuple):
    """What is known before the body is read. `path_model`: the model that the path names."""

    request_id: str
    path_model: str | None
    require_model: bool


class _Size(NamedTuple):
    chars: int
    tokens: int
    stream: bool = False


def read_rerank(work: Feature, body: bytes, caller: Caller) -> Wanted:
    """Return a request to rank documents; raises CallerError with the field."""
    said, fields = _read(_RERANK, body)
    if said.query is None:
        raise missing("query")
    if said.documents is None:
        raise missing("documents")
    if not said.documents:
        _wrong("documents", "must not be empty.")
    top = fields.pop("top_k", None)
    if top is not None:
        fields.setdefault("top_n", top)
    texts = [one if isinstance(one, str) else as_text(one.get("text")) for one in said.documents]
    # the query is read with each document, as vendors count
    chars = sum(map(len, texts)) + len(said.query) * len(texts)
    return _wanted(work, said, fields, caller, _Size(chars, chars // _CHARS_PER_TOKEN))


def read_moderation(work: Feature, body: bytes, caller: Caller) -> Wanted:
    """Return a request to judge contents; raises CallerError with the field."""
    said, fields = _read(_MODERATION, body)
    if said.input is None:
        raise missing("input")
    parts: Sequence[object] = [said.input] if isinstance(said.input, str) else said.input
    texts = [as_text(one.get("text")) if is_object(one) else as_text(one) for one in parts]
    images = sum(is_object(one) and one.get("type") == "image_url" for one in parts)
    chars = sum(map(len, texts))
    tokens = chars // _CHARS_PER_TOKEN + images * _IMAGE_TOKENS
    return _wanted(work, said, fields, caller, _Size(chars, tokens))


def read_image(work: Feature, body: bytes, caller: Caller) -> Wanted:
    """Return a request for pictures; raises CallerError with the field."""
    said, fields = _read(_IMAGE, body)
    if said.prompt is None:
        raise missing("prompt")
    chars = len(said.prompt)
    images = _IMAGE_TOKENS if work is not Feature.IMAGES else 0
    size = _Size(chars, chars // _CHARS_PER_TOKEN + images, bool(said.stream))
    return _wanted(work, said, fields, caller, size)


def read_speech(work: Feature, body: bytes, caller: Caller) -> Wanted:
    """Return a request to read a text out; raises CallerError with the field."""
    said, fields = _read(_SPEECH, body)
    if said.input is None:
        raise missing("input")
    chars = len(said.input)
    stream = bool(said.stream) or said.stream_format == "sse"
    return _wanted(work, said, fields, caller, _Size(chars, chars // _CHARS_PER_TOKEN, stream))


Read = Callable[[Feature, bytes, Caller], Wanted]


def read_work_form(work: Feature, form: Form, caller: Caller) -> Wanted:
    """Return a request that came as a form with files; raises CallerError with the field."""
    needed = ("file",) if work & _SOUNDS else ("image", "image[]")
    files = form.named(*needed)
    if not files:
        raise missing(needed[0])
    fields = {name: text for part in form.parts for name, text in _field(form, part.name)}
    if work is Feature.IMAGE_EDITS and "prompt" not in fields:
        raise missing("prompt")
    chars = len(fields.get("prompt", ""))
    tokens = chars // _CHARS_PER_TOKEN
    if work & _SOUNDS:
        form = form._replace(heard=_heard(form, files))
        tokens += form.heard.milliseconds // _PER_TOKEN
    else:
        tokens += len(files) * _IMAGE_TOKENS
    stream = fields.get("stream", "").lower() in ("true", "1")
    said = WorkBody(model=fields.pop("model", None))
    wanted = _wanted(work, said, dict(fields), caller, _Size(chars, tokens, stream))
    return wanted._replace(ask=wanted.ask._replace(form=form))


def _heard(form: Form, files: Sequence[Part]) -> Length:
    lengths = [length_of(form.value(part)) for part in files]
    return Length(
        sum(one.milliseconds for one in lengths), guessed=any(one.guessed for one in lengths)
    )


def _field(form: Form, name: str) -> list[tuple[str, str]]:
    """Return a plain field of a form; raises CallerError where it is said twice, or is no text."""
    parts = [part for part in form.named(name) if part.filename is None]
    if not parts or name.endswith("[]"):
        return []
    if len(parts) > 1 and name in ("model", "prompt", "stream"):
        _wrong(name, "is there more than once.")
    value = form.value(parts[0])
    if len(value) > _LONGEST_FIELD:
        _wrong(name, f"is longer than {_LONGEST_FIELD} bytes.")
    try:
        return [(name, value.decode())]
    except UnicodeDecodeError as error:
        raise CallerError(400, "invalid_field", f"{name}: must be UTF-8.", name) from error


def _read(decoder: msgspec.json.Decoder[_Body], body: bytes) -> tuple[_Body, dict[str, object]]:
    """Return a body as its type, and its fields as they are passed on."""
    try:
        if not body.isascii():
            body.decode()
        said, fields = decoder.decode(body), read_members(body)
    except msgspec.ValidationError as error:
        refuse(error, body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise not_json(body, error) from error
    known = said.__struct_fields__
    return said, {
        name: getattr(said, name) if name in known else value
        for name, value in fields.items()
        if name not in _OWN and bytes(value) != b"null"
    }


def _wanted(
    work: Feature, said: WorkBody, fields: Mapping[str, object], caller: Caller, size: _Size
) -> Wanted:
    model = caller.path_model if caller.path_model is not None else said.model
    if model is None and (caller.require_model or work not in _MODEL_IS_CHOSEN):
        raise missing("model")
    if model is not None and not model.strip():
        _wrong("model", "must not be empty.")
    selection = Selection(model=model, fallback_models=tuple(said.fallback_models or ()))
    if said.provider is not None:
        selection = with_provider(selection, said.provider)
    ask = ChatRequest(
        id=caller.request_id,
        fields=fields,
        stream=size.stream,
        selection=selection,
        features=work,
        input_tokens=size.tokens,
        input_chars=size.chars,
        output_tokens=None,
        affinity=None,
        parameters=frozenset(fields) - _PLAIN,
    )
    return Wanted(ask, said.usage is not None and bool(said.usage.include))


def _wrong(path: str, what: str) -> NoReturn:
    raise CallerError(400, "invalid_field", f"{path}: {what}", path)
