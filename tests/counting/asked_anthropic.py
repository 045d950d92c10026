"""Recorded requests of Anthropic's Messages API as chat fields."""

from typing import Any

from tests.counting import words
from tests.counting.words import Json, Untold


def chat(body: Json) -> Json:
    """Anthropic's messages, and requests to count their tokens."""
    if body.get("mcp_servers") or body.get("container") or body.get("context_management"):
        raise Untold("tools of the vendor's own")
    messages: list[Json] = []
    if body.get("system"):
        messages.append({"role": "system", "content": words.joined(body["system"])})
    for message in body["messages"]:
        messages += _message(message)
    said = words.chat(messages, [_tool(tool) for tool in body.get("tools") or ()])
    form = body.get("output_format") or (body.get("output_config") or {}).get("format")
    if form:
        schema = {"name": "answer", "schema": form["schema"]}
        said["response_format"] = {"type": "json_schema", "json_schema": schema}
    if (body.get("thinking") or {}).get("type", "disabled") != "disabled":
        said["thinking"] = body["thinking"]
    return said


def _message(message: Json) -> list[Json]:
    content = message["content"]
    if isinstance(content, str):
        return [{"role": message["role"], "content": content}]
    results: list[Json] = []
    parts: list[Json] = []
    calls: list[Json] = []
    for block in content:
        match block["type"]:
            case "tool_result":
                said = _parts(block.get("content") or "")
                results.append(words.result(block["tool_use_id"], said))
            case "tool_use":
                calls.append(words.call(block["id"], block["name"], block["input"]))
            case _:
                parts += _parts([block])
    said = {"role": message["role"], "content": parts} | ({"tool_calls": calls} if calls else {})
    return [*results, *([said] if parts or calls else [])]


def _parts(content: Any) -> list[Json]:
    if isinstance(content, str):
        return [words.text(content)]
    return [part for block in content for part in _part(block)]


def _part(block: Json) -> list[Json]:
    match block["type"]:
        case "text":
            return [words.text(block["text"])]
        case "thinking" | "redacted_thinking":
            return []  # of earlier turns it is not read again
        case "image" if block["source"]["type"] == "base64":
            source = block["source"]
            return [words.image(f"data:{source['media_type']};base64,{source['data']}")]
        case "document" if block["source"]["type"] == "text":
            return [words.text(block["source"]["data"])]
        case "document" if block["source"]["type"] == "base64":
            return [words.file("application/pdf", block["source"]["data"])]
        case kind:
            raise Untold(f"a part: {kind} {block.get('source', {}).get('type', '')}")


def _tool(tool: Json) -> Json:
    if tool.get("type", "custom") != "custom" or tool.get("defer_loading"):
        raise Untold("tools of the vendor's own")
    return words.function(tool["name"], tool.get("description"), tool["input_schema"])
