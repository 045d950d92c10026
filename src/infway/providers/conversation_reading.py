"""From the raw fields of a chat request to the conversation that translating adapters read."""

import re
from collections.abc import Mapping

import msgspec

from infway.kernel.chat import ChatRequest, Upstream
from infway.providers.conversation import (
    CallPart,
    Choice,
    Conversation,
    Effort,
    Format,
    Function,
    MediaPart,
    Part,
    ResultPart,
    Said,
    TextPart,
    ThoughtPart,
    cannot_say,
)
from infway.providers.conversation_media import media_part
from infway.providers.shapes import (
    Object,
    as_list,
    as_object,
    as_objects,
    as_text,
    as_word,
    is_object,
    parse,
)

_ROLES = {"developer": "system", "function": "tool"}
_BEARS_GEMINI = re.compile(r"google|gemini", re.IGNORECASE)
# Fields that say nothing to a model or are said in another way
_SILENT = ("stream", "stream_options")


def read(ask: ChatRequest, upstream: Upstream) -> Conversation:
    """Return the request without the fields that the upstream's row drops.

    Raises UpstreamFailed(untranslatable) where a part has no meaning in any other dialect.
    """
    fields = {name: parse(value) if isinstance(value, msgspec.Raw) else value
              for name, value in ask.fields.items() if name not in _SILENT}  # fmt: skip
    row_drops = [name for name in upstream.drop if fields.pop(name, None) is not None]
    tools, others = _tools(
        as_list(fields.pop("tools", None)), as_list(fields.pop("functions", None))
    )
    limits = fields.pop("max_completion_tokens", None), fields.pop("max_tokens", None)
    stop = fields.pop("stop", None)
    parallel = fields.pop("parallel_tool_calls", None)
    conversation = Conversation(
        messages=_messages(as_list(fields.pop("messages", None))),
        tools=tools,
        others=others,
        choice=_choice(fields.pop("tool_choice", None) or fields.pop("function_call", None)),
        parallel=parallel if isinstance(parallel, bool) else None,
        format=_format(as_object(fields.pop("response_format", None))),
        effort=_effort(fields),
        stop=(stop,) if isinstance(stop, str) else tuple(map(str, as_list(stop))),
        max_tokens=next((limit for limit in limits if isinstance(limit, int)), None),
        fields=fields,
    )
    for name in row_drops:
        conversation.drop(name)
    return conversation


def _cache(holder: Object) -> str | None:
    marker = holder.get("cache_control")
    return (as_word(marker.get("ttl")) or "5m") if is_object(marker) else None


def _messages(raw: list[object]) -> list[Said]:
    names: dict[str, str] = {}
    said: list[Said] = []
    for place, one in enumerate(raw):
        message = as_object(one)
        role = as_text(message.get("role"))
        parts = _result(message, place, names) if role in ("tool", "function") else []
        if not parts:
            parts = [*_thoughts(message), *_content(message, f"messages[{place}]")]
            parts += _calls(message, place)
            names.update((part.id, part.name) for part in parts if isinstance(part, CallPart))
        name = None if role == "function" else as_word(message.get("name"))
        said.append(Said(_ROLES.get(role, role), tuple(parts), place, name))
    return said


def _content(message: Object, where: str) -> list[TextPart | MediaPart]:
    content = message.get("content")
    parts: list[TextPart | MediaPart] = []
    if isinstance(content, str):
        parts += [TextPart(content, _cache(message))] if content else []
    else:
        for place, one in enumerate(as_list(content)):
            parts.append(_part(as_object(one), f"{where}.content[{place}]"))
        if parts and _cache(message):
            parts[-1] = parts[-1]._replace(cache=_cache(message))
    refusal = as_word(message.get("refusal"))
    return [*parts, TextPart(refusal)] if refusal else parts


def _part(part: dict[str, object], path: str) -> TextPart | MediaPart:
    kind = as_text(part.get("type"))
    if kind in ("text", "refusal"):
        return TextPart(as_text(part.get("text") or part.get("refusal")), _cache(part))
    media = media_part(kind, part, path)
    return media._replace(cache=_cache(part))


def _result(message: Object, place: int, names: Mapping[str, str]) -> list[Part]:
    """Return the result that a tool message brings; a function message answers by its name."""
    name = as_text(message.get("name"))
    call = as_text(message.get("tool_call_id"))
    if not call:
        call = next((id_ for id_, known in reversed(list(names.items())) if known == name), name)
    parts = tuple(_content({**message, "cache_control": None}, f"messages[{place}]"))
    return [ResultPart(call, names.get(call, name), parts, _cache(message))]


