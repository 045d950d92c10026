"""What a body of OpenAI Responses says, read by its reference and nothing else.

https://platform.openai.com/docs/api-reference/responses/create
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

_PLAIN = (
    "temperature", "top_p", "top_logprobs", "user", "metadata", "service_tier", "store",
    "prompt_cache_key", "safety_identifier",
)  # fmt: skip
_DATA = re.compile(r"data:([^;,]*);base64,(.*)", re.DOTALL)
_WHO = {"developer": "system", "system": "system", "user": "user", "assistant": "assistant"}
_FORM = "openai-responses-v1"


def told(body: Json) -> Told:
    """Return the facts of a body."""
    facts = Told()
    calls = Calls()
    facts.said.append(Text("system", body.get("instructions", "")))
    for item in body["input"]:
        facts.said += _item(item, calls)
    for name in _PLAIN:
        facts.wish(name, body.get(name))
    facts.wish("max_tokens", body.get("max_output_tokens"))
    facts.wish("logprobs", "message.output_text.logprobs" in body.get("include", []))
    facts.wish("parallel", body.get("parallel_tool_calls"))
    facts.wish("tools", tuple(_tool(tool) for tool in body.get("tools", [])))
    facts.wish("choice", _choice(body.get("tool_choice")))
    text = body.get("text", {})
    facts.wish("verbosity", text.get("verbosity"))
    facts.wish("form", _form(text.get("format", {})))
    facts.wish("effort", _effort(body.get("reasoning")))
    return facts


def _item(item: Json, calls: Calls) -> Iterator[Fact]:
    match item.get("type", "message"):
        case "message":
            yield from _content(item["content"], _WHO[item["role"]])
        case "function_call":
            number = calls.made(item["call_id"])
            yield Called(number, item["name"], arguments(item["arguments"]))
        case "function_call_output":
            yield Result(calls.answered(item["call_id"]))
            yield from _content(item["output"], "tool")
        case "reasoning":
            for part in [*item["summary"], *item.get("content", [])]:
                yield Thought(part["text"], "", _FORM)
            if item.get("encrypted_content"):
                yield Thought("", item["encrypted_content"], _FORM)
        case kind:
            raise AssertionError(kind)


def _content(content: Any, who: str) -> Iterator[Fact]:
    if isinstance(content, str):
        yield Text(who, content)
        return
    for part in content:
        match part["type"]:
            case "input_text" | "output_text":
                yield Text(who, part["text"])
            case "refusal":
                yield Text(who, part["refusal"])
            case "input_image":
                detail = part.get("detail", "")
                yield _located(who, "image", part["image_url"], "", detail)
            case "input_file":
                place = part.get("file_data") or part.get("file_url") or part["file_id"]
                yield _located(who, "file", place, part.get("filename", ""), "")
            case kind:
                raise AssertionError(kind)


def _located(who: str, kind: str, place: str, name: str, detail: str) -> Media:
    found = _DATA.fullmatch(place)
    if found is None:
        return Media(who, kind, place, "", name, detail)
    return Media(who, kind, found[2], form_of(found[1]), name, detail)


def _tool(said: Json) -> Tool:
    description = said.get("description") or ""
    return Tool(said["name"], description, schema(said["parameters"]), said["strict"])


def _choice(said: Any) -> Choice | None:
    if said is None or isinstance(said, str):
        return Choice(said) if said else None
    if said["type"] == "allowed_tools":
        return Choice(said["mode"], allowed=tuple(tool["name"] for tool in said["tools"]))
    return Choice("function", said["name"])


def _form(said: Json) -> Form | None:
    match said.get("type", "text"):
        case "text":
            return None
        case "json_schema":
            return Form("json_schema", schema(said["schema"]), said.get("description") or "")
        case kind:
            return Form(kind)


def _effort(said: Json | None) -> Effort | None:
    if said is None:
        return None
    level = said.get("effort") or ""
    return Effort(on=False) if level == "none" else Effort(True, level)
