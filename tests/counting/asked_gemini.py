"""Recorded requests of Gemini as chat fields."""

import json
from typing import Any

from tests.counting import words
from tests.counting.words import Json, Untold


def chat(body: Json) -> Json:
    """Return a request as chat fields; names are read in camel and in snake case."""
    body = _camel(body.get("generateContentRequest") or body)
    if body.get("cachedContent"):
        raise Untold("prompts at the vendor")
    contents = body["contents"]
    messages: list[Json] = []
    system = body.get("systemInstruction")
    if system:
        messages.append({"role": "system", "content": [_part(one) for one in _parts(system)]})
    for content in [contents] if isinstance(contents, dict) else contents:
        messages += _messages(content)
    config = body.get("generationConfig") or {}
    schema = config.get("responseJsonSchema") or config.get("responseSchema")
    form = {"type": "json_schema", "json_schema": {"name": "", "schema": schema}}
    return words.chat(messages, _tools(body)) | ({"response_format": form} if schema else {})


def _tools(body: Json) -> list[Json]:
    tools = body.get("tools") or []
    if any(tool.keys() - {"functionDeclarations"} for tool in tools):
        raise Untold("tools of the vendor's own")
    return [
        words.function(
            one["name"],
            one.get("description"),
            one.get("parametersJsonSchema") or one.get("parameters"),
        )
        for tool in tools
        for one in tool["functionDeclarations"]
    ]


def _messages(content: Json) -> list[Json]:
    role = "assistant" if content.get("role") == "model" else "user"
    said: list[Json] = []
    calls: list[Json] = []
    results: list[Json] = []
    for part in _parts(content):
        if "functionCall" in part:
            made = part["functionCall"]
            calls.append(words.call(made["name"], made["name"], made.get("args") or {}))
        elif "functionResponse" in part:
            got = part["functionResponse"]
            results.append(words.result(got["name"], json.dumps(got["response"])))
        elif not part.get("thought"):
            said.append(_part(part))
    message = {"role": role, "content": said} | ({"tool_calls": calls} if calls else {})
    return [*results, *([message] if said or calls else [])]


def _parts(content: Any) -> list[Json]:
    if isinstance(content, str):
        return [{"text": content}]
    parts = content["parts"]
    return [parts] if isinstance(parts, dict) else parts


def _part(part: Json) -> Json:
    if "text" in part:
        return words.text(part["text"])
    data = part.get("inlineData")
    if data is None:
        raise Untold(f"a part: {next(iter(part))}")
    kind = data["mimeType"]
    address = f"data:{kind};base64,{data['data']}"
    if kind.startswith("image/"):
        return words.image(address)
    if kind.startswith("audio/"):
        sound = {"data": data["data"], "format": kind.partition("/")[2]}
        return {"type": "input_audio", "input_audio": sound}
    if kind.startswith("video/"):
        return {"type": "video_url", "video_url": {"url": address}}
    return words.file(kind, data["data"])


_NAMES = {
    "inline_data": "inlineData", "mime_type": "mimeType", "function_call": "functionCall",
    "function_response": "functionResponse", "file_data": "fileData",
    "system_instruction": "systemInstruction", "function_declarations": "functionDeclarations",
    "generation_config": "generationConfig", "response_schema": "responseSchema",
}  # fmt: skip


def _camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {_NAMES.get(name, name): _camel(one) for name, one in value.items()}
    return [_camel(one) for one in value] if isinstance(value, list) else value
