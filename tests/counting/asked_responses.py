"""Recorded requests of OpenAI's Responses API as chat fields."""

from typing import Any

from tests.counting import words
from tests.counting.words import Json, Untold

_STORED = ("previous_response_id", "conversation", "prompt", "context_management", "background")


def chat(body: Json) -> Json:
    """Return a request as chat fields."""
    if any(body.get(name) for name in _STORED):
        raise Untold("prompts at the vendor")
    messages: list[Json] = []
    if body.get("instructions"):
        messages.append({"role": "system", "content": body["instructions"]})
    said = body["input"]
    for item in [{"role": "user", "content": said}] if isinstance(said, str) else said:
        _add(messages, item)
    form = (body.get("text") or {}).get("format") or {}
    tools = [_tool(tool) for tool in body.get("tools") or ()]
    wish = {"response_format": {"type": "json_schema", "json_schema": form}}
    return words.chat(messages, tools) | (wish if form.get("schema") else {})


def _add(messages: list[Json], item: Json) -> None:
    match item.get("type", "message"):
        case "message":
            messages.append({"role": item["role"], "content": _content(item["content"])})
        case "function_call":
            call = words.call(item["call_id"], item["name"], item["arguments"])
            if messages and messages[-1].get("tool_calls"):
                messages[-1]["tool_calls"].append(call)
            else:
                messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        case "function_call_output":
            messages.append(words.result(item["call_id"], _content(item["output"])))
        case kind:
            raise Untold(f"an item: {kind}")


def _content(content: Any) -> Any:
    return content if isinstance(content, str) else [_part(part) for part in content]


def _part(part: Json) -> Json:
    match part["type"]:
        case "input_text" | "output_text":
            return words.text(part["text"])
        case "input_image" if part.get("image_url"):
            url = {"url": part["image_url"], "detail": part.get("detail") or "auto"}
            return {"type": "image_url", "image_url": url}
        case "input_file" if part.get("file_data"):
            return {"type": "file", "file": {"filename": "f", "file_data": part["file_data"]}}
        case kind:
            raise Untold(f"a part: {kind}")


def _tool(tool: Json) -> Json:
    if tool["type"] != "function":
        raise Untold("tools of the vendor's own")
    return words.function(tool["name"], tool.get("description"), tool.get("parameters"))
