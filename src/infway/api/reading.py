"""From a body to a ChatRequest: read once with types, once as raw fields that are passed on."""

from typing import NamedTuple, NoReturn
from zlib import crc32

import msgspec

from infway.api.gate import read_members
from infway.api.limits import LIMITS, check_limits
from infway.api.messages import spelled
from infway.api.misfit import misfit_of
from infway.api.schema import ChatBody, FallbackRules, Message, ModelParams, ProviderBody, Sort
from infway.api.unreadable import not_json
from infway.kernel.chat import ChatRequest, Feature, Selection, Weights
from infway.kernel.errors import CallerError, GatewayError

_read_body = msgspec.json.Decoder(ChatBody).decode
_read_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_write = msgspec.json.Encoder().encode

# Fields that speak to infway and mean nothing, or something else, to a model.
OWN = (
    "model",
    "prompt",
    "provider",
    "fallback_models",
    "fallback_rules",
    "usage",
    "stream_options",
    "priority",
)
# Fields every chat model takes; the others are parameters that a model may not support.
_PLAIN = frozenset({"messages", "stream", "max_tokens", "user", "metadata"})
_NOTHING = Feature(0)  # to name it again is two calls of Python's
_READ_TOO = ("tools", "functions", "response_format")
_IMAGE_TOKENS = 800  # one image, between OpenAI's low (85) and high (765 and more) detail
_MESSAGE_TOKENS = 3  # what each message adds, and once more for the reply: OpenAI's counting rule
_CACHEABLE = 4096  # bytes of messages from which vendors cache prompts (about 1,024 tokens)
_PARTS = {
    "image_url": Feature.VISION,
    "input_audio": Feature.AUDIO_IN,
    "file": Feature.FILES,
}


class Wishes(NamedTuple):
    """What the reply should look like.

    `text`: the caller sent a prompt and reads plain text. `flat`: the caller reads Infuzu's
    dialect, where usage is three integers alone.
    """

    stream: bool
    usage_chunk: bool
    cost: bool
    text: bool
    model_is_object: bool
    warnings: tuple[tuple[str, str], ...] = ()
    flat: bool = False


