"""What clients write into messages and tools that no typed part holds: listed, never lost in silence."""

from collections.abc import Iterator, Mapping

from infway.providers.shapes import Object, as_list, as_object, is_object

_TOOL = frozenset({"type", "function", "cache_control"})
_FUNCTION = frozenset({"name", "description", "parameters", "strict", "cache_control"})
_MESSAGE = frozenset({"role", "content", "name", "tool_call_id", "refusal", "cache_control"})
_ASSISTANT = _MESSAGE | {
    "tool_calls", "function_call", "reasoning_details", "thinking_blocks", "reasoning",
    "reasoning_content",
    "prefix",  # Mistral's and DeepSeek's mark of a prefill, which its place says as well
}  # fmt: skip
_CALL = frozenset({"id", "type", "function", "index", "extra_content"})
_NOTHING: tuple[object, ...] = (None, "", False, [], {})
# What fields are read as that nobody has checked before
_THOUGHT_KINDS: Mapping[str, type[object]] = {
    "reasoning_details": list, "thinking_blocks": list, "reasoning": str, "reasoning_content": str,
}  # fmt: skip
_FUNCTION_KINDS: Mapping[str, type[object]] = {
    "description": str, "parameters": dict, "strict": bool,
}  # fmt: skip
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
    """Yield the paths of what is set in a request and read by nobody, as `messages[2].audio`.

    What is null, empty or false says nothing and is not lost.
    """
    for path, message in _placed("messages", fields.get("messages")):
        yield from _of_message(path, message)
    for path, tool in _placed("tools", fields.get("tools")):
        if tool.get("type") == "function" and "function" in tool:
            yield from _unread(path, tool, _TOOL)
            yield from _of_function(f"{path}.function", as_object(tool["function"]))
    for path, function in _placed("functions", fields.get("functions")):
        yield from _of_function(path, function)
    for name, read in _WISHES.items():
        yield from _unread(name, as_object(fields.get(name)), read)


def _placed(path: str, value: object) -> Iterator[tuple[str, Object]]:
    """Yield the objects of a list with their paths."""
    for place, one in enumerate(as_list(value)):
        if is_object(one):
            yield f"{path}[{place}]", one


def _unread(path: str, holder: Object, read: frozenset[str]) -> Iterator[str]:
    for key, value in holder.items():
        if key not in read and value not in _NOTHING:
            yield f"{path}.{key}"
    marker = holder.get("cache_control")
    if "cache_control" in read and marker not in _NOTHING:
        if not is_object(marker):
            yield f"{path}.cache_control"
        elif not isinstance(marker.get("ttl") or "", str):
            yield f"{path}.cache_control.ttl"


def _of_function(path: str, function: Object) -> Iterator[str]:
    yield from _unread(path, function, _FUNCTION)
    for key, kind in _FUNCTION_KINDS.items():
        yield from _misshapen(f"{path}.{key}", function.get(key), kind)


def _misshapen(path: str, value: object, kind: type[object]) -> Iterator[str]:
    """Yield where something is of another kind than it is read as: itself, or items of a list."""
    if value in _NOTHING:
        return
    if not isinstance(value, kind):
        yield path
    elif kind is list:
        for place, one in enumerate(as_list(value)):
            if not is_object(one):
                yield f"{path}[{place}]"


def _of_message(path: str, message: Object) -> Iterator[str]:
    is_models = message.get("role") == "assistant"
    yield from _unread(path, message, _ASSISTANT if is_models else _MESSAGE)
    if message.get("cache_control") and not message.get("content"):
        yield f"{path}.cache_control"
    if is_models:
        for key, kind in _THOUGHT_KINDS.items():
            yield from _misshapen(f"{path}.{key}", message.get(key), kind)
    if message.get("tool_calls") and message.get("function_call"):
        yield f"{path}.function_call"
    for at, call in _placed(f"{path}.tool_calls", message.get("tool_calls")):
        yield from _unread(at, call, _CALL)
        yield from _misshapen(f"{at}.extra_content", call.get("extra_content"), dict)
    for at, part in _placed(f"{path}.content", message.get("content")):
        yield from _of_part(at, part)


def _of_part(path: str, part: Object) -> Iterator[str]:
    if part.get("text") == "" and part.get("cache_control"):
        yield f"{path}.cache_control"  # an empty text is not said
    kind = str(part.get("type"))
    read = _PARTS.get(kind, frozenset({kind})) | {"type", "cache_control"}
    yield from _unread(path, part, read)
    for key in _HOLDERS.keys() & {kind}:
        yield from _unread(f"{path}.{key}", as_object(part.get(key)), _HOLDERS[key])
