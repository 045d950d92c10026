"""The objects of a Gemini reply, as far as they are read.

https://ai.google.dev/api/generate-content#GenerateContentResponse
"""

import msgspec

_ABSENT = msgspec.Raw(b"")


class Function(msgspec.Struct, rename="camel"):
    """A call of a function; its arguments as they came."""

    id: str | None = None
    name: str | None = None
    args: msgspec.Raw = _ABSENT


class Blob(msgspec.Struct, rename="camel"):
    """A medium: its data in base64, or where it is."""

    mime_type: str | None = None
    data: str | None = None
    file_uri: str | None = None


class Part(msgspec.Struct, rename="camel"):
    """One part of a candidate. Google's own tools are kept as they came."""

    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: Function | None = None
    inline_data: Blob | None = None
    file_data: Blob | None = None
    executable_code: msgspec.Raw = _ABSENT
    code_execution_result: msgspec.Raw = _ABSENT
    tool_call: msgspec.Raw = _ABSENT
    tool_response: msgspec.Raw = _ABSENT


class Content(msgspec.Struct):
    """What a candidate says."""

    parts: list[Part] | None = None


class Candidate(msgspec.Struct, rename="camel"):
    """One answer. What is rarely needed is kept as it came."""

    content: Content | None = None
    finish_reason: str | int | None = None
    index: object = None
    grounding_metadata: msgspec.Raw = _ABSENT
    citation_metadata: msgspec.Raw = _ABSENT
    logprobs_result: msgspec.Raw = _ABSENT


class Frame(msgspec.Struct, rename="camel"):
    """One object of a reply: all of it, or what a stream says at once."""

    candidates: list[Candidate] | None = None
    usage_metadata: msgspec.Raw = _ABSENT
    prompt_feedback: msgspec.Raw = _ABSENT
    response_id: object = None
    error: object = None
