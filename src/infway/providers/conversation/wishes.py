"""What a chat request wants beside its messages: tools, their choice, a form, how much reasoning.

What is of no kind that any dialect knows is noted as dropped, through `drop`.
"""

from collections.abc import Callable, Mapping

from infway.providers.conversation.parts import Choice, Effort, Format, Function, cannot_say
from infway.providers.shapes import (
    Object,
    as_list,
    as_object,
    as_objects,
    as_text,
    as_word,
    is_object,
)

Drop = Callable[[str], None]
# Words for a choice, with those of other vendors for the same
_MODES: Mapping[str, str] = {
    "auto": "auto", "none": "none", "required": "required", "any": "required",
}  # fmt: skip
_FORMS = ("json_object", "json_schema")


def cache_marker(holder: Object) -> str | None:
    """Return how long a prompt shall be cached up to what holds the marker: `5m` or `1h`."""
    marker = holder.get("cache_control")
    return (as_word(marker.get("ttl")) or "5m") if is_object(marker) else None


def wished_tools(
    tools: list[object], legacy: list[object]
) -> tuple[list[Function], list[Mapping[str, object]]]:
    """Return the functions, and the tools that are none as they were sent."""
    functions = [_function(as_object(one), {}) for one in legacy]
    others: list[Mapping[str, object]] = []
    for tool in as_objects(tools):
        if tool.get("type") == "function" and "function" in tool:
            functions.append(_function(as_object(tool["function"]), tool))
        else:
            others.append(tool)
    return functions, others


def _function(function: Object, holder: Object) -> Function:
    parameters, strict = function.get("parameters"), function.get("strict")
    return Function(
        as_text(function.get("name")),
        as_word(function.get("description")),
        parameters if is_object(parameters) else None,
        strict if isinstance(strict, bool) else None,
        cache_marker(holder) or cache_marker(function),
    )


def wished_choice(raw: object, drop: Drop) -> Choice | None:
    """Return which tools have to be called, None where nothing is said."""
    if raw is None:
        return None
    said = as_object(raw)
    mode = _MODES.get(as_text(raw) or as_text(said.get("type")))
    if mode is not None:
        return Choice(mode)
    if said.get("type") == "allowed_tools":
        return _allowed(as_object(said.get("allowed_tools")) or said)
    name = as_word(as_object(said.get("function")).get("name")) or as_word(said.get("name"))
    if name is None:
        drop("tool_choice")
        return None
    return Choice("function", name)


def _allowed(said: Object) -> Choice:
    tools = [as_object(tool) for tool in as_list(said.get("tools"))]
    names = [as_text((as_object(tool.get("function")) or tool).get("name")) for tool in tools]
    mode = _MODES.get(as_text(said.get("mode")), "auto")
    return Choice(mode, allowed=tuple(name for name in names if name))


def wished_format(raw: Object) -> Format | None:
    """Return the form of the answer, None for text.

    Raises UpstreamFailed(untranslatable) for forms that are no JSON. `schema` beside the type is
    how llama.cpp and Together spell a schema.
    """
    kind = as_text(raw.get("type"))
    if kind in ("", "text"):
        return None
    if kind not in _FORMS:
        cannot_say("response_format.type", f"`{kind[:40]}` cannot be said to this upstream.")
    said = as_object(raw.get("json_schema"))
    schema, strict = said.get("schema") or raw.get("schema"), said.get("strict")
    return Format(
        "json_schema" if is_object(schema) else kind,
        as_text(said.get("name")) or "answer",
        schema if is_object(schema) else None,
        strict if isinstance(strict, bool) else None,
        as_word(said.get("description")),
    )


LEVELS = frozenset({"none", "minimal", "low", "medium", "high", "xhigh", "max"})


def wished_effort(fields: dict[str, object], drop: Drop) -> Effort | None:
    """Take the wish for reasoning out of its three spellings."""
    level = as_word(fields.pop("reasoning_effort", None))
    reasoning, thinking = as_object(fields.pop("reasoning", None)), fields.pop("thinking", None)
    level = level or as_word(reasoning.get("effort"))
    if thinking is not None and not is_object(thinking):
        drop("thinking")
    if level is not None and level not in LEVELS:
        drop("reasoning_effort")
        level = None
    mode = as_text(as_object(thinking).get("type"))
    if reasoning.get("enabled") is False or (level is None and mode == "disabled"):
        level = "none"
    budget = reasoning.get("max_tokens") or as_object(thinking).get("budget_tokens")
    if isinstance(budget, int) and not isinstance(budget, bool):
        return Effort(level, budget)
    asked = reasoning.get("enabled") is True or mode
    return Effort(level) if level or asked else None
