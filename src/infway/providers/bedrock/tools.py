"""Tools of Bedrock's Converse, and how the model is told to use them.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolConfiguration.html
"""

from infway.providers.anthropic.schema import fit
from infway.providers.bedrock.cache import Block, CachePoints
from infway.providers.bedrock.families import Family
from infway.providers.conversation.parts import (
    CallPart,
    Choice,
    Conversation,
    Function,
    ResultPart,
    cannot_say,
)
from infway.providers.shapes import Object, as_text

_FORCED = frozenset({"required", "function"})
_ANYTHING: Block = {"type": "object"}


def tool_config(talk: Conversation, family: Family, points: CachePoints) -> tuple[Block, bool]:
    """Return `toolConfig`, and whether a call is demanded.

    Calls of earlier turns need declarations, so tools that must not be called are declared then.
    """
    choice = talk.choice or Choice("auto")
    if choice.mode == "none" and not _is_used(talk):
        return {}, False
    if choice.mode == "none":
        talk.drop("tool_choice")
    only, demand = _demand(talk, choice, family)
    tools: list[Block] = []
    for function in talk.tools:
        if only is None or function.name in only:
            tools += [_declared(talk, function, family)]
            tools += points.behind("tools", "toolSpec", function.cache)
    tools += [_own(one) for one in talk.others]
    if not tools:
        return _known_by_name(talk, choice)
    config: Block = {"tools": tools}
    if demand is not None:
        config["toolChoice"] = demand
    return config, demand is not None


def _is_used(talk: Conversation) -> bool:
    parts = (part for message in talk.messages for part in message.parts)
    return any(isinstance(part, CallPart | ResultPart) for part in parts)


def _demand(
    talk: Conversation, choice: Choice, family: Family
) -> tuple[tuple[str, ...] | None, Block | None]:
    """Return the only tools that may be declared, and `toolChoice`.

    Where one tool cannot be demanded, any can be of this one; else nothing, which is listed.
    """
    if choice.mode not in _FORCED:
        return choice.allowed, None
    only = choice.allowed if choice.name is None else (choice.name,)
    if choice.name is not None and "tool" in family.forced:
        return None, {"tool": {"name": choice.name}}
    if "any" in family.forced:
        return only, {"any": {}}
    talk.drop("tool_choice")
    return only, None


def _declared(talk: Conversation, function: Function, family: Family) -> Block:
    schema: Object = {"type": "object", **(function.parameters or {"properties": {}})}
    spec: Block = {"name": function.name}
    if function.description is not None:
        spec["description"] = function.description
    if function.strict and family.strict:
        schema, is_looser = fit(schema)
        spec["strict"] = True
        if is_looser:
            talk.drop("tools.parameters")
    elif function.strict:
        talk.drop("tools.strict")
    spec["inputSchema"] = {"json": schema}
    return {"toolSpec": spec}


def _own(tool: Object) -> Block:
    """Return one of the vendor's own tools, which is passed on as sent."""
    if "systemTool" not in tool:
        cannot_say("tools.type", f"`{as_text(tool.get('type'))[:40]}` is no tool of Bedrock's.")
    return {"systemTool": tool["systemTool"]}


def _known_by_name(talk: Conversation, choice: Choice) -> tuple[Block, bool]:
    """Declare the tools of earlier turns where none is offered now."""
    if choice.mode in _FORCED:
        talk.drop("tool_choice")
    parts = (part for message in talk.messages for part in message.parts)
    names = dict.fromkeys(part.name for part in parts if isinstance(part, CallPart))
    if not names:
        return {}, False
    talk.drop("tools")
    tools = [{"toolSpec": {"name": name, "inputSchema": {"json": _ANYTHING}}} for name in names]
    return {"tools": tools}, False
