"""What a Gemini body says, as facts in order: read by Google's reference and nothing else."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

Json = dict[str, Any]
Fact = tuple[Any, ...]

_SNAKE = re.compile(r"_([a-z])")
_STAND_IN = "skip_thought_signature_validator"
_OPEN = {"args", "response", "parameters", "parametersJsonSchema", "responseSchema",
         "responseJsonSchema", "labels"}  # fmt: skip


def spelled(value: Any) -> Any:
    """Return a body with its names in camel case, and lists where Google takes one object."""
    if isinstance(value, list):
        return [spelled(one) for one in value]
    if not isinstance(value, dict):
        return value
    named = {_SNAKE.sub(lambda found: found[1].upper(), name): one for name, one in value.items()}
    told = {name: one if name in _OPEN else spelled(one) for name, one in named.items()}
    for name in ("contents", "parts", "tools", "functionDeclarations"):
        if isinstance(told.get(name), dict):
            told[name] = [told[name]]
    return {name: one for name, one in told.items() if one is not None}


def placeless(paths: Iterable[str]) -> set[str]:
    """Return paths without the places in them."""
    return {re.sub(r"\[\d+\]", "", path) for path in paths}


def said(body: Json) -> list[Fact]:
    """Return what is said: words in runs, thoughts, calls by their number, results, media."""
    system = body.get("systemInstruction", {}).get("parts", [])
    facts: list[Fact] = [("text", "system", part.get("text", "")) for part in system]
    calls: list[tuple[str, str]] = []
    for content in body.get("contents", []):
        who = "model" if content.get("role") == "model" else "user"
        for part in content.get("parts", []):
            facts += _part(part, who, calls)
    return [fact for fact in _joined(facts) if fact[0] != "text" or fact[2].strip()]


def _part(part: Json, who: str, calls: list[tuple[str, str]]) -> Iterator[Fact]:
    proof = part.get("thoughtSignature", "")
    if "functionCall" in part:
        call = part["functionCall"]
        calls.append((call.get("id", ""), call["name"]))
        proof = "" if proof == _STAND_IN else proof
        yield "call", len(calls) - 1, call["name"], canonical(call.get("args", {})), proof
    elif "functionResponse" in part:
        answer = part["functionResponse"]
        yield "result", _answered(answer, calls), answer["name"], _output(answer.get("response"))
        for inner in answer.get("parts", []):
            yield _media(inner, "result")
    elif part.get("thought") and part.get("text"):
        yield "thought", part["text"], proof
    elif "text" in part:
        if proof:
            yield "proof", proof
        yield "text", who, part["text"]
    elif "inlineData" in part or "fileData" in part:
        yield _media(part, who)


def _answered(answer: Json, calls: list[tuple[str, str]]) -> int:
    """Return the number of the call that is answered; it is answered once."""
    key = 0 if answer.get("id") else 1
    wanted = answer.get("id") or answer["name"]
    for number, call in enumerate(calls):
        if call[key] == wanted:
            calls[number] = ("\0", "\0")
            return number
    return -1


def _output(response: Any) -> str:
    """Return what a function answered; JSON as a text is the JSON."""
    value = response or ""
    if isinstance(value, dict) and value.keys() == {"output"}:
        value = value["output"]
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return "".join(value) if len(value) > 1 else canonical(value)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return value
    return canonical(value)


def _media(part: Json, who: str) -> Fact:
    held = part.get("inlineData") or part["fileData"]
    kind = held.get("mimeType", "").partition("/")[0]
    if "data" in held:
        return "media", who, kind, held["data"].translate(str.maketrans("-_", "+/"))
    return "media", who, "", held["fileUri"]


def _joined(facts: Sequence[Fact]) -> list[Fact]:
    told: list[Fact] = []
    for fact in facts:
        if told and fact[0] == "text" and told[-1][:2] == fact[:2]:
            told[-1] = (*fact[:2], told[-1][2] + fact[2])
        else:
            told.append(fact)
    return told


def wished(body: Json) -> Json:
    """Return what is wished beside: tools, their choice, limits, the form."""
    config = body.get("generationConfig", {})
    names = ("temperature", "topP", "topK", "maxOutputTokens", "seed", "presencePenalty",
             "frequencyPenalty", "responseLogprobs", "logprobs")  # fmt: skip
    wishes = {name: float(config[name]) for name in names if name in config}
    wishes |= {"n": config["candidateCount"]} if config.get("candidateCount", 1) != 1 else {}
    stops = [one for one in config.get("stopSequences", []) if one]
    wishes |= {"stop": stops} if stops else {}
    tools = [one for tool in body.get("tools", []) for one in tool.get("functionDeclarations", [])]
    wishes["tools"] = [(one["name"], one.get("description", "")) for one in tools]
    calling = body.get("toolConfig", {}).get("functionCallingConfig", {})
    mode = calling.get("mode", "AUTO").upper()
    if tools and mode in ("ANY", "NONE"):
        names_allowed = calling.get("allowedFunctionNames", []) if mode == "ANY" else []
        wishes["choice"] = (mode, tuple(names_allowed))
    if config.get("responseMimeType") == "application/json":
        schema = config.get("responseJsonSchema", config.get("responseSchema"))
        wishes["form"] = "json" if schema is None else "schema"
    return wishes


def canonical(value: Any) -> str:
    """Return JSON with sorted keys, in which 1 and 1.0 are the same."""
    return json.dumps(_plain(value), sort_keys=True, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
