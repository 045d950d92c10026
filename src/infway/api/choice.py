"""Whether a tool that has to be called is there to be called, in chats and in other dialects.

Vendors refuse a choice that cannot be met; here it is refused before anybody is asked.
https://platform.openai.com/docs/api-reference/chat/create
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from infway.api.reading import missing
from infway.kernel.chat import ChatRequest
from infway.kernel.errors import CallerError
from infway.providers.shapes import Object, as_list, as_object, as_objects, is_object, value_of

_CHOICE, _LEGACY = "tool_choice", "function_call"
CHOICES = frozenset({_CHOICE, _LEGACY})
# `any` is Mistral's word for required
_WORDS: Mapping[str, tuple[str, ...]] = {
    _CHOICE: ("none", "auto", "required", "any"),
    _LEGACY: ("none", "auto"),
}
_LEFT_OPEN = (None, "auto", "none")
_NAMED = ("function", "custom", "tool")  # the last is Anthropic's word, which some servers know
_LONGEST = 64  # characters of a name in an error: OpenAI's limit of names


class Toolbox(NamedTuple):
    """The tools of a request. `names`: of those called by name; `hides`: there may be others."""

    names: Collection[object]
    hides: bool = False

    def check_name(self, said: object, path: str) -> None:
        """Raise CallerError where what was chosen by name is none of the tools."""
        if said is None:
            raise missing(path)
        if not isinstance(said, str):
            raise wrong(path, "must be a text.")
        if said not in self.names and not self.hides:
            raise wrong(path, f"there is no tool `{said[:_LONGEST]}`.")


def wrong(path: str, why: str) -> CallerError:
    """Return the error that a field cannot be as it is."""
    return CallerError(400, "invalid_field", f"{path}: {why}", path)


def no_tools(path: str) -> CallerError:
    """Return the error that a tool is demanded where there is none."""
    return wrong(path, "there are no tools.")


def check_choice(ask: ChatRequest) -> None:
    """Raise CallerError where a chat demands a tool that it does not have."""
    tools = as_objects(value_of(ask.fields.get("tools")))
    tools += as_objects(value_of(ask.fields.get("functions")))
    for path in sorted(CHOICES & ask.parameters):
        _check(value_of(ask.fields.get(path)), path, tools)


def _check(said: object, path: str, tools: Sequence[Object]) -> None:
    kind = said.get("type", "function") if is_object(said) else said
    if kind in _LEFT_OPEN:
        return
    if not tools:
        raise no_tools(path)
    if not is_object(said):
        if kind not in _WORDS[path]:
            raise wrong(path, f"must be {', '.join(_WORDS[path])} or an object.")
        return
    names = [_name_of(tool) for tool in tools]
    box = Toolbox(names, hides=None in names)
    if kind in _NAMED:
        _check_named(said, path, box)
    elif kind == "allowed_tools":
        _check_allowed(said, path, box)
    elif kind not in _WORDS[path] and all(tool.get("type") != kind for tool in tools):
        raise wrong(f"{path}.type", "is no kind of choice, and no tool is of that type.")


def _check_named(said: Object, path: str, tools: Toolbox) -> None:
    """Check a choice by name, which stands below its kind, or beside it."""
    kind = str(said.get("type", "function"))
    if path != _LEGACY and (kind in said or "name" not in said):
        said, path = as_object(said.get(kind)), f"{path}.{kind}"
    tools.check_name(said.get("name"), f"{path}.name")


def _check_allowed(said: Object, path: str, tools: Toolbox) -> None:
    """Check a choice among several tools; those of a vendor's own are the vendor's business."""
    if "allowed_tools" in said:
        said, path = as_object(said["allowed_tools"]), f"{path}.allowed_tools"
    if said.get("mode", "auto") not in _WORDS[_CHOICE]:
        raise wrong(f"{path}.mode", "must be auto or required.")
    for place, one in enumerate(as_list(said.get("tools"))):
        if is_object(one) and one.get("type", "function") in _NAMED:
            _check_named(one, f"{path}.tools[{place}]", tools)


def _name_of(tool: Object) -> object:
    """Return the name by which a tool is called, None where only its vendor knows it."""
    for kind in _NAMED:
        if is_object(inner := tool.get(kind)):
            return inner.get("name")
    return tool.get("name")
