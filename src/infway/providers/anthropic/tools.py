"""Tools of the Anthropic dialect, and how the model is told to use them.

https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview
"""

import re
from collections.abc import Mapping

from infway.providers.anthropic.cache import Block, mark
from infway.providers.anthropic.models import Generation
from infway.providers.anthropic.schema import fit
from infway.providers.conversation.parts import (
    CallPart,
    Choice,
    Conversation,
    Function,
    cannot_say,
)
from infway.providers.shapes import Object, as_text

_MODES: Mapping[str, str] = {"auto": "auto", "none": "none", "required": "any"}
_FORCED = frozenset({"required", "function"})
_OWN = re.compile(r"[a-z_0-9]+_20\d{6}")  # Anthropic's own tools end in the date of their version
_ANYTHING: Block = {"type": "object"}


def tools_of(talk: Conversation, model: Generation) -> tuple[list[Block], Block | None]:
    """Return `tools` and `tool_choice`; raises UpstreamFailed for tools of other vendors."""
    choice = talk.choice
    if not (talk.tools or talk.others):
        if choice is not None and choice.mode in _FORCED:
            talk.drop("tool_choice")
        return _known_by_name(talk)
    if choice is not None and choice.mode in _FORCED and not model.forced_tools:
        # https://platform.claude.com/docs/en/models/opus-5-5/migration-guide: a 400 otherwise
        talk.drop("tool_choice")
        only = choice.allowed if choice.name is None else (choice.name,)
        choice = Choice("auto", allowed=only)
    tools = [_function(talk, one, model) for one in talk.tools]
    tools += [_own(one) for one in talk.others]
    if choice is not None and choice.allowed is not None:
        tools = [tool for tool in tools if tool.get("name") in choice.allowed]
    return (tools, _choice(talk, choice)) if tools else _known_by_name(talk)


def is_forced(choice: Block | None) -> bool:
    """Tell whether a tool has to be called."""
    return choice is not None and choice["type"] in ("any", "tool")


def _choice(talk: Conversation, choice: Choice | None) -> Block | None:
    if choice is None and talk.parallel is not False:
        return None
    mode = "auto" if choice is None else choice.mode
    if choice is not None and mode == "function":
        said: Block = {"type": "tool", "name": choice.name}
    elif mode in _MODES:
        said = {"type": _MODES[mode]}
    else:
        talk.drop("tool_choice")
        return None
    if talk.parallel is False and mode != "none":
        said["disable_parallel_tool_use"] = True
    return said


def _function(talk: Conversation, function: Function, model: Generation) -> Block:
    schema: Object = {"type": "object", **(function.parameters or {"properties": {}})}
    tool: Block = {"name": function.name}
    if function.description is not None:
        tool["description"] = function.description
    if function.strict and model.schemas:
        schema, is_looser = fit(schema)
        tool["strict"] = True
        if is_looser:
            talk.drop("tools.parameters")
    elif function.strict:
        talk.drop("tools.strict")
    tool["input_schema"] = schema
    return mark(tool, function.cache)


def _own(tool: Object) -> Block:
    if "input_schema" not in tool and not _OWN.fullmatch(as_text(tool.get("type"))):
        cannot_say("tools.type", f"`{as_text(tool.get('type'))[:40]}` is no tool of Claude's.")
    return dict(tool)


def _known_by_name(talk: Conversation) -> tuple[list[Block], Block | None]:
    """Declare the tools of earlier turns where none is offered now: calls need a declaration."""
    parts = (part for message in talk.messages for part in message.parts)
    names = dict.fromkeys(part.name for part in parts if isinstance(part, CallPart))
    if not names:
        return [], None
    return [{"name": name, "input_schema": _ANYTHING} for name in names], {"type": "none"}
