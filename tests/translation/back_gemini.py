"""What a body of Gemini's generateContent says, read by its reference and nothing else.

https://ai.google.dev/api/generate-content
"""

import re
from collections.abc import Iterator
from typing import Any

from tests.translation.chat_facts import form_of
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
    canonical,
    schema,
)

_CONFIG = {
    "temperature": "temperature", "topP": "top_p", "topK": "top_k", "seed": "seed",
    "candidateCount": "n", "maxOutputTokens": "max_tokens", "responseLogprobs": "logprobs",
    "logprobs": "top_logprobs", "presencePenalty": "presence_penalty",
    "frequencyPenalty": "frequency_penalty",
}  # fmt: skip
_WHO = {"user": "user", "model": "assistant"}
_KINDS = {"image": "image", "audio": "audio", "video": "video"}
# What Google's documentation has for calls whose signature is lost
_STAND_INS = ("skip_thought_signature_validator", "context_engineering_is_the_way_to_go")
# Media that have no place inside a result stand after it, named by the call
_BESIDE = re.compile(r'<result of="[^"]*" id="(.*)">', re.DOTALL)


def told(body: Json) -> Told:
    """Return the facts of a body."""
    facts = Told()
    calls = Calls()
    for part in body.get("systemInstruction", {}).get("parts", []):
        facts.said.append(Text("system", part["text"]))
    for content in body["contents"]:
        facts.said += _content(content, calls)
    config = body.get("generationConfig", {})
    for name, wish in _CONFIG.items():
        facts.wish(wish, config.get(name))
    facts.wish("stop", tuple(config.get("stopSequences", ())))
    facts.wish("service_tier", body.get("serviceTier"))
    declared = [
        one for tool in body.get("tools", []) for one in tool.get("functionDeclarations", [])
    ]
    facts.wish("tools", tuple(map(_tool, declared)))
    _tell_choice(facts, body.get("toolConfig", {}).get("functionCallingConfig", {}))
    facts.wish("form", _form(config))
    facts.wish("effort", _effort(config.get("thinkingConfig")))
    return facts


def _content(content: Json, calls: Calls) -> Iterator[Fact]:
    who = _WHO[content["role"]]
    beside = False
    for part in content["parts"]:
        mark = _BESIDE.fullmatch(part.get("text", ""))
        if mark:
            beside = True
            yield Result(calls.answered(mark[1]))
        elif beside and part.get("text") == "</result>":
            beside = False
        else:
            yield from _part(part, "tool" if beside else who, calls)


def _part(part: Json, who: str, calls: Calls) -> Iterator[Fact]:
    proof = part.get("thoughtSignature", "")
    if "functionCall" in part:
        call = part["functionCall"]
        proof = "" if proof in _STAND_INS else proof
        yield Called(calls.made(call["id"]), call["name"], canonical(call["args"]), proof)
    elif "functionResponse" in part:
        yield from _result(part["functionResponse"], calls)
    elif part.get("thought"):
        yield Thought(part["text"], proof, "google-gemini-v1")
    elif "text" in part:
        if proof:
            yield Thought("", proof, "google-gemini-v1")
        yield Text(who, part["text"])
    else:
        yield _media(part, who)


def _result(said: Json, calls: Calls) -> Iterator[Fact]:
    yield Result(calls.answered(said["id"]))
    output = said["response"]["output"]
    for text in output if isinstance(output, list) else [output]:
        yield Text("tool", text)
    for part in said.get("parts", []):
        yield _media(part, "tool")


def _media(part: Json, who: str) -> Media:
    held: Any = part.get("inlineData") or part["fileData"]
    kind = _KINDS.get(held["mimeType"].partition("/")[0], "file")
    if "data" in held:
        return Media(
            who, kind, held["data"], form_of(held["mimeType"]), held.get("displayName", "")
        )
    return Media(who, kind, held["fileUri"])


def _tool(said: Json) -> Tool:
    parameters = said.get("parametersJsonSchema", said.get("parameters"))
    return Tool(said["name"], said.get("description", ""), schema(parameters))


def _tell_choice(facts: Told, said: Json) -> None:
    """In two modes every call keeps to its schema: where a call is demanded, and in `VALIDATED`."""
    names = tuple(said.get("allowedFunctionNames", ()))
    mode = said.get("mode")
    if mode == "NONE":
        facts.wish("choice", Choice("none"))
    elif mode == "ANY" and len(names) == 1:
        facts.wish("choice", Choice("function", names[0]))
    elif mode == "ANY":
        facts.wish("choice", Choice("required", allowed=names))
    if mode in ("ANY", "VALIDATED"):
        facts.wishes["tools"] = tuple(tool._replace(strict=None) for tool in facts.wishes["tools"])


def _form(config: Json) -> Form | None:
    if config.get("responseMimeType") != "application/json":
        return None
    held = config.get("responseJsonSchema", config.get("responseSchema"))
    return Form("json_object") if held is None else Form("json_schema", schema(held))


def _effort(said: Json | None) -> Effort | None:
    if said is None:
        return None
    budget, level = said.get("thinkingBudget"), said.get("thinkingLevel", "").lower()
    if budget == 0:
        return Effort(on=False)
    return Effort(bool(said.get("includeThoughts")), level, budget)
