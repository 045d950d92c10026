"""What a body of Cohere's v2 chat says, read by its reference and nothing else.

https://docs.cohere.com/reference/chat
"""

import re
from collections.abc import Iterator
from typing import Any

from tests.translation.chat_facts import arguments, form_of
from tests.translation.facts import (
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
    schema,
)

_NAMES = {
    "temperature": "temperature", "p": "top_p", "k": "top_k", "seed": "seed",
    "max_tokens": "max_tokens", "logprobs": "logprobs", "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
}  # fmt: skip
_CHOICES = {"REQUIRED": "required", "NONE": "none"}
_DATA = re.compile(r"data:([^;,]*);base64,(.*)", re.DOTALL)


def told(body: Json) -> Told:
    """Return the facts of a body."""
    facts = Told()
    calls = Calls()
    for message in body["messages"]:
        facts.said += _message(message, calls)
    for name, wish in _NAMES.items():
        facts.wish(wish, body.get(name))
    facts.wish("stop", tuple(body.get("stop_sequences", ())))
    strict = body.get("strict_tools", False)
    facts.wish("tools", tuple(_tool(tool["function"], strict) for tool in body.get("tools", [])))
    choice = body.get("tool_choice")
    facts.wish("choice", Choice(_CHOICES[choice]) if choice else None)
    facts.wish("form", _form(body.get("response_format", {})))
    facts.wish("effort", _effort(body.get("thinking", {})))
    return facts


def _message(message: Json, calls: Calls) -> Iterator[Fact]:
    who = message["role"]
    if who == "tool":
        yield Result(calls.answered(message["tool_call_id"]))
    if message.get("tool_plan"):
        yield Thought(message["tool_plan"])
    yield from _content(message.get("content", ""), who)
    for call in message.get("tool_calls", []):
        function = call["function"]
        said = arguments(function["arguments"])
        yield Called(calls.made(call["id"]), function["name"], said)


def _content(content: Any, who: str) -> Iterator[Fact]:
    if isinstance(content, str):
        yield Text(who, content)
        return
    for part in content:
        match part["type"]:
            case "text":
                yield Text(who, part["text"])
            case "thinking":
                yield Thought(part["thinking"])
            case "image_url":
                held = part["image_url"]
                yield _image(who, held["url"], held.get("detail", ""))
            case "document":
                data = part["document"]["data"]
                yield Text(who, data if isinstance(data, str) else next(iter(data.values())))
            case kind:
                raise AssertionError(kind)


def _image(who: str, url: str, detail: str) -> Media:
    found = _DATA.fullmatch(url)
    if found is None:
        return Media(who, "image", url, detail=detail)
    return Media(who, "image", found[2], form_of(found[1]), detail=detail)


def _tool(said: Json, strict: bool) -> Tool:
    return Tool(said["name"], said.get("description", ""), schema(said["parameters"]), strict)


def _form(said: Json) -> Form | None:
    if said.get("type", "text") == "text":
        return None
    held = said.get("json_schema")
    return Form("json_object") if held is None else Form("json_schema", schema(held))


def _effort(said: Json) -> Effort | None:
    match said.get("type"):
        case "disabled":
            return Effort(on=False)
        case "enabled":
            return Effort(True, "", said.get("token_budget"))
        case _:
            return None