def _calls(message: Object, place: int) -> list[Part]:
    """Return the calls of an assistant message, with the signatures that belong to them."""
    signatures = {
        as_text(item.get("id")): as_text(item.get("data"))
        for item in as_objects(message.get("reasoning_details"))
        if _BEARS_GEMINI.search(as_text(item.get("format"))) and item.get("id")
    }
    raw = [as_object(one) for one in as_list(message.get("tool_calls"))]
    if not raw and message.get("function_call"):
        raw = [{"id": f"call_{place}", "function": message["function_call"]}]
    calls: list[Part] = []
    for index, call in enumerate(raw):
        path = f"messages[{place}].tool_calls[{index}]"
        if call.get("type") not in (None, "function"):
            cannot_say(f"{path}.type", "only function calls can be said to this upstream.")
        id_ = as_text(call.get("id")) or f"call_{place}_{index}"
        google = as_object(as_object(call.get("extra_content")).get("google"))
        signature = as_word(google.get("thought_signature")) or signatures.get(id_)
        calls.append(_call(id_, as_object(call.get("function")), signature))
    return calls


def _call(id_: str, function: dict[str, object], signature: str | None) -> CallPart:
    raw = as_text(function.get("arguments"))
    try:
        arguments: object = parse(raw) if raw.strip() else {}
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        arguments = None
    name = as_text(function.get("name"))
    if is_object(arguments):
        return CallPart(id_, name, arguments, raw or "{}", signature=signature)
    odd = {"arguments": raw if arguments is None else arguments}
    return CallPart(id_, name, odd, raw, is_odd=True, signature=signature)


def _thoughts(message: Object) -> list[Part]:
    """Return the reasoning of an earlier turn, from OpenRouter's items or from LiteLLM's blocks."""
    found: list[Part] = []
    for item in as_objects(message.get("reasoning_details")):
        kind = as_text(item.get("type")).removeprefix("reasoning.")
        text = as_text(item.get("text") or item.get("summary"))
        signature, data = as_word(item.get("signature")), as_word(item.get("data"))
        form, id_ = as_word(item.get("format")), as_word(item.get("id"))
        found.append(ThoughtPart(kind, text, signature, data, id_, form))
    if not found:
        for block in as_objects(message.get("thinking_blocks")):
            hidden = as_word(block.get("data"))
            text, signature = as_text(block.get("thinking")), as_word(block.get("signature"))
            kind = "encrypted" if hidden else "text"
            found.append(ThoughtPart(kind, text, signature, hidden, format="anthropic-claude-v1"))
    return found


def _tools(
    tools: list[object], legacy: list[object]
) -> tuple[list[Function], list[Mapping[str, object]]]:
    functions = [_function(as_object(one), {}) for one in legacy]
    others: list[Mapping[str, object]] = []
    for tool in as_objects(tools):
        if tool.get("type") == "function" and "function" in tool:
            functions.append(_function(as_object(tool["function"]), tool))
        else:
            others.append(tool)
    return functions, others


def _function(function: dict[str, object], holder: Object) -> Function:
    parameters, strict = function.get("parameters"), function.get("strict")
    return Function(
        as_text(function.get("name")),
        as_word(function.get("description")),
        parameters if is_object(parameters) else None,
        strict if isinstance(strict, bool) else None,
        _cache(holder) or _cache(function),
    )


def _choice(raw: object) -> Choice | None:
    if isinstance(raw, str):
        return Choice("required" if raw == "any" else raw)
    if not is_object(raw):
        return None
    if raw.get("type") == "allowed_tools":
        said = as_object(raw.get("allowed_tools")) or raw
        allowed = [as_object(as_object(tool).get("function")) or as_object(tool)
                   for tool in as_list(said.get("tools"))]  # fmt: skip
        names = tuple(as_text(tool.get("name")) for tool in allowed)
        return Choice(as_text(said.get("mode")) or "auto", allowed=names)
    name = as_word(as_object(raw.get("function")).get("name")) or as_word(raw.get("name"))
    return Choice("function", name) if name else None


def _format(raw: dict[str, object]) -> Format | None:
    kind = as_text(raw.get("type"))
    if kind in ("", "text"):
        return None
    said = as_object(raw.get("json_schema"))
    schema, strict = said.get("schema"), said.get("strict")
    return Format(
        kind,
        as_text(said.get("name")) or "answer",
        schema if is_object(schema) else None,
        strict if isinstance(strict, bool) else None,
        as_word(said.get("description")),
    )


def _effort(fields: dict[str, object]) -> Effort | None:
    """Take the wish for reasoning out of its three spellings."""
    level = as_word(fields.pop("reasoning_effort", None))
    reasoning, thinking = as_object(fields.pop("reasoning", None)), fields.pop("thinking", None)
    level = level or as_word(reasoning.get("effort"))
    budget = reasoning.get("max_tokens")
    if is_object(thinking):
        budget = budget or thinking.get("budget_tokens")
        level = level or ("none" if thinking.get("type") == "disabled" else None)
    elif reasoning.get("enabled") is False:
        level = "none"
    if isinstance(budget, int):
        return Effort(level, budget)
    asked = reasoning or is_object(thinking)
    return Effort(level) if level or asked else None
