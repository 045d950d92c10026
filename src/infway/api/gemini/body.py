"""The bodies of the Gemini API as clients may send them: typed, with ranges; unknown fields pass.

https://ai.google.dev/api/generate-content and Vertex AI's reference of the same. Names are those
after `spelling.camelled`; explicit null is the same as absent.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from infway.api.schema import Penalty, Positive, ProviderBody, UsageOptions

Name = Annotated[str, Meta(min_length=1)]
Role = Literal["user", "model", "function", ""]
Unit = Annotated[float, Meta(ge=0, le=1)]


class Blob(Struct, rename="camel"):
    """A medium: its data in base64."""

    mime_type: str
    data: str
    display_name: str | None = None


class FileData(Struct, rename="camel"):
    """A medium that is somewhere else."""

    file_uri: Name
    mime_type: str | None = None
    display_name: str | None = None


class FunctionCall(Struct, rename="camel"):
    """A call that the model made."""

    name: Name
    id: str | None = None
    args: dict[str, Any] | None = None


class ResponsePart(Struct, rename="camel"):
    """A medium in the result of a function."""

    inline_data: Blob | None = None
    file_data: FileData | None = None


class FunctionResponse(Struct, rename="camel"):
    """What a function answered."""

    name: Name
    id: str | None = None
    response: dict[str, Any] | None = None
    parts: list[ResponsePart] | None = None


class Part(Struct, rename="camel"):
    """One part of a content: exactly one of the kinds, and what goes with it."""

    text: str | None = None
    inline_data: Blob | None = None
    file_data: FileData | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None
    executable_code: dict[str, Any] | None = None
    code_execution_result: dict[str, Any] | None = None
    tool_call: dict[str, Any] | None = None
    tool_response: dict[str, Any] | None = None
    thought: bool | None = None
    thought_signature: str | None = None


class Content(Struct, rename="camel"):
    """What one speaker says; without a role it is the user's."""

    parts: list[Part] | None = None
    role: Role | None = None


class FunctionDeclaration(Struct, rename="camel"):
    """A function the model may call: its parameters in Google's own schema, or in JSON schema."""

    name: Name
    description: str | None = None
    parameters: dict[str, Any] | None = None
    parameters_json_schema: dict[str, Any] | None = None


class Tool(Struct, rename="camel"):
    """Functions; any other key is one of Google's own tools."""

    function_declarations: list[FunctionDeclaration] | None = None


class FunctionCallingConfig(Struct, rename="camel"):
    """Which functions have to be called. `mode`: AUTO, ANY, NONE or VALIDATED."""

    mode: str | None = None
    allowed_function_names: list[str] | None = None


class ToolConfig(Struct, rename="camel"):
    """How tools are used."""

    function_calling_config: FunctionCallingConfig | None = None


class ThinkingConfig(Struct, rename="camel"):
    """How much the model thinks: -1 tokens is as much as it likes. A level is one word."""

    include_thoughts: bool | None = None
    thinking_budget: Annotated[int, Meta(ge=-1, le=2**31 - 1)] | None = None
    thinking_level: str | None = None


class GenerationConfig(Struct, rename="camel"):
    """Sampling, limits, the form of the answer, thinking."""

    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Unit | None = None
    top_k: Annotated[float, Meta(ge=0, le=2**31 - 1)] | None = None
    max_output_tokens: Positive | None = None
    stop_sequences: Annotated[list[str], Meta(max_length=5)] | None = None
    seed: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    candidate_count: Annotated[int, Meta(ge=1, le=128)] | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    response_logprobs: bool | None = None
    logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    response_mime_type: str | None = None
    response_schema: dict[str, Any] | None = None
    response_json_schema: dict[str, Any] | None = None
    thinking_config: ThinkingConfig | None = None
    response_modalities: list[str] | None = None


class GenerateBody(Struct, rename="camel"):
    """The body of `generateContent` and `streamGenerateContent`, with infway's own fields."""

    contents: list[Content] | None = None
    system_instruction: Content | None = None
    tools: list[Tool] | None = None
    tool_config: ToolConfig | None = None
    generation_config: GenerationConfig | None = None
    safety_settings: list[dict[str, Any]] | None = None
    cached_content: str | None = None
    labels: dict[str, str] | None = None
    service_tier: str | None = None
    provider: ProviderBody | None = None
    fallback_models: list[str] | None = None
    usage: UsageOptions | None = None


class CountBody(Struct, rename="camel"):
    """The body of `countTokens`: a prompt, or all of a request."""

    contents: list[Content] | None = None
    system_instruction: Content | None = None
    tools: list[Tool] | None = None
    generation_config: GenerationConfig | None = None
    generate_content_request: GenerateBody | None = None


class EmbedConfig(Struct, rename="camel"):
    """How texts become vectors."""

    task_type: str | None = None
    title: str | None = None
    output_dimensionality: Positive | None = None


class EmbedBody(EmbedConfig, rename="camel"):
    """The body of `embedContent`: one content, which becomes one vector."""

    content: Content | None = None
    model: str | None = None
    embed_content_config: EmbedConfig | None = None
    provider: ProviderBody | None = None
    usage: UsageOptions | None = None


class BatchEmbedBody(Struct, rename="camel"):
    """The body of `batchEmbedContents`: requests that all want the same kind of vector."""

    requests: list[EmbedBody] | None = None
    provider: ProviderBody | None = None
    usage: UsageOptions | None = None
