"""Recorded requests of Bedrock's Converse as chat fields."""

import json

from tests.counting import words
from tests.counting.words import Json, Untold


def chat(body: Json) -> Json:
    """Bedrock's Converse."""
    if body.get("guardrailConfig") or body.get("promptVariables"):
        raise Untold("prompts at the vendor")
    system = "\n".join(block["text"] for block in body.get("system") or () if "text" in block)
    messages: list[Json] = [{"role": "system", "content": system}] if system else []
    for message in body["messages"]:
        messages += _message(message)
    tools = (body.get("toolConfig") or {}).get("tools") or ()
    specs = [tool["toolSpec"] for tool in tools if "toolSpec" in tool]
    return words.chat(
        messages,
        [
            words.function(one["name"], one.get("description"), one["inputSchema"]["json"])
            for one in specs
        ],
    )


def _message(message: Json) -> list[Json]:
    results: list[Json] = []
    parts: list[Json] = []
    calls: list[Json] = []
    for block in message["content"]:
        match block:
            case {"text": text}:
                parts.append(words.text(text))
            case {"toolUse": use}:
                calls.append(words.call(use["toolUseId"], use["name"], use["input"]))
            case {"toolResult": result}:
                said = [_answered(one) for one in result["content"]]
                results.append(words.result(result["toolUseId"], said))
            case {"image": {"format": form, "source": {"bytes": data}}}:
                parts.append(words.image(f"data:image/{form};base64,{data}"))
            case {"cachePoint": _} | {"reasoningContent": _}:
                pass
            case _:
                raise Untold(f"a part: {next(iter(block))}")
    said = {"role": message["role"], "content": parts} | ({"tool_calls": calls} if calls else {})
    return [*results, *([said] if parts or calls else [])]


def _answered(block: Json) -> Json:
    match block:
        case {"text": text}:
            return words.text(text)
        case {"json": value}:
            return words.text(json.dumps(value, ensure_ascii=False))
        case {"image": {"format": form, "source": {"bytes": data}}}:
            return words.image(f"data:image/{form};base64,{data}")
        case _:
            raise Untold(f"a part of a result: {next(iter(block))}")
