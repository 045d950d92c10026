"""The body of a Messages request and its reply: typed, with ranges; unknown fields pass.

https://platform.claude.com/docs/en/api/messages/create. Explicit null is the same as absent.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from infway.api.schema import FallbackRules, ModelParams, ProviderBody

Share = Annotated[float, Meta(ge=0, le=1)]
Object = dict[str, Any]


class MessageBody(Struct):
    """One message: a text, or blocks of content."""

    role: Literal["user", "assistant", "system"]
    content: str | list[Object]


class ThinkingBody(Struct):
    """Whether and how the model thinks: `enabled`, `adaptive` or `disabled`."""

    type: str
    budget_tokens: Annotated[int, Meta(ge=1)] | None = None
    display: str | None = None


class FormatBody(Struct):
    """The form of the answer: `json_schema`."""

    type: str
    schema: Object | None = None


class OutputBody(Struct):
    """How much effort the answer is worth, and its form."""

    effort: str | None = None
    format: FormatBody | None = None


class MetadataBody(Struct):
    """Who the request is for."""

    user_id: str | None = None


class ToolChoiceBody(Struct):
    """Which tools have to be called."""

    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class CountTokensBody(Struct, kw_only=True):
    """The body of a request that counts tokens. `provider` and the like are infway's own."""

    messages: Annotated[list[MessageBody], Meta(min_length=1)]
    model: str | ModelParams | None = None
    system: str | list[Object] | None = None
    tools: list[Object] | None = None
    tool_choice: ToolChoiceBody | None = None
    thinking: ThinkingBody | None = None
    output_config: OutputBody | None = None
    output_format: FormatBody | None = None
    cache_control: Object | None = None
    mcp_servers: list[Object] | None = None
    provider: ProviderBody | None = None
    fallback_models: list[str] | None = None
    fallback_rules: str | FallbackRules | None = None


class MessagesBody(CountTokensBody, kw_only=True):
    """The body of a Messages request."""

    max_tokens: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    stream: bool | None = None
    temperature: Share | None = None
    top_p: Share | None = None
    top_k: Annotated[int, Meta(ge=0)] | None = None
    stop_sequences: list[str] | None = None
    metadata: MetadataBody | None = None
    service_tier: str | None = None


class ToolBody(Struct):
    """A tool of the caller's own; `type` names those of Anthropic's."""

    name: str
    type: str | None = None
    description: str | None = None
    input_schema: Object | None = None
    strict: bool | None = None
    cache_control: Object | None = None


class TextBlock(Struct):
    """A text."""

    text: str


class ThinkingBlock(Struct):
    """What the model thought in an earlier turn, signed by its vendor."""

    thinking: str
    signature: str | None = None


class RedactedBlock(Struct):
    """What the model thought and does not show."""

    data: str


class ToolUseBlock(Struct):
    """A call of an earlier turn."""

    id: str
    name: str
    input: Object


class ToolResultBlock(Struct):
    """What a tool answered."""

    tool_use_id: str
    content: str | list[Object] | None = None
    is_error: bool | None = None


class SourceBody(Struct):
    """Where an image or a document is: in `data`, at `url`, uploaded as `file_id`, or blocks."""

    type: str
    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    file_id: str | None = None
    content: str | list[Object] | None = None


class MediaBlock(Struct):
    """An image or a document."""

    source: SourceBody
    title: str | None = None
    context: str | None = None
    citations: Object | None = None


class SearchResultBlock(Struct):
    """A result of the caller's own search."""

    source: str
    title: str
    content: list[Object]
    citations: Object | None = None


class UsageReply(Struct):
    """Tokens: `input_tokens` are those neither read from the cache nor written to it."""

    input_tokens: int
    output_tokens: int
    cache_read_input_tokens: int
    cache_creation_input_tokens: int
    cache_creation: dict[str, int]
    service_tier: str | None = None


class MessageReply(Struct):
    """A whole reply."""

    id: str
    type: Literal["message"]
    role: Literal["assistant"]
    model: str
    content: list[Object]
    stop_reason: str | None
    stop_sequence: str | None
    usage: UsageReply


class CountReply(Struct):
    """How many tokens a request has."""

    input_tokens: int


class AnthropicErrorDetail(Struct):
    """What went wrong: Anthropic's type of it, infway's code, and the field's path."""

    type: str
    message: str
    code: str
    param: str | None


class AnthropicError(Struct):
    """The body of an error."""

    type: Literal["error"]
    error: AnthropicErrorDetail
    request_id: str | None
