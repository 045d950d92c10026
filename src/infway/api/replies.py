"""The replies of chat completions and embeddings as types: what the API description shows and tests check."""

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

FinishReason = Literal["tool_calls", "stop", "length", "content_filter", "error"]


class ReplyMessage(Struct):
    """The model's answer."""

    role: str
    content: str | None = None
    refusal: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[dict[str, Any]] | None = None


class ServedBy(Struct):
    """Which model answered, and its place in the ranking (1 is the best)."""

    ref: str
    rank: int


class Latency(Struct):
    """Milliseconds from the receipt of the request to the first token and to the end."""

    start_latency: int
    end_latency: int


class ChoiceError(Struct):
    """Why a choice failed; the code is a number in streams of OpenAI's dialect."""

    code: str | int
    message: str


class ReplyChoice(Struct):
    """One answer. `text` stands in the place of `message` where a prompt was sent."""

    index: int
    finish_reason: FinishReason | None
    message: ReplyMessage | UnsetType = UNSET
    text: str | UnsetType = UNSET
    native_finish_reason: str | None = None
    model: ServedBy | None = None
    latency: Latency | None = None
    logprobs: dict[str, Any] | None = None
    error: ChoiceError | None = None


class ReplyUsage(Struct):
    """Tokens as counted by the upstream; details where it gave them."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: dict[str, Any] | None = None
    completion_tokens_details: dict[str, Any] | None = None


class CostDetails(Struct):
    """The parts of `cost`, in USD: `prompt_cost` and `completion_cost` are the whole of it."""

    prompt_cost: float
    completion_cost: float
    image_cost: float
    video_cost: float
    audio_cost: float
    native_web_search_cost: float
    plugin_web_search_cost: float
    tools_cost: float
    prompt_cache_read_cost: float
    prompt_cache_write_cost: float
    prompt_cache_write_5_min: float
    prompt_cache_write_1_h: float
    reasoning_cost: float
    discount_rate: float
    is_byok: bool
    byok_cost: float


class ChatReply(Struct):
    """A whole chat completion. `cost` in USD, where `usage.include` asked for it."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[ReplyChoice]
    usage: ReplyUsage
    system_fingerprint: str | None = None
    service_tier: str | None = None
    cost: float | UnsetType = UNSET
    cost_details: CostDetails | UnsetType = UNSET


class Embedding(Struct):
    """The vector of one input: numbers, or base64 of little-endian float32."""

    object: Literal["embedding"]
    index: int
    embedding: list[float] | str


class EmbeddingsUsage(Struct):
    """Tokens as counted by the upstream, or estimated; there are none but those of the inputs."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingsReply(Struct):
    """The vectors in the order of the inputs. `cost` in USD, where `usage.include` asked for it."""

    object: Literal["list"]
    data: list[Embedding]
    model: str
    usage: EmbeddingsUsage
    cost: float | UnsetType = UNSET
    cost_details: CostDetails | UnsetType = UNSET


class ErrorDetail(Struct):
    """What went wrong, in OpenAI's words; `param` is the field's path."""

    message: str
    type: str
    param: str | None
    code: str
    status: int


class ErrorEntry(Struct):
    """The same in Infuzu's words."""

    code: str
    message: str


class ErrorBody(Struct):
    """The one error body."""

    error: ErrorDetail
    errors: list[ErrorEntry]
    warnings: list[ErrorEntry]
    results: dict[str, Any]