def read_chat(body: bytes, request_id: str, path_model: str | None) -> tuple[ChatRequest, Wishes]:
    """Return the request and what its caller wants back; raises CallerError with the field."""
    try:
        if not body.isascii():
            body.decode()
        chat = _read_body(body)
        fields = read_members(body)
    except msgspec.ValidationError as error:
        refuse(error, body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise not_json(body, error) from error
    messages = _prompted(chat) if chat.messages is None else check_messages(chat.messages)
    selection = _selection(chat, path_model)
    features, chars, tokens = _needs(chat, messages)
    fields = _passed_on(chat, fields)
    limit = chat.max_completion_tokens or chat.max_tokens
    parameters = frozenset(fields) - _PLAIN
    if limit is not None and not LIMITS.isdisjoint(parameters):
        check_limits(fields, limit)
    beside = sum([len(bytes(fields[name])) for name in _READ_TOO if name in fields])
    ask = ChatRequest(
        id=request_id,
        fields=fields,
        stream=bool(chat.stream),
        selection=selection,
        features=features,
        input_tokens=(chars + beside) // 4 + tokens,
        input_chars=chars,
        output_tokens=limit,
        affinity=_affinity(chat, bytes(fields["messages"])),
        parameters=parameters,
    )
    return ask, _wishes(chat, path_model)


def refuse(error: msgspec.ValidationError, sent: object = None) -> NoReturn:
    """Raise what is wrong with a body, with the path of the field; `sent`: the body."""
    path, words, is_missing = misfit_of(error, sent)
    if not path and words.startswith("Expected `object`"):
        raise CallerError(400, "invalid_request_body", "The body must be a JSON object.") from error
    code = "missing_required_field" if is_missing else "invalid_field"
    said = f"{path}: {words}" if path else words
    raise CallerError(400, code, said, path or None) from error


def below(path: str, refused: GatewayError) -> CallerError:
    """Return what is wrong with an object that stands at a path, as the body's own error."""
    status, code, words = refused.status, refused.code, refused.message
    if refused.param is None:
        return CallerError(status, code, f"{path}: {words}", path)
    said = f"{path}.{words}" if words.startswith(refused.param) else words
    return CallerError(status, code, said, f"{path}.{refused.param}")


def missing(path: str) -> CallerError:
    """Return the error that a field is not there."""
    return CallerError(400, "missing_required_field", f"{path} is required.", path)


def _prompted(chat: ChatBody) -> list[Message]:
    """Return the prompt as a message: what completions of texts, and Infuzu's clients, send."""
    if chat.prompt is None:
        raise missing("messages")
    text = chat.prompt if isinstance(chat.prompt, str) else "\n".join(chat.prompt)
    return [Message(role="user", content=text)]


def check_messages(messages: list[Message]) -> list[Message]:
    """Return the messages; raises CallerError where one says nothing and may not be silent."""
    for i, message in enumerate(messages):
        content = message.content if message.content is not None else message.content_parts
        if content is None and message.role not in ("assistant", "function"):
            raise missing(f"messages[{i}].content")
        if isinstance(content, list):
            for j, part in enumerate(content):
                if part.type == "text" and part.text is None:
                    raise missing(f"messages[{i}].content[{j}].text")
    return messages


def _selection(chat: ChatBody, path_model: str | None) -> Selection:
    model = path_model if path_model is not None else chat.model
    if isinstance(model, str) and not model.strip():
        raise CallerError(400, "invalid_field", "model: must not be empty.", "model")
    fallbacks = tuple(chat.fallback_models or ())
    rules = chat.fallback_rules
    rule = rules.error_code if isinstance(rules, FallbackRules) else None
    selection = Selection(
        model=model if isinstance(model, str) else None, fallback_models=fallbacks
    )
    if rule is not None:
        selection = selection._replace(fallback_statuses=tuple(rule.hint_array or ()))
    if isinstance(model, ModelParams):
        selection = _with_params(selection, model)
        if selection.imsn > 1 and (chat.n or 1) > 1:
            raise CallerError(400, "invalid_field", "n: must be 1 where model.imsn is not.", "n")
    if chat.provider is not None:
        selection = with_provider(selection, chat.provider)
    return selection


def _with_params(selection: Selection, params: ModelParams) -> Selection:
    weights = params.weights
    return selection._replace(
        llms=tuple(params.llms or ()),
        exclude_llms=tuple(params.exclude_llms or ()),
        weights=None
        if weights is None
        else Weights(
            weights.price,
            weights.error,
            weights.start_latency,
            weights.end_latency,
            weights.quality,
        ),
        imsn=params.imsn or 1,
        max_input_cost=params.max_input_cost,
        max_output_cost=params.max_output_cost,
    )


def with_provider(selection: Selection, provider: ProviderBody) -> Selection:
    """Return a selection with what the provider object says."""
    sort = provider.sort.by if isinstance(provider.sort, Sort) else provider.sort
    return selection._replace(
        order=tuple(provider.order or ()),
        only=tuple(provider.only or ()),
        ignore=tuple(provider.ignore or ()),
        allow_fallbacks=provider.allow_fallbacks is not False,
        sort=sort,
        require_parameters=bool(provider.require_parameters),
        data_collection=provider.data_collection,
        zdr=bool(provider.zdr),
        quantizations=tuple(provider.quantizations or ()),
        max_latency=_percentile(provider.preferred_max_latency),
        min_throughput=_percentile(provider.preferred_min_throughput),
        rescue=provider.rescue is not False,
    )


def _percentile(value: float | dict[str, float] | None) -> float | None:
    """Of several percentiles the median is compared, as infway predicts medians."""
    if isinstance(value, dict):
        return value.get("p50", next(iter(value.values()), None))
    return value


def _needs(chat: ChatBody, messages: list[Message]) -> tuple[Feature, int, int]:
    """Return what the request needs, its characters, and the tokens that are no characters."""
    features = _NOTHING
    chars = 0
    tokens = _MESSAGE_TOKENS
    for message in messages:
        tokens += _MESSAGE_TOKENS
        content = message.content if message.content is not None else message.content_parts
        if isinstance(content, str):
            chars += len(content)
        elif content is not None:
            for part in content:
                chars += len(part.text or "")
                feature = _PARTS.get(part.type)
                if feature is not None:
                    features |= feature | _remote(part.image_url)
                    tokens += _IMAGE_TOKENS
    last = messages[-1]
    if last.role == "assistant" and not last.tool_calls:
        features |= Feature.PREFILL
    asked = _asked(chat)
    return asked if features is _NOTHING else features | asked, chars, tokens


def _remote(image: str | dict[str, object] | None) -> Feature:
    """Tell whether an image is given by an address that somebody has to fetch."""
    url = image.get("url") if isinstance(image, dict) else image
    is_remote = isinstance(url, str) and url.startswith(("http://", "https://"))
    return Feature.REMOTE_MEDIA if is_remote else _NOTHING


def _asked(chat: ChatBody) -> Feature:
    features = _NOTHING
    form = chat.response_format.type if chat.response_format is not None else None
    for needed, feature in (
        (chat.tools or chat.functions, Feature.TOOLS),
        (form == "json_object", Feature.JSON_OBJECT),
        (form == "json_schema", Feature.JSON_SCHEMA),
        (chat.reasoning or chat.reasoning_effort, Feature.REASONING),
        (chat.logprobs, Feature.LOGPROBS),
        ((chat.n or 1) > 1, Feature.SEVERAL),
        (chat.modalities and "audio" in chat.modalities, Feature.AUDIO_OUT),
    ):
        if needed:
            features |= feature
    return features


def _passed_on(chat: ChatBody, fields: dict[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    """Return the fields that go to the model: not infway's own, and none that is null."""
    for name in OWN:
        fields.pop(name, None)
    for name in [name for name, value in fields.items() if bytes(value) == b"null"]:
        del fields[name]
    if chat.messages is None:
        text = _prompted(chat)[0].content
        fields["messages"] = msgspec.Raw(_write([{"role": "user", "content": text}]))
    else:
        fields["messages"] = spelled(fields["messages"])
    effort = chat.reasoning.effort if chat.reasoning is not None else None
    if effort is not None and "reasoning_effort" not in fields:
        fields["reasoning_effort"] = msgspec.Raw(_write(effort))
        if _read_fields(fields["reasoning"]).keys() == {"effort"}:
            del fields["reasoning"]
    return fields


def _affinity(chat: ChatBody, messages: bytes) -> int | None:
    """Return a number that is the same in every process: replicas tell one another."""
    if chat.prompt_cache_key is not None:
        return crc32(chat.prompt_cache_key.encode(errors="surrogatepass"))
    return crc32(messages[:_CACHEABLE]) if len(messages) >= _CACHEABLE else None


def _wishes(chat: ChatBody, path_model: str | None) -> Wishes:
    cost = chat.usage is not None and bool(chat.usage.include)
    options = chat.stream_options
    model = path_model or chat.model
    warnings: tuple[tuple[str, str], ...] = ()
    if isinstance(model, ModelParams) and model.llms and model.exclude_llms:
        text = "Both llms and exclude_llms are given: the models in llms without the excluded ones."
        warnings = (("llms_and_exclude_llms", text),)
    return Wishes(
        stream=bool(chat.stream),
        usage_chunk=cost or (options is not None and bool(options.include_usage)),
        cost=cost,
        text=chat.messages is None,
        model_is_object=not isinstance(model, str),
        warnings=warnings,
    )
