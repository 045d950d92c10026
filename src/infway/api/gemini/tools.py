"""Tools and their choice as fields of a chat: `providers/gemini/tools.py`, backwards."""

from collections.abc import Mapping, Sequence

from infway.api.choice import Toolbox, no_tools, wrong
from infway.api.gemini.body import FunctionCallingConfig, FunctionDeclaration, Tool
from infway.api.gemini.notes import Notes
from infway.api.gemini.schemas import json_schema
from infway.providers.shapes import Object, as_object, as_objects

_MOST = 128  # functions of one request, as at OpenAI
_MODES: Mapping[str, str] = {
    "": "auto", "MODE_UNSPECIFIED": "auto", "AUTO": "auto", "VALIDATED": "auto",
    "ANY": "required", "NONE": "none",
}  # fmt: skip
_DECLARATIONS = "functionDeclarations"
_CHOICE = "toolConfig.functionCallingConfig"
_DECLARED = frozenset(FunctionDeclaration.__struct_encode_fields__)


def tool_fields(tools: Sequence[Tool], said: object, notes: Notes) -> dict[str, object]:
    """Return the `tools`, none where there are no functions; `said`: the tools as sent.

    Google's own tools are noted as needed. Raises CallerError for more functions than chats take.
    """
    functions: list[Object] = []
    for place, (tool, sent) in enumerate(zip(tools, as_objects(said), strict=True)):
        path = f"tools[{place}]"
        for name in sent.keys() - {_DECLARATIONS}:
            if sent[name] is not None:
                notes.need(f"{path}.{name}")
        for at, one in enumerate(as_objects(sent.get(_DECLARATIONS))):
            notes.lose_others(f"{path}.{_DECLARATIONS}[{at}]", one, _DECLARED)
        functions += [_function(one) for one in tool.function_declarations or ()]
    if len(functions) > _MOST:
        raise wrong("tools", f"{len(functions)} functions are more than {_MOST}.")
    return {"tools": functions} if functions else {}


def choice_fields(
    calling: FunctionCallingConfig, said: Mapping[str, object], notes: Notes
) -> dict[str, object]:
    """Return the `tool_choice`, none where there are no functions.

    Raises CallerError for a mode that Google does not know, and for functions that are not there.
    """
    word = (calling.mode or "").upper()
    mode = _MODES.get(word)
    if mode is None:
        raise wrong(f"{_CHOICE}.mode", "must be AUTO, ANY, NONE or VALIDATED.")
    _check(calling, mode, said)
    if not any(one.get(_DECLARATIONS) for one in as_objects(said.get("tools"))):
        return {}
    if word == "VALIDATED":
        notes.lose(f"{_CHOICE}.mode")  # chats promise it of each function, for strict schemas alone
    sent = as_object(as_object(said.get("toolConfig")).get("functionCallingConfig"))
    notes.lose_others(_CHOICE, sent, FunctionCallingConfig.__struct_encode_fields__)
    names = calling.allowed_function_names or []
    if not names or mode == "none":
        return {"tool_choice": mode}
    named = [{"type": "function", "function": {"name": name}} for name in names]
    if mode == "required" and len(named) == 1:
        return {"tool_choice": named[0]}
    return {
        "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": named}}
    }


def _check(calling: FunctionCallingConfig, mode: str, said: Mapping[str, object]) -> None:
    """Raise CallerError where a function is demanded that is not there.

    What is cached at Google may hold tools, and so may Google's own.
    """
    tools = as_objects(said.get("tools"))
    hides = bool(said.get("cachedContent")) or any(one.keys() - {_DECLARATIONS} for one in tools)
    declared = [one for tool in tools for one in as_objects(tool.get(_DECLARATIONS))]
    if mode == "required" and not (declared or hides):
        raise no_tools(f"{_CHOICE}.mode")
    if mode == "none" or not (declared or hides):
        return
    box = Toolbox([one.get("name") for one in declared], hides)
    for place, name in enumerate(calling.allowed_function_names or ()):
        box.check_name(name, f"{_CHOICE}.allowedFunctionNames[{place}]")


def _function(said: FunctionDeclaration) -> Object:
    function: dict[str, object] = {"name": said.name}
    if said.description is not None:
        function["description"] = said.description
    if said.parameters_json_schema is not None:
        function["parameters"] = said.parameters_json_schema
    elif said.parameters is not None:
        function["parameters"] = json_schema(said.parameters)
    return {"type": "function", "function": function}
