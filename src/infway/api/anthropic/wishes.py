"""What a Messages request wants beside its messages, in the words of chats."""

from collections.abc import Mapping

from infway.api.anthropic.notes import Notes, read_as
from infway.api.anthropic.schema import (
    CountTokensBody,
    FormatBody,
    MessagesBody,
    ThinkingBody,
    ToolBody,
    ToolChoiceBody,
)
from infway.api.choice import Toolbox, no_tools
from infway.api.reading import missing
from infway.providers.shapes import as_list, as_object, as_text, is_object

Fields = dict[str, object]
_TOOL = frozenset({"type", "name", "description", "input_schema", "strict", "cache_control"})
_SET = "_toolset"
_MODES: Mapping[str, str] = {"auto": "auto", "any": "required", "none": "none"}
_TIERS: Mapping[str, str] = {"auto": "auto", "standard_only": "default"}
# What every server that reasons knows; Anthropic's two highest are its highest
_EFFORTS: Mapping[str, str] = {"low": "low", "medium": "medium", "high": "high"}
_MOST_EFFORT = _USUAL_EFFORT = "high"
# Share of the output that may be thought -> effort: between the shares OpenRouter gives to levels
_SHARES = ((0.35, "low"), (0.65, "medium"))
_LONGEST_USER = 64  # characters that OpenAI takes
_LONGEST_NAME = 64  # characters of a schema's name, OpenAI's limit


def shared_wishes(body: CountTokensBody, notes: Notes) -> Fields:
    """Return tools, their choice and the form of the answer; raises CallerError."""
    said: Fields = {}
    tools = [_tool(tool, f"tools[{i}]", notes) for i, tool in enumerate(body.tools or ())]
    if tools:
        said["tools"] = tools
    if body.tool_choice is not None:
        _check_choice(body.tool_choice, body)
        said |= _choice(body.tool_choice) if tools else {}
    output = body.output_config
    if output is not None and output.format is not None:
        said |= _format(output.format, "output_config.format", notes)
    elif body.output_format is not None:
        said |= _format(body.output_format, "output_format", notes)
    return said


def own_wishes(body: MessagesBody, notes: Notes) -> Fields:
    """Return limits, sampling, thinking, the user and the tier."""
    said: Fields = {"max_tokens": body.max_tokens or 1}
    if body.max_tokens == 0:
        notes.need("max_tokens")  # nothing is answered, a cache is filled
    sampling = {"temperature": body.temperature, "top_p": body.top_p, "top_k": body.top_k}
    said |= {name: value for name, value in sampling.items() if value is not None}
    if body.stop_sequences:
        said["stop"] = body.stop_sequences
    if body.stream:
        said["stream"] = True
    said |= _thinking(body, notes)
    tier = _TIERS.get(body.service_tier or "")
    if tier is not None:
        said["service_tier"] = tier
    elif body.service_tier is not None:
        notes.lose("service_tier")
    user = body.metadata.user_id if body.metadata is not None else None
    if user and len(user) <= _LONGEST_USER:
        said["user"] = user
    elif user:
        notes.lose("metadata.user_id")
    return said


def _tool(raw: Fields, path: str, notes: Notes) -> Fields:
    """Return a tool as a function; one of Anthropic's own stays as it is, and is needed."""
    if raw.get("type") not in (None, "custom"):
        notes.need(f"{path}.type")
        return raw
    tool = read_as(ToolBody, raw, path)
    notes.lose_others(path, raw, _TOOL)
    function: Fields = {"name": tool.name}
    said = {
        "description": tool.description,
        "parameters": tool.input_schema,
        "strict": tool.strict,
    }
    function |= {name: value for name, value in said.items() if value is not None}
    cache = {"cache_control": tool.cache_control} if tool.cache_control else {}
    return {"type": "function", "function": function, **cache}


def _check_choice(choice: ToolChoiceBody, body: CountTokensBody) -> None:
    """Raise CallerError where a tool is demanded that is not there."""
    if choice.type in ("auto", "none"):
        return
    tools = body.tools or []
    if not (tools or body.mcp_servers):
        raise no_tools("tool_choice")
    if choice.type == "tool":
        names = [None if _is_set(tool) else tool.get("name") for tool in tools]
        box = Toolbox(names, hides=None in names or bool(body.mcp_servers))
        box.check_name(choice.name, "tool_choice.name")


def _is_set(tool: Fields) -> bool:
    """Tell whether a tool of Anthropic's stands for several, which have names of their own."""
    return _SET in as_text(tool.get("type"))


def _choice(choice: ToolChoiceBody) -> Fields:
    named = {"type": "function", "function": {"name": choice.name or ""}}
    said: Fields = {"tool_choice": _MODES.get(choice.type, named)}
    if choice.disable_parallel_tool_use:
        said["parallel_tool_calls"] = False
    return said


def _format(form: FormatBody, path: str, notes: Notes) -> Fields:
    if form.type != "json_schema":
        notes.need(f"{path}.type")
        return {}
    if form.schema is None:
        raise missing(f"{path}.schema")
    title = str(form.schema.get("title") or "")
    name = "".join(one for one in title if one.isascii() and (one.isalnum() or one in "_-"))
    schema: Fields = {"name": name[:_LONGEST_NAME] or "answer", "schema": form.schema}
    if _is_strict(form.schema):
        schema["strict"] = True
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def _is_strict(schema: object) -> bool:
    """Tell whether all objects name all of their properties as required, and take no others.

    Vendors that enforce schemas word by word refuse the others.
    """
    if as_list(schema):
        return all(_is_strict(one) for one in as_list(schema))
    if not is_object(schema):
        return True
    properties = as_object(schema.get("properties"))
    if schema.get("type") == "object" or properties:
        required = as_list(schema.get("required"))
        if schema.get("additionalProperties") is not False or set(properties) - set(required):
            return False
    return all(_is_strict(value) for key, value in schema.items() if key not in ("enum", "const"))


def _thinking(body: MessagesBody, notes: Notes) -> Fields:
    """Return how much the model shall reason, in the word that most servers know.

    A budget goes along in Anthropic's word: some vendors know it too, others need no such word.
    """
    thinking, output = body.thinking, body.output_config
    asked = output.effort if output is not None else None
    effort = _EFFORTS.get(asked or "")
    if asked is not None and effort is None:
        notes.lose("output_config.effort")
        effort = _MOST_EFFORT
    if thinking is None:
        return {"reasoning_effort": effort} if effort else {}
    match thinking.type:
        case "disabled":
            if asked is not None:
                notes.lose("output_config.effort")
            return {"thinking": {"type": "disabled"}}
        case "enabled":
            return _enabled(thinking, effort, body.max_tokens)
        case "adaptive":
            return {"reasoning_effort": effort or _USUAL_EFFORT}
        case _:
            notes.lose("thinking")
            return {"reasoning_effort": effort} if effort else {}


def _enabled(thinking: ThinkingBody, effort: str | None, limit: int) -> Fields:
    budget = thinking.budget_tokens
    if budget is None:
        return {"reasoning_effort": effort or _USUAL_EFFORT}
    share = budget / max(limit, 1)
    level = next((level for most, level in _SHARES if share < most), _MOST_EFFORT)
    said = {"type": "enabled", "budget_tokens": budget}
    return {"reasoning_effort": effort or level, "thinking": said}
