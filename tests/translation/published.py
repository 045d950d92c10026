"""What vendors refuse although their types allow it: rules from their documentation and errors."""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

from tests.translation.facts import Json

Rule = Callable[[Json, str], Iterator[str]]
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_DOCUMENT = re.compile(r"[A-Za-z0-9\-()\[\]]+( [A-Za-z0-9\-()\[\]]+)*")
_FUNCTION = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}")


def broken_rules(dialect: str, body: Json, native: str) -> list[str]:
    """Return the rules a body breaks, a line each."""
    return [line for rule in RULES[dialect] for line in rule(body, native)]


def _claude_turns(body: Json, _: str) -> Iterator[str]:
    messages = body["messages"]
    if messages[0]["role"] != "user":
        yield "messages: first message must use the user role"
    for message in messages:
        blocks = message["content"]
        if not blocks:
            yield "messages: content must be non-empty"
        for block in blocks:
            if block["type"] == "text" and not block["text"].strip():
                yield "text content blocks must contain non-whitespace text"
    end = messages[-1]["content"][-1].get("text", "") if messages[-1]["content"] else ""
    if messages[-1]["role"] == "assistant" and end != end.rstrip():
        yield "final assistant content cannot end with trailing whitespace"


def _claude_calls(body: Json, _: str) -> Iterator[str]:
    said = body["messages"]
    seen: set[str] = set()
    for message, after in zip(said, [*said, None][1:], strict=True):
        calls = [block["id"] for block in message["content"] if block["type"] == "tool_use"]
        if seen & set(calls):
            yield "tool_use ids must be unique"
        seen |= set(calls)
        answers = after["content"][: len(calls)] if after else []
        if after and sorted(calls) != sorted(one.get("tool_use_id", "") for one in answers):
            yield "each tool_use must have its tool_result first in the next message"
    if seen and not body.get("tools"):
        yield "tools must be defined where tool_use blocks are"
    choice, names = body.get("tool_choice", {}), {tool["name"] for tool in body.get("tools", [])}
    if choice.get("type") in ("any", "tool") and choice.get("name") not in {None, *names}:
        yield "tool_choice names a tool that is not there"
    yield from (f"name {name!r}" for name in names if not _NAME.fullmatch(name))


def _claude_thinking(body: Json, native: str) -> Iterator[str]:
    thinking = body.get("thinking", {})
    if thinking.get("type") == "enabled":
        if not 1024 <= thinking["budget_tokens"] < body["max_tokens"]:
            yield "thinking.budget_tokens must be at least 1024 and less than max_tokens"
        if body.get("tool_choice", {}).get("type") in ("any", "tool"):
            yield "thinking may not be enabled when tool_choice forces tool use"
        if body.get("temperature", 1) != 1 or "top_k" in body or body.get("top_p", 1) < 0.95:
            yield "thinking goes with temperature 1, no top_k and top_p of 0.95 and more"
    if body.get("temperature", 0) > 1:
        yield "temperature: range 0..1"
    if "sonnet-4-5" in native and {"temperature", "top_p"} <= body.keys():
        yield "temperature and top_p cannot both be specified for this model"


def _claude_cache(body: Json, _: str) -> Iterator[str]:
    if str(body).count("'cache_control'") > 4:
        yield "a maximum of 4 blocks with cache_control"


def _bedrock_turns(body: Json, native: str) -> Iterator[str]:
    messages = body["messages"]
    if messages[0]["role"] != "user" and "claude" not in native:
        yield "a conversation must start with a user message"
    if any(one["role"] == other["role"] for one, other in pairwise(messages)):
        yield "roles must alternate"
    for message in messages:
        blocks = message["content"]
        if not blocks:
            yield "the content field is empty"
        if any("text" in block and not block["text"].strip() for block in blocks):
            yield "the text field in the ContentBlock object is blank"
        documents = [block["document"] for block in blocks if "document" in block]
        if documents and not any("text" in block for block in blocks):
            yield "a text block must stand beside documents"
    if str(body).count("'cachePoint'") > 4:
        yield "at most 4 cache points"


def _bedrock_documents(body: Json, _: str) -> Iterator[str]:
    names = [
        block["document"]["name"]
        for message in body["messages"]
        for block in message["content"]
        if "document" in block
    ]
    if len(set(names)) < len(names):
        yield "documents share a name"
    yield from (f"document name {name!r}" for name in names if not _DOCUMENT.fullmatch(name))


def _bedrock_calls(body: Json, _: str) -> Iterator[str]:
    said = body["messages"]
    calls: list[str] = []
    for message, after in zip(said, [*said, None][1:], strict=True):
        calls = [one["toolUse"]["toolUseId"] for one in message["content"] if "toolUse" in one]
        found = [
            one["toolResult"]["toolUseId"]
            for one in (after["content"] if after else [])
            if "toolResult" in one
        ]
        if after and sorted(calls) != sorted(found):
            yield "toolResult blocks must match the toolUse blocks of the previous turn"
        if calls and "toolConfig" not in body:
            yield "toolConfig must be defined when using toolUse and toolResult blocks"


