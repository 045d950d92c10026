"""What clients write into messages and tools that no typed part holds: listed, never lost in silence."""

from collections.abc import Iterator, Mapping

from infway.providers.shapes import Object, as_object, as_objects

_TOOL = frozenset({"type", "function", "cache_control"})
_FUNCTION = frozenset({"name", "description", "parameters", "strict", "cache_control"})
_MESSAGE = frozenset({"role", "content", "name", "tool_call_id", "refusal", "cache_control"})
_ASSISTANT = _MESSAGE | {
    "tool_calls", "function_call", "reasoning_details", "thinking_blocks", "reasoning",
    "reasoning_content",
    "prefix",  # Mistral's and DeepSeek's mark of a prefill, which its place says as well
}  # fmt: skip
_CALL = frozenset({"id", "type", "function", "index", "extra_content"})
_LOCATED = frozenset({"url", "detail"})
# What is read of a part, by its type; a type that is not here is refused where it is read
_PARTS: Mapping[str, frozenset[str]] = {
    "text": frozenset({"text"}),
    "refusal": frozenset({"refusal"}),
    "thinking": frozenset({"thinking", "signature"}),
    "redacted_thinking": frozenset({"data"}),
}
# The objects that hold a part's medium, by the key they stand under
_HOLDERS: Mapping[str, frozenset[str]] = {
    "image_url": _LOCATED,
    "video_url": _LOCATED,
    "document_url": _LOCATED,
    "file_url": _LOCATED,
    "input_audio": frozenset({"data", "format"}),
    "file": frozenset({"filename", "file_id", "file_data", "url"}),
}
_WISHES: Mapping[str, frozenset[str]] = {
    "response_format": frozenset({"type", "json_schema", "schema"}),
    "reasoning": frozenset({"effort", "max_tokens", "enabled"}),
    "thinking": frozenset({"type", "budget_tokens"}),
}


def losses(fields: Object) -> Iterator[str]:
    """Yield the paths of what is set in a request and read by nobody, such as `messages.audio`.

    What is null, empty or false says nothing and is not lost.
    """
    for message in as_objects(fields.get("messages")):
        yield from _of_message(message)
    for tool in as_objects(fields.get("tools")):
        if tool.get("type") == "function" and "function" in tool:
            yield from _unread("tools", tool, _TOOL)
            yield from _unread("tools", as_object(tool["function"]), _FUNCTION)
    for function in as_objects(fields.get("functions")):
        yield from _unread("functions", function, _FUNCTION)
    for name, read in _WISHES.items():
        yield from _unread(name, as_object(fields.get(name)), read)


def _unread(path: str, holder: Object, read: frozenset[str]) -> Iterator[str]:
    for key, value in holder.items():
        if key not in read and value not in (None, "", False, [], {}):
            yield f"{path}.{key}"


def _of_message(message: Object) -> Iterator[str]:
    is_models = message.get("role") == "assistant"
    yield from _unread("messages", message, _ASSISTANT if is_models else _MESSAGE)
    if message.get("cache_control") and not message.get("content"):
        yield "messages.cache_control"
    if message.get("tool_calls") and message.get("function_call"):
        yield "messages.function_call"
    for call in as_objects(message.get("tool_calls")):
        yield from _unread("messages.tool_calls", call, _CALL)
    for part in as_objects(message.get("content")):
        yield from _of_part(part)


def _of_part(part: Object) -> Iterator[str]:
    if part.get("text") == "" and part.get("cache_control"):
        yield "messages.content.cache_control"  # an empty text is not said
    kind = str(part.get("type"))
    read = _PARTS.get(kind, frozenset({kind})) | {"type", "cache_control"}
    yield from _unread("messages.content", part, read)
    for key in _HOLDERS.keys() & {kind}:
        yield from _unread(f"messages.content.{key}", as_object(part.get(key)), _HOLDERS[key])
