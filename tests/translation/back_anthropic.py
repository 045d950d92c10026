"""What a body of Anthropic's Messages API says, read by its reference and nothing else.

https://platform.claude.com/docs/en/api/messages
"""

from collections.abc import Iterator
from typing import Any

from tests.translation.chat_facts import form_of
from tests.translation.facts import (
    Cached,
    Called,
    Calls,
    Choice,
    Effort,
    Fact,
    Form,
    Json,
    Media,
    Result,
    Text,
    Thought,
    Told,
    Tool,
    canonical,
    encoded,
    schema,
)

_PLAIN = ("temperature", "top_p", "top_k", "max_tokens", "service_tier")
_MODES = {"auto": "auto", "any": "required", "none": "none"}


def told(body: Json) -> Told:
    """Return the facts of a body."""
    facts = Told()
    calls = Calls()
    facts.said += _blocks(body.get("system", []), "system", calls)
    for message in body["messages"]:
        facts.said += _blocks(message["content"], message["role"], calls)
    for name in _PLAIN:
        facts.wish(name, body.get(name))
    facts.wish("stop", tuple(body.get("stop_sequences", ())))
    facts.wish("user", body.get("metadata", {}).get("user_id"))
    facts.wish("tools", tuple(_tool(tool) for tool in body.get("tools", [])))
    choice = body.get("tool_choice", {})
    facts.wish("parallel", False if choice.get("disable_parallel_tool_use") else None)
    facts.wish("choice", _choice(choice))
    config = body.get("output_config", {})
    facts.wish("form", _form(config.get("format", {})))
    facts.wish("effort", _effort(body.get("thinking", {}), config))
    return facts


def _blocks(content: Any, who: str, calls: Calls) -> Iterator[Fact]:
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    for block in content:
        yield from _block(block, who, calls)
        if "cache_control" in block:
            yield Cached(block["cache_control"].get("ttl", "5m"))


def _block(block: Json, who: str, calls: Calls) -> Iterator[Fact]:
    match block["type"]:
        case "text":
            yield Text(who, block["text"])
        case "image" | "document" as kind:
            yield _media(block, who, "image" if kind == "image" else "file")
        case "tool_use":
            yield Called(calls.made(block["id"]), block["name"], canonical(block["input"]))
        case "tool_result":
            yield Result(calls.answered(block["tool_use_id"]))
            yield from _blocks(block.get("content", []), "tool", calls)
        case "thinking":
            yield Thought(block["thinking"], block["signature"], "anthropic-claude-v1")
        case "redacted_thinking":
            yield Thought("", block["data"], "anthropic-claude-v1")
        case kind:
            raise AssertionError(kind)


def _media(block: Json, who: str, kind: str) -> Media:
    source, name = block["source"], block.get("title", "")
    match source["type"]:
        case "base64":
            return Media(who, kind, source["data"], form_of(source["media_type"]), name)
        case "text":
            return Media(who, kind, encoded(source["data"]), "txt", name)
        case "url":
            return Media(who, kind, source["url"], "", name)
        case _:
            return Media(who, kind, source["file_id"], "", name)


def _tool(tool: Json) -> Tool:
    marker = tool.get("cache_control")
    return Tool(
        tool["name"],
        tool.get("description", ""),
        schema(tool["input_schema"]),
        tool.get("strict", False),
        marker.get("ttl", "5m") if marker else "",
    )


def _choice(said: Json) -> Choice | None:
    if not said:
        return None
    if said["type"] == "tool":
        return Choice("function", said["name"])
    return Choice(_MODES[said["type"]])


def _form(said: Json) -> Form | None:
    if not said:
        return None
    held = {key: value for key, value in said["schema"].items() if key != "title"}
    description = held.pop("description", "")
    return Form("json_schema", schema(held), description)


def _effort(thinking: Json, config: Json) -> Effort | None:
    match thinking.get("type"):
        case "disabled":
            return Effort(on=False)
        case "enabled":
            return Effort(True, "", thinking["budget_tokens"])
        case "adaptive":
            return Effort(True, config.get("effort", ""))
        case _:
            return Effort(None, config.get("effort", ""))