def _gemini_contents(body: Json, native: str) -> Iterator[str]:
    before: Json = {"role": "", "parts": []}
    for content in body["contents"]:
        if not content["parts"]:
            yield "contents.parts must not be empty"
        if any(part.get("text") == "" for part in content["parts"]):
            yield "a part's text must not be empty"
        calls = [part for part in content["parts"] if "functionCall" in part]
        answers = [part for part in content["parts"] if "functionResponse" in part]
        asked = [part for part in before["parts"] if "functionCall" in part]
        if len(asked) != len(answers):
            yield "function response parts must be as many as the function call parts before them"
        if calls and before["role"] != "user":
            yield "a function call turn must come after a user turn or a function response turn"
        if calls and "gemini-3" in native and not calls[0].get("thoughtSignature"):
            yield "function call is missing a thought_signature"
        before = content


def _gemini_names(body: Json, _: str) -> Iterator[str]:
    parts = [part for content in body["contents"] for part in content["parts"]]
    calls = {
        one["functionCall"]["id"]: one["functionCall"] for one in parts if "functionCall" in one
    }
    answers = [one["functionResponse"] for one in parts if "functionResponse" in one]
    for answer in answers:
        if answer["name"] != calls.get(answer["id"], answer)["name"]:
            yield "a function response must bear the name of its call"


def _ollama(body: Json, _: str) -> Iterator[str]:
    if any(tool["type"] != "function" for tool in body.get("tools", ())):
        yield "tools are functions"
    names = {
        call["function"]["name"] for one in body["messages"] for call in one.get("tool_calls", ())
    }
    for message in body["messages"]:
        if message["role"] == "tool" and message.get("tool_name") not in names:
            yield "a tool's message must bear the name of the tool"


def _gemini_tools(body: Json, _: str) -> Iterator[str]:
    declared = [
        one for tool in body.get("tools", []) for one in tool.get("functionDeclarations", [])
    ]
    names = {one["name"] for one in declared}
    yield from (f"function name {name!r}" for name in names if not _FUNCTION.fullmatch(name))
    config = body.get("toolConfig", {}).get("functionCallingConfig", {})
    if not set(config.get("allowedFunctionNames", ())) <= names:
        yield "allowed_function_names names a function that is not declared"
    if config.get("allowedFunctionNames") and config.get("mode") not in ("ANY", "VALIDATED"):
        yield "allowed_function_names should only be set when the mode is ANY"
    thinking = body.get("generationConfig", {}).get("thinkingConfig", {})
    if {"thinkingBudget", "thinkingLevel"} <= thinking.keys():
        yield "thinking_budget and thinking_level cannot both be set"


def _cohere(body: Json, _: str) -> Iterator[str]:
    for name, least, most in (
        ("p", 0.01, 0.99),
        ("k", 0, 500),
        ("presence_penalty", 0, 1),
        ("frequency_penalty", 0, 1),
        ("temperature", 0, 2),
    ):
        if not least <= body.get(name, least) <= most:
            yield f"{name}: range {least}..{most}"
    if len(body.get("stop_sequences", ())) > 5:
        yield "stop_sequences: at most 5"
    if body.get("tool_choice") and not body.get("tools"):
        yield "tool_choice must not be set without tools"
    if body.get("response_format", {}).get("type") == "json_object" and body.get("tools"):
        yield "response_format is not supported in combination with tools"
    calls: set[str] = set()
    for message in body["messages"]:
        calls |= {call["id"] for call in message.get("tool_calls", ())}
        if message["role"] == "tool" and message["tool_call_id"] not in calls:
            yield "tool_call_id not found in the previous tool calls"


def _responses(body: Json, _: str) -> Iterator[str]:
    calls = [item["call_id"] for item in body["input"] if item.get("type") == "function_call"]
    answers = [
        item["call_id"] for item in body["input"] if item.get("type") == "function_call_output"
    ]
    if sorted(calls) != sorted(answers):
        yield "no tool output found for a function call, or no call for an output"
    if any(len(id_) > 64 for id_ in calls):
        yield "call_id: at most 64 characters"
    if body.get("max_output_tokens", 16) < 16:
        yield "max_output_tokens: at least 16"
    for item, after in pairwise([*body["input"], {"role": "user"}]):
        if item.get("type") == "reasoning" and after.get("role", "assistant") != "assistant":
            yield "reasoning was provided without its required following item"


_CLAUDE = (_claude_turns, _claude_calls, _claude_thinking, _claude_cache)
RULES: Mapping[str, tuple[Rule, ...]] = {
    "anthropic": _CLAUDE,
    "bedrock-invoke": _CLAUDE,
    "bedrock": (_bedrock_turns, _bedrock_documents, _bedrock_calls),
    "gemini": (_gemini_contents, _gemini_names, _gemini_tools),
    "cohere": (_cohere,),
    "ollama": (_ollama,),
    "responses": (_responses,),
}
