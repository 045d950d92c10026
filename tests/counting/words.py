"""Chat completions put together: messages, parts, calls and functions."""

import json
from typing import Any

Json = dict[str, Any]


class Untold(Exception):
    """The request adds something that it does not show. The argument says what."""


def joined(said: Any) -> str:
    return said if isinstance(said, str) else "\n".join(block["text"] for block in said)


def text(text: str) -> Json:
    return {"type": "text", "text": text}


def image(url: str) -> Json:
    return {"type": "image_url", "image_url": {"url": url}}


def file(kind: str, data: str) -> Json:
    return {"type": "file", "file": {"filename": "f", "file_data": f"data:{kind};base64,{data}"}}


def call(id_: str, name: str, arguments: Any) -> Json:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": text}}


def result(id_: str, content: Any) -> Json:
    return {"role": "tool", "tool_call_id": id_, "content": content}


def function(name: str, description: str | None, schema: Any) -> Json:
    said = {"name": name, "description": description or "", "parameters": schema or {}}
    return {"type": "function", "function": said}


def chat(messages: list[Json], tools: list[Json]) -> Json:
    return {"messages": messages} | ({"tools": tools} if tools else {})
