"""The chat request as clients may send it: typed, with ranges; unknown fields pass.

Ranges are those of OpenAI's reference and of the wire design, rows 12 to 24. Explicit null is the
same as absent: the Infuzu SDK sends every unset field as null.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

Weight = Annotated[float, Meta(ge=0, le=1000)]
Positive = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Cap = Annotated[float, Meta(ge=0)]
Penalty = Annotated[float, Meta(ge=-2, le=2)]
Percentiles = dict[str, float]
Role = Literal["system", "developer", "user", "assistant", "tool", "function"]


class WeightsBody(Struct):
    """How much each quantity counts in the choice of an upstream, 0 to 1000; null is the default."""

    price: Weight | None = None
    error: Weight | None = None
    start_latency: Weight | None = None
    end_latency: Weight | None = None
    quality: Weight | None = None


class ModelParams(Struct):
    """Which models may answer and what counts: Infuzu's model object.

    The cost limits are USD per million characters (a token counts as 4 characters).
    """

    llms: list[str] | None = None
    exclude_llms: list[str] | None = None
    weights: WeightsBody | None = None
    imsn: Positive | None = None
    max_input_cost: Cap | None = None
    max_output_cost: Cap | None = None


class Part(Struct):
    """One part of a message's content."""

    type: str
    text: str | None = None
    image_url: str | dict[str, Any] | None = None
    input_audio: str | dict[str, Any] | None = None
    file: dict[str, Any] | None = None


class FunctionCall(Struct):
    """A function's name and its arguments as JSON text."""

    name: str | None = None
    arguments: str | None = None


class ToolCallBody(Struct):
    """A tool call that the model made in an earlier turn."""

    id: str | None = None
    type: str | None = None
    function: FunctionCall | None = None


class Message(Struct):
    """One message of the conversation."""

    role: Role
    content: str | list[Part] | None = None
    content_parts: list[Part] | None = None
    name: str | None = None
    tool_calls: list[ToolCallBody] | None = None
    tool_call_id: str | None = None
    function_call: FunctionCall | None = None
    refusal: str | None = None
    audio: dict[str, Any] | None = None


class FunctionBody(Struct):
    """A function the model may call; `parameters` is a JSON schema."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(Struct):
    """A tool the model may call: a function, or one of a vendor's own, whatever its shape."""

    type: str | None = None
    function: FunctionBody | None = None


class JsonSchema(Struct):
    """The schema a structured answer must keep."""

    name: str
    schema: dict[str, Any] | None = None
    strict: bool | None = None
    description: str | None = None


class ResponseFormat(Struct):
    """`text`, `json_object` or `json_schema`."""

    type: str
    json_schema: JsonSchema | None = None


class StreamOptions(Struct):
    """What a stream carries beside the answer."""

    include_usage: bool | None = None


class UsageOptions(Struct):
    """`include`: give usage and cost in the reply."""

    include: bool | None = None


class ReasoningBody(Struct):
    """How much the model may reason before it answers."""

    effort: str | None = None
    max_tokens: int | None = None
    enabled: bool | None = None
    exclude: bool | None = None


class Sort(Struct):
    """What providers are sorted by."""

    by: Literal["price", "throughput", "latency"]


class ProviderBody(Struct):
    """Routing preferences of this request: Infron's and OpenRouter's provider object."""

    order: list[str] | None = None
    only: list[str] | None = None
    ignore: list[str] | None = None
    allow_fallbacks: bool | None = None
    sort: Literal["price", "throughput", "latency"] | Sort | None = None
    require_parameters: bool | None = None
    data_collection: Literal["allow", "deny"] | None = None
    zdr: bool | None = None
    quantizations: list[str] | None = None
    preferred_min_throughput: float | Percentiles | None = None
    preferred_max_latency: float | Percentiles | None = None
    rescue: bool | None = None


class ErrorRule(Struct):
    """Statuses of an upstream after which another model is tried, 400 included."""

    hint_array: list[int] | None = None


class FallbackRules(Struct):
    """When `fallback_models` are tried beyond what infway does by itself; other rules are read past."""

    error_code: ErrorRule | None = None


class ChatBody(Struct):
    """The body of a chat completion request. Fields not named here are passed to the model."""

    messages: Annotated[list[Message], Meta(min_length=1)] | None = None
    model: str | ModelParams | None = None
    prompt: str | list[str] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    usage: UsageOptions | None = None
    provider: ProviderBody | None = None
    fallback_models: list[str] | None = None
    fallback_rules: str | FallbackRules | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    stop: str | Annotated[list[str], Meta(max_length=4)] | None = None
    max_tokens: Positive | None = None
    max_completion_tokens: Positive | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    seed: int | None = None
    top_k: float | None = None
    user: str | None = None
    tools: Annotated[list[Tool], Meta(max_length=128)] | None = None
    functions: Annotated[list[FunctionBody], Meta(max_length=128)] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    modalities: list[str] | None = None
    audio: dict[str, Any] | None = None
    reasoning: ReasoningBody | None = None
    reasoning_effort: str | None = None
    prompt_cache_key: str | None = None
    metadata: dict[str, Any] | None = None
