"""The request for a response as clients may send it: typed, with ranges; unknown fields pass.

https://platform.openai.com/docs/api-reference/responses/create. Items of the input are read by
their kind in `items.py`.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from infway.api.schema import Penalty, Positive, UsageOptions

Object = dict[str, Any]


class FormatBody(Struct):
    """The form of the answer; a schema stands beside its name, not below it as in chats."""

    type: Literal["text", "json_object", "json_schema"]
    name: str | None = None
    schema: Object | None = None
    strict: bool | None = None
    description: str | None = None


class TextWish(Struct):
    """How the answer is written."""

    format: FormatBody | None = None
    verbosity: str | None = None


class ReasoningWish(Struct):
    """How much the model may reason, and whether its thoughts are told as a summary."""

    effort: str | None = None
    summary: str | None = None
    generate_summary: str | None = None
    mode: str | None = None
    context: str | None = None


class ResponsesBody(Struct):
    """The body of a request for a response."""

    input: str | list[Object] | None = None
    model: str | Object | None = None
    instructions: str | None = None
    previous_response_id: str | None = None
    stream: bool | None = None
    stream_options: Object | None = None
    store: bool | None = None
    background: bool | None = None
    tools: Annotated[list[Object], Meta(max_length=128)] | None = None
    tool_choice: str | Object | None = None
    parallel_tool_calls: bool | None = None
    max_tool_calls: Positive | None = None
    text: TextWish | None = None
    reasoning: ReasoningWish | None = None
    max_output_tokens: Positive | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    include: list[str] | None = None
    metadata: Object | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    service_tier: str | None = None
    truncation: Literal["auto", "disabled"] | None = None
    moderation: Object | None = None
    context_management: list[Object] | None = None
    prompt: Object | None = None
    conversation: str | Object | None = None
    usage: UsageOptions | None = None


class FunctionBody(Struct):
    """A function the model may call; `parameters` is a JSON schema."""

    name: str
    description: str | None = None
    parameters: Object | None = None
    strict: bool | None = None


class ContentPart(Struct):
    """One part of a message, or of what a tool answered."""

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: str | Object | None = None
    video_url: str | None = None
    input_audio: Object | None = None
    file_id: str | None = None
    file_url: str | None = None
    file_data: str | None = None
    filename: str | None = None
    detail: str | None = None
    cache_control: Object | None = None
    prompt_cache_breakpoint: Object | None = None


class MessageItem(Struct):
    """A message of the input; that of an assistant may be an earlier answer."""

    role: Literal["user", "assistant", "system", "developer"]
    content: str | list[ContentPart]


class CallItem(Struct):
    """A call that the model made in an earlier turn. `arguments`: JSON as text."""

    call_id: str
    name: str
    arguments: str


class ResultItem(Struct):
    """What a function answered."""

    call_id: str
    output: str | list[ContentPart]


class ThoughtText(Struct):
    """A paragraph of the reasoning, or of its summary."""

    text: str


class ReasoningItem(Struct):
    """What the model thought in an earlier turn."""

    id: str | None = None
    summary: list[ThoughtText] | None = None
    content: list[ThoughtText] | None = None
    encrypted_content: str | None = None


class ReferenceItem(Struct):
    """An item that infway keeps, by its id."""

    id: str


class ResponseReply(Struct):
    """A whole response: what came out, and the settings it was made with."""

    id: str
    object: Literal["response"]
    created_at: int
    status: Literal["queued", "in_progress", "completed", "incomplete", "failed", "cancelled"]
    model: str
    output: list[Object]
    error: Object | None
    incomplete_details: Object | None
    instructions: str | None
    metadata: Object | None
    parallel_tool_calls: bool
    temperature: float | None
    tool_choice: str | Object
    tools: list[Object]
    top_p: float | None
    usage: Object | None = None
    previous_response_id: str | None = None
    store: bool | None = None
    background: bool | None = None
