"""Text completions as types: the request as clients may send it, and the reply.

Ranges are those of OpenAI's reference; explicit null is the same as absent. The prompt may be a
text, several, a list of token ids, or several such lists.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from infway.api.replies import (
    ChoiceError,
    CostDetails,
    FinishReason,
    Latency,
    ReplyUsage,
    ServedBy,
)
from infway.api.schema import (
    FallbackRules,
    ModelParams,
    Penalty,
    ProviderBody,
    StreamOptions,
    UsageOptions,
)

TokenId = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Prompt = str | list[str | TokenId | list[TokenId]]
Several = Annotated[int, Meta(ge=1, le=128)]


class TextBody(Struct):
    """The body of a text completion request. Fields not named here are passed to the model."""

    prompt: Prompt | None = None
    model: str | ModelParams | None = None
    suffix: str | None = None
    echo: bool | None = None
    best_of: Several | None = None
    logprobs: Annotated[int, Meta(ge=0, le=5)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    usage: UsageOptions | None = None
    provider: ProviderBody | None = None
    fallback_models: list[str] | None = None
    fallback_rules: str | FallbackRules | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    n: Several | None = None
    stop: str | Annotated[list[str], Meta(max_length=4)] | None = None
    max_tokens: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    logit_bias: dict[str, float] | None = None
    seed: int | None = None
    user: str | None = None


class TextLogprobs(Struct):
    """Log probabilities in the older format: one item of each list for each token."""

    tokens: list[str] | None = None
    token_logprobs: list[float | None] | None = None
    top_logprobs: list[dict[str, float] | None] | None = None
    text_offset: list[int] | None = None


class TextChoice(Struct):
    """One continuation. `reasoning`: what the model thought before, where a chat carried it."""

    index: int
    text: str
    finish_reason: FinishReason | None
    logprobs: TextLogprobs | None = None
    native_finish_reason: str | None = None
    model: ServedBy | None = None
    latency: Latency | None = None
    reasoning: str | None = None
    error: ChoiceError | None = None


class TextReply(Struct):
    """A whole text completion. `cost` in USD, where `usage.include` asked for it."""

    id: str
    object: Literal["text_completion"]
    created: int
    model: str
    choices: list[TextChoice]
    usage: ReplyUsage
    system_fingerprint: str | None = None
    cost: float | UnsetType = UNSET
    cost_details: CostDetails | UnsetType = UNSET
