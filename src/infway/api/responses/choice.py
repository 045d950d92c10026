"""Which tools a request for a response demands: checked, and in chats' words where they have any.

Tools are no part of a conversation: those of the turns before have to be sent again.
https://platform.openai.com/docs/api-reference/responses/create
"""

from collections.abc import Callable, Mapping, Sequence

from infway.api.choice import Toolbox, no_tools, wrong
from infway.api.reading import missing
from infway.api.responses.schema import ResponsesBody
from infway.providers.shapes import Object, as_list, as_text, is_object

_PATH = "tool_choice"
_WORDS = ("none", "auto", "required")
# What tells tools of one kind apart; of any other kind a request has one
_KEYS: Mapping[str, str] = {"function": "name", "custom": "name", "mcp": "server_label"}


def choice_fields(
    body: ResponsesBody, items: Sequence[Object], need: Callable[[str], None]
) -> dict[str, object]:
    """Return the choice as a field of a chat; raises CallerError where it cannot be met.

    `items`: all that is said; some bring tools with them. `need` hears what chats cannot say.
    """
    choice, tools = body.tool_choice, body.tools or []
    if choice is None:
        return {}
    if isinstance(choice, str) and choice not in _WORDS:
        raise wrong(_PATH, f"must be {', '.join(_WORDS)} or an object.")
    brought = any("tools" in item for item in items)
    if choice in ("none", "auto"):
        # chats have no choice where there are no functions
        return {_PATH: choice} if any(map(_is_function, tools)) else {}
    if not (tools or brought):
        raise no_tools(_PATH)
    if isinstance(choice, str):
        return {_PATH: choice}
    said = _allowed(choice, tools, brought=brought)
    if said is None:
        need(_PATH)
    return {} if said is None else {_PATH: said}


def _allowed(choice: Object, tools: Sequence[Object], *, brought: bool) -> object:
    """Return a choice of one tool or among several, None where chats have no words for it."""
    if choice.get("type") != "allowed_tools":
        _check(choice, _PATH, tools, brought=brought)
        return _named(choice) if _is_function(choice) else None
    mode = choice.get("mode") or "auto"
    if mode not in ("auto", "required"):
        raise wrong(f"{_PATH}.mode", "must be auto or required.")
    listed = as_list(choice.get("tools"))
    if not listed:
        raise missing(f"{_PATH}.tools")
    allowed: list[object] = []
    for place, one in enumerate(listed):
        path = f"{_PATH}.tools[{place}]"
        if not is_object(one):
            raise wrong(path, "must be an object.")
        _check(one, path, tools, brought=brought)
        if _is_function(one):
            allowed.append(_named(one))
    if len(allowed) < len(listed):
        return None
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": allowed}}


def _check(choice: Object, path: str, tools: Sequence[Object], *, brought: bool) -> None:
    """Raise CallerError where what is chosen is none of the tools."""
    kind = choice.get("type")
    if kind is None:
        raise missing(f"{path}.type")
    key = _KEYS.get(kind) if isinstance(kind, str) else None
    if key is not None:
        names = [tool.get(key) for tool in tools if tool.get("type") == kind]
        hides = brought or any(tool.get("type") not in _KEYS for tool in tools)
        Toolbox(names, hides).check_name(choice.get(key), f"{path}.{key}")
    elif not (brought or any(_is_of(as_text(kind), as_text(tool.get("type"))) for tool in tools)):
        raise wrong(f"{path}.type", "is no kind of choice, and no tool is of that type.")


def _is_of(kind: str, tool: str) -> bool:
    """Tell whether a choice means a tool: one of both may name its version too."""
    return bool(kind and tool) and (tool.startswith(kind) or kind.startswith(tool))


def _is_function(tool: Object) -> bool:
    return tool.get("type") == "function"


def _named(tool: Object) -> dict[str, object]:
    return {"type": "function", "function": {"name": tool["name"]}}
