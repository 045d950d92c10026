"""Tools and their choice as fields of a chat: `providers/gemini/tools.py`, backwards."""

from collections.abc import Mapping, Sequence

from infway.api.gemini.body import FunctionCallingConfig, FunctionDeclaration, Tool
from infway.api.gemini.notes import Notes
from infway.api.gemini.schemas import json_schema
from infway.kernel.errors import CallerError
from infway.providers.shapes import Object, as_object, as_objects

_MOST = 128  # functions of one request, as at OpenAI
_MODES: Mapping[str, str] = {
    "": "auto", "MODE_UNSPECIFIED": "auto", "AUTO": "auto", "VALIDATED": "auto",
    "ANY": "required", "NONE": "none",
}  # fmt: skip
_CHOICE = "toolConfig.functionCallingConfig"
_DECLARED = frozenset(FunctionDeclaration.__struct_encode_fields__)


def tool_fields(tools: Sequence[Tool], said: object, notes: Notes) -> dict[str, object]:
    """Return the `tools`, none where there are no functions; `said`: the tools as sent.

    Google's own tools are noted as needed. Raises CallerError for more functions than chats take.
    """
    functions: list[Object] = []
    for tool, sent in zip(tools, as_objects(said), strict=True):
        for name in sent.keys() - {"functionDeclarations"}:
            if sent[name] is not None:
                notes.need(f"tools.{name}")
        for one in as_objects(sent.get("functionDeclarations")):
            notes.lose_others("tools.functionDeclarations", one, _DECLARED)
        functions += [_function(one) for one in tool.function_declarations or ()]
    if len(functions) > _MOST:
        message = f"tools: {len(functions)} functions are more than {_MOST}."
        raise CallerError(400, "invalid_field", message, "tools")
    return {"tools": functions} if functions else {}


def choice_fields(
    calling: FunctionCallingConfig, said: Mapping[str, object], notes: Notes
) -> dict[str, object]:
    """Return the `tool_choice`; raises CallerError for a mode that Google does not know."""
    word = (calling.mode or "").upper()
    mode = _MODES.get(word)
    if mode is None:
        message = f"{_CHOICE}.mode: must be AUTO, ANY, NONE or VALIDATED."
        raise CallerError(400, "invalid_field", message, f"{_CHOICE}.mode")
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


def _function(said: FunctionDeclaration) -> Object:
    function: dict[str, object] = {"name": said.name}
    if said.description is not None:
        function["description"] = said.description
    if said.parameters_json_schema is not None:
        function["parameters"] = said.parameters_json_schema
    elif said.parameters is not None:
        function["parameters"] = json_schema(said.parameters)
    return {"type": "function", "function": function}
