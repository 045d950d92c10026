"""What a body of Bedrock's Converse says, read by its reference and nothing else.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

import json
from collections.abc import Iterator

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

_INFERENCE = {"temperature": "temperature", "topP": "top_p", "maxTokens": "max_tokens"}
_KINDS = {"image": "image", "document": "file", "video": "video", "audio": "audio"}
_LEVELS = ("reasoning_effort", "reasoning_config")  # of gpt-oss and DeepSeek, of Qwen


def told(body: Json) -> Told:
    """Return the facts of a body."""
    facts = Told()
    calls = Calls()
    facts.said += _blocks(body.get("system", []), "system", calls)
    for message in body["messages"]:
        facts.said += _blocks(message["content"], message["role"], calls)
    inference = body.get("inferenceConfig", {})
    for name, wish in _INFERENCE.items():
        facts.wish(wish, inference.get(name))
    facts.wish("stop", tuple(inference.get("stopSequences", ())))
    more = body.get("additionalModelRequestFields", {})
    facts.wish("top_k", more.get("top_k", more.get("inferenceConfig", {}).get("topK")))
    facts.wish("metadata", body.get("requestMetadata"))
    facts.wish("service_tier", body.get("serviceTier", {}).get("type"))
    config = body.get("toolConfig", {})
    facts.wish("tools", tuple(_tools(config.get("tools", []))))
    facts.wish("choice", _choice(config.get("toolChoice", {})))
    facts.wish("form", _form(body.get("outputConfig", {})))
    facts.wish("effort", _effort(more))
    return facts


def _blocks(content: list[Json], who: str, calls: Calls) -> Iterator[Fact]:
    for block in content:
        ((kind, held),) = block.items()
        match kind:
            case "text":
                yield Text(who, held)
            case "image" | "document" | "video" | "audio":
                yield _media(kind, held, who)
            case "toolUse":
                number = calls.made(held["toolUseId"])
                yield Called(number, held["name"], canonical(held["input"]))
            case "toolResult":
                yield Result(calls.answered(held["toolUseId"]))
                yield from _blocks(held["content"], "tool", calls)
            case "json":  # of a result; an empty one says nothing
                yield Text(who, json.dumps(held) if held else "")
            case "reasoningContent":
                yield _thought(held)
            case "cachePoint":
                yield Cached(held.get("ttl", "5m"))
            case _:
                raise AssertionError(kind)


def _media(kind: str, held: Json, who: str) -> Media:
    source = held["source"]
    place = source.get("bytes") or source["s3Location"]["uri"]
    return Media(who, _KINDS[kind], place, held["format"], held.get("name", ""))


def _thought(held: Json) -> Thought:
    if "redactedContent" in held:
        return Thought("", held["redactedContent"], "anthropic-claude-v1")
    said = held["reasoningText"]
    return Thought(said["text"], said.get("signature", ""), "anthropic-claude-v1")


def _tools(said: list[Json]) -> Iterator[Tool]:
    found: list[Tool] = []
    for one in said:
        if "cachePoint" in one:
            found[-1] = found[-1]._replace(cached=one["cachePoint"].get("ttl", "5m"))
        else:
            spec = one["toolSpec"]
            parameters = schema(spec["inputSchema"]["json"])
            strict = spec.get("strict", False)
            found.append(Tool(spec["name"], spec.get("description", ""), parameters, strict))
    yield from found


def _choice(said: Json) -> Choice | None:
    if "tool" in said:
        return Choice("function", said["tool"]["name"])
    return Choice("required") if "any" in said else None


def _form(config: Json) -> Form | None:
    if "textFormat" not in config:
        return None
    held = config["textFormat"]["structure"]["jsonSchema"]
    return Form("json_schema", schema(json.loads(held["schema"])), held.get("description", ""))


def _effort(more: Json) -> Effort | None:
    """Read what each maker calls it: Anthropic's thinking, Amazon's reasoningConfig, plain words."""
    thinking, nova = more.get("thinking", {}), more.get("reasoningConfig", {})
    level = next((more[name] for name in _LEVELS if name in more), "")
    level = level or more.get("output_config", {}).get("effort", "")
    if thinking.get("type") == "disabled" or nova.get("type") == "disabled" or level == "none":
        return Effort(on=False)
    if thinking or nova or level:
        return Effort(
            True, level or nova.get("maxReasoningEffort", ""), thinking.get("budget_tokens")
        )
    return None
