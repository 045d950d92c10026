"""The facts of a request in OpenAI's words, read from its JSON alone."""

import json
import re
from collections.abc import Iterator
from typing import Any

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
    schema,
)

_PLAIN = (
    "temperature", "top_p", "top_k", "seed", "n", "logprobs", "top_logprobs", "presence_penalty",
    "frequency_penalty", "user", "metadata", "service_tier", "store", "prompt_cache_key",
    "safety_identifier", "verbosity", "logit_bias", "min_p", "prediction", "modalities",
)  # fmt: skip
_DATA = re.compile(r"data:([^;,]*);base64,(.*)", re.DOTALL)


def told(body: Json) -> Told:
    """Return the facts of a request."""
    facts = Told()
    calls = Calls()
    for message in body["messages"]:
        facts.said += _message(message, calls)
    if any(one.get("name") for one in body["messages"] if one["role"] not in ("tool", "function")):
        facts.wish("names", value=True)
    for name in _PLAIN:
        facts.wish(name, body.get(name))
    stop = body.get("stop")
    facts.wish("stop", (stop,) if isinstance(stop, str) else tuple(stop or ()))
    facts.wish("max_tokens", body.get("max_completion_tokens") or body.get("max_tokens"))
    facts.wish("parallel", body.get("parallel_tool_calls"))
    facts.wish("tools", tuple(_tools(body)))
    facts.wish("choice", _choice(body.get("tool_choice") or body.get("function_call")))
    facts.wish("form", _form(body.get("response_format") or {}))
    facts.wish("effort", _effort(body))
    return facts


def _message(message: Json, calls: Calls) -> Iterator[Fact]:
    role = {"developer": "system", "function": "tool"}.get(message["role"], message["role"])
    yield Text(role, "")  # a message says whose turn it is, if nothing else
    if role == "tool":
        id_ = message.get("tool_call_id") or f"function {message['name']}"
        yield Result(calls.answered(id_))
    details = message.get("reasoning_details") or []
    proofs = {one["id"]: one["data"] for one in details if _signs_a_call(one)}
    yield from (_thought(item) for item in details if not _signs_a_call(item))
    for block in message.get("thinking_blocks", ()):
        proof = block.get("signature") or block.get("data")
        yield Thought(block.get("thinking", ""), proof, "anthropic-claude-v1")
    if message.get("reasoning_content") or message.get("reasoning"):
        yield Thought(message.get("reasoning_content") or message["reasoning"])
    yield from _content(message, role)
    if message.get("refusal"):
        yield Text(role, message["refusal"])
    for call in message.get("tool_calls") or []:
        google = call.get("extra_content", {}).get("google", {})
        proof = google.get("thought_signature") or proofs.get(call["id"], "")
        yield _call(call["function"], calls.made(call["id"]), proof)
    if message.get("function_call"):
        function = message["function_call"]
        yield _call(function, calls.made(f"function {function['name']}"), "")


def _content(message: Json, who: str) -> Iterator[Fact]:
    content, marker = message.get("content"), message.get("cache_control")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
        marker = marker if content[0]["text"] else None
    for place, part in enumerate(content or []):
        yield _part(part, who)
        last = marker if place == len(content) - 1 else None
        if last or part.get("cache_control"):
            yield Cached((last or part["cache_control"]).get("ttl", "5m"))


def _part(part: Json, who: str) -> Fact:
    held = part[part["type"]]
    match part["type"]:
        case "text" | "refusal":
            return Text(who, held)
        case "image_url":
            return _located(who, "image", held["url"], detail=held.get("detail") or "")
        case "input_audio":
            return Media(who, "audio", held["data"], held["format"])
        case "file" if "file_id" in held:
            return Media(who, "file", held["file_id"])
        case "file":
            return _located(who, "file", held["file_data"], name=held.get("filename") or "")
        case kind:
            raise AssertionError(kind)


def _located(who: str, kind: str, url: str, **said: str) -> Media:
    found = _DATA.fullmatch(url)
    if found is None:
        return Media(who, kind, url, **said)
    return Media(who, kind, found[2], form_of(found[1]), **said)


def form_of(media_type: str) -> str:
    """Return the short name of a media type, the same in every dialect."""
    form = media_type.rpartition("/")[2].lower()
    return {"jpg": "jpeg", "plain": "txt", "mpeg": "mp3", "markdown": "md"}.get(form, form)


def _call(function: Json, number: int, proof: str) -> Called:
    return Called(number, function["name"], arguments(function["arguments"]), proof)


def arguments(text: str) -> str:
    """Return the object that a text is, sorted; the text itself where it is none."""
    try:
        value: Any = json.loads(text, parse_constant=_refuse) if text.strip() else {}
    except ValueError:
        return text
    return canonical(value) if isinstance(value, dict) else text


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _signs_a_call(item: Json) -> bool:
    """Gemini signs calls; such an item bears the id of the call."""
    return bool(item.get("format") == "google-gemini-v1" and item.get("id") and item.get("data"))


def _thought(item: Json) -> Thought:
    text = item.get("text") or item.get("summary") or ""
    return Thought(text, item.get("signature") or item.get("data") or "", item.get("format") or "")


def _tools(body: Json) -> Iterator[Tool]:
    legacy = [{"function": one} for one in body.get("functions") or []]
    for tool in [*legacy, *(body.get("tools") or [])]:
        function, marker = tool["function"], tool.get("cache_control")
        yield Tool(
            function["name"],
            function.get("description") or "",
            schema(function.get("parameters")),
            bool(function.get("strict")),
            marker.get("ttl", "5m") if marker else "",
        )


def _choice(said: Any) -> Choice | None:
    if said is None or isinstance(said, str):
        return Choice(said) if said else None
    if said.get("type") == "allowed_tools":
        allowed = said["allowed_tools"]
        names = tuple(tool["function"]["name"] for tool in allowed["tools"])
        return Choice(allowed["mode"], allowed=names)
    return Choice("function", (said.get("function") or said)["name"])


def _form(said: Json) -> Form | None:
    match said.get("type", "text"):
        case "text":
            return None
        case "json_schema":
            held = said["json_schema"]
            return Form("json_schema", schema(held["schema"]), held.get("description") or "")
        case kind:
            return Form(kind)


def _effort(body: Json) -> Effort | None:
    reasoning, thinking = body.get("reasoning") or {}, body.get("thinking") or {}
    level = body.get("reasoning_effort") or reasoning.get("effort") or ""
    budget = reasoning.get("max_tokens") or thinking.get("budget_tokens")
    if level == "none" or thinking.get("type") == "disabled" or reasoning.get("enabled") is False:
        return Effort(on=False)
    if level or budget or reasoning.get("enabled") or thinking:
        return Effort(True, level, budget)
    return None
