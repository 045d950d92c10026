"""From a body to a request for embeddings: what the input is, and what is passed on."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from infway.api.gate import read_members
from infway.api.reading import missing, refuse, with_provider
from infway.api.schema import Positive, ProviderBody, UsageOptions
from infway.api.unreadable import not_json
from infway.kernel.chat import ChatRequest, Feature, Selection
from infway.kernel.errors import CallerError
from infway.pipeline.embedding import estimated_tokens

MOST_INPUTS = 2048  # of one request, as at OpenAI
TokenId = Annotated[int, Meta(ge=0, le=2**31 - 1)]
_Inputs = list[str] | list[list[int]]

# Fields that speak to infway, and those every model understands.
_OWN = frozenset({"model", "provider", "usage", "priority", "fallback_models"})
_PLAIN = frozenset({"input", "encoding_format", "user"})


class EmbeddingsBody(Struct):
    """The body of a request for embeddings. Fields not named here are passed to the upstream.

    `input`: a text, several, a list of token ids, or several such lists. `input_type` and
    `task_type`: what the vectors are for (`query`, `document`...), for models that tell it apart.
    """

    input: str | list[str | TokenId | list[TokenId]] | None = None
    model: str | None = None
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Positive | None = None
    user: str | None = None
    input_type: str | None = None
    task_type: str | None = None
    provider: ProviderBody | None = None
    usage: UsageOptions | None = None
    fallback_models: list[str] | None = None


_read_body = msgspec.json.Decoder(EmbeddingsBody).decode


def read_embeddings(
    body: bytes, request_id: str, path_model: str | None
) -> tuple[ChatRequest, bool]:
    """Return the request, and whether its cost is told; raises CallerError with the field."""
    said, fields = _read(body)
    inputs = _inputs(said)
    model = path_model if path_model is not None else said.model
    if model is None:
        raise missing("model")
    if not model.strip():
        raise _wrong("model", "must not be empty.")
    if said.fallback_models:
        raise _wrong("fallback_models", "vectors of different models cannot be compared.")
    selection = Selection(model=model)
    if said.provider is not None:
        selection = with_provider(selection, said.provider)
    passed = _passed_on(said, fields)
    ids = not isinstance(inputs[0], str)
    ask = ChatRequest(
        id=request_id,
        fields=passed,
        stream=False,
        selection=selection,
        features=Feature.EMBEDDINGS | (Feature.TOKEN_IDS if ids else Feature(0)),
        input_tokens=estimated_tokens(inputs),
        input_chars=sum(len(one) for one in inputs),
        output_tokens=None,
        affinity=None,
        parameters=frozenset(passed) - _PLAIN,
    )
    return ask, said.usage is not None and bool(said.usage.include)


def _read(body: bytes) -> tuple[EmbeddingsBody, dict[str, msgspec.Raw]]:
    try:
        if not body.isascii():
            body.decode()
        return _read_body(body), read_members(body)
    except msgspec.ValidationError as error:
        refuse(error, body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise not_json(body, error) from error


def _inputs(said: EmbeddingsBody) -> _Inputs:
    """Return the inputs, all texts or all lists of token ids; raises CallerError."""
    given = said.input
    if given is None:
        raise missing("input")
    if isinstance(given, str):
        return [given]
    kinds = [type(one) for one in given]
    odd = next((at for at, kind in enumerate(kinds) if kind is not kinds[0]), None)
    if odd is not None:
        raise _wrong(f"input[{odd}]", "must be of the same kind as input[0].")
    texts = [one for one in given if isinstance(one, str)]
    lists = [one for one in given if isinstance(one, list)]
    ids = [one for one in given if isinstance(one, int)]
    if [] in (given, *lists):
        raise _wrong(f"input[{lists.index([])}]" if given else "input", "must not be empty.")
    inputs = texts or lists or [ids]
    if len(inputs) > MOST_INPUTS:
        raise _wrong("input", f"has {len(inputs)} items, more than {MOST_INPUTS}.")
    return inputs


def _wrong(path: str, what: str) -> CallerError:
    return CallerError(400, "invalid_field", f"{path}: {what}", path)


def _passed_on(said: EmbeddingsBody, fields: dict[str, msgspec.Raw]) -> dict[str, object]:
    """Return the fields that go to an upstream: what is understood as values, the rest as sent."""
    return {
        name: getattr(said, name) if name in said.__struct_fields__ else value
        for name, value in fields.items()
        if name not in _OWN and bytes(value) != b"null"
    }
