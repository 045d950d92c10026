"""What was wished of the answer, and what the vendor is told of it: each wish said or listed."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.translation.facts import Choice, Effort, Form, Tool, canonical

Wishes = Mapping[str, Any]
# The fields whose being listed excuses a wish; any other wish has the name of its field
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "max_tokens": ("max_tokens", "max_completion_tokens"),
    "parallel": ("parallel_tool_calls",),
    "names": ("messages.name",),
    "tools": ("tools", "functions"),
    "choice": ("tool_choice", "function_call"),
    "form": ("response_format",),
    "effort": ("reasoning_effort", "reasoning", "thinking", "reasoning.max_tokens"),
}
# What a vendor has to be told where nobody wished it: an output limit
_MADE: Mapping[str, tuple[str, ...]] = {
    "anthropic": ("max_tokens",),
    "bedrock-invoke": ("max_tokens",),
    "bedrock": ("max_tokens",),
}
_CLAUDES = ("anthropic", "bedrock", "bedrock-invoke")
_TIERS: Mapping[str, Mapping[str, str | None]] = {
    "anthropic": {"default": "standard_only", "priority": None},
    "gemini": {"default": "standard"},
}


def unmet(dialect: str, asked: Wishes, found: Wishes, dropped: frozenset[str]) -> Iterator[str]:
    """Yield the wishes that are neither told nor listed, and what was told though nobody wished it."""
    asked, found = _of_use(dialect, asked), _of_use(dialect, found)
    asked, found = _declared_by_name(asked, found)
    for name in sorted(asked.keys() | found.keys()):
        if dropped.intersection(_FIELDS.get(name, (name,))):
            continue
        if name not in asked and name in _MADE.get(dialect, ()):
            continue
        one, other = asked.get(name), found.get(name)
        if one != other and not _is_met(name, asked, found, dropped):
            yield f"{name}: expected {_short(one)}, found {_short(other)}"


def _of_use(dialect: str, wishes: Wishes) -> dict[str, Any]:
    """Return the wishes as a dialect could tell them: some stand in other fields there."""
    told = dict(wishes)
    if dialect in _CLAUDES and told.get("temperature") == 1:
        del told["temperature"]  # its default, and all that thinking goes with
    user = (told.get("metadata") or {}).get("user_id")
    if dialect in ("anthropic", "bedrock-invoke") and user and "user" not in told:
        told["user"] = user
        if len(told["metadata"]) == 1:
            del told["metadata"]
    tier = told.get("service_tier")
    if tier in _TIERS.get(dialect, {}):
        told["service_tier"] = _TIERS[dialect][tier]
    if told.get("choice") == Choice("none") and not told.get("tools"):
        del told["choice"]  # there is nothing to choose
    if told.get("choice") == Choice("none") or not told.get("tools"):
        told.pop("parallel", None)  # there is nothing to call
    if not told.get("logprobs") and not told.get("top_logprobs"):
        told.pop("top_logprobs", None)
    return {name: value for name, value in told.items() if value is not None}


def _declared_by_name(asked: dict[str, Any], found: dict[str, Any]) -> tuple[Wishes, Wishes]:
    """Some vendors want the functions of earlier calls declared, even where none is offered now."""
    tools: tuple[Tool, ...] = found.get("tools", ())
    if asked.get("tools") or any(tool.description or tool.schema != _ANYTHING for tool in tools):
        return asked, found
    choice = found.get("choice")
    left = {name: value for name, value in found.items() if name != "tools"}
    if choice == Choice("none"):
        del left["choice"]
    return asked, left


_ANYTHING = canonical({"type": "object"})


def _is_met(name: str, asked: Wishes, found: Wishes, dropped: frozenset[str]) -> bool:
    one, other = asked.get(name), found.get(name)
    match name:
        case "choice":
            return _same_choice(asked, found)
        case "tools":
            return _same_tools(asked, found, dropped)
        case "form" if one is not None and other is not None:
            return _loosened(one, dropped) == _loosened(other, dropped)
        case "effort":
            return _same_effort(one or Effort(), other or Effort())
        case _:
            return False


def _loosened(form: Form, dropped: frozenset[str]) -> Form:
    if "response_format.json_schema.schema" in dropped:
        form = form._replace(schema="")
    if "response_format.json_schema.description" in dropped:
        form = form._replace(description="")
    return form


def _same_choice(asked: Wishes, found: Wishes) -> bool:
    """A choice among some functions can be said by offering only these, or none at all."""
    one, other = (wishes.get("choice") or Choice("auto") for wishes in (asked, found))
    offered = {tool.name for tool in found.get("tools", ())}
    if one.mode == "none" and not offered:
        return True
    only = (
        {one.name}
        if one.name
        else set(one.allowed) or {tool.name for tool in asked.get("tools", ())}
    )
    told = {other.name} if other.name else set(other.allowed) or offered
    mode = {"function": "required"}
    return (
        mode.get(one.mode, one.mode) == mode.get(other.mode, other.mode) and only == told & offered
    )


def _same_tools(asked: Wishes, found: Wishes, dropped: frozenset[str]) -> bool:
    choice = asked.get("choice") or Choice("auto")
    only = set(choice.allowed) or {choice.name} - {""}
    if choice.mode == "none" and not found.get("tools"):
        return True
    idle = choice.mode == "none"  # calls that are never made keep to no schema
    theirs = [_plain(tool, dropped, is_idle=idle) for tool in found.get("tools", ())]
    every = [_plain(tool, dropped, is_idle=idle) for tool in asked.get("tools", ())]
    chosen = [tool for tool in every if tool.name in only] if only else every
    return any(
        len(theirs) == len(ours) and all(map(_same_tool, ours, theirs)) for ours in (every, chosen)
    )


def _same_tool(one: Tool, other: Tool) -> bool:
    return one == (other if other.strict is not None else other._replace(strict=one.strict))


def _plain(tool: Tool, dropped: frozenset[str], *, is_idle: bool) -> Tool:
    if "tools.strict" in dropped or is_idle:
        tool = tool._replace(strict=False)
    if "tools.cache_control" in dropped:
        tool = tool._replace(cached="")
    if "tools.parameters" in dropped:
        tool = tool._replace(schema="")
    return tool


def _same_effort(one: Effort, other: Effort) -> bool:
    """A level means what each model makes of it; whether at all, and a budget, have to be told."""
    if one.on is not True:
        return other.on is not True
    return other.on is True and one.budget in (None, other.budget)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < 200 else f"{text[:197]}..."
