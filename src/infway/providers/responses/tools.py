"""Tools, their choice and the form of the answer, as OpenAI Responses says them.

What Chat Completions puts below the name of its type stands flat there.
"""

from collections.abc import Mapping

from infway.providers.conversation.parts import Conversation, Format, Function, cannot_say
from infway.providers.shapes import NOTHING, Object, as_object, as_text, as_word, is_object

_NO_PARAMETERS: Object = {"type": "object", "properties": {}}


def flat(nested: Object) -> dict[str, object]:
    """Return `{"type": "x", "x": {...}}` as `{"type": "x", ...}`; what is flat stays as it is."""
    kind = as_text(nested.get("type"))
    rest = {name: value for name, value in nested.items() if name != kind}
    inner = nested.get(kind, NOTHING)
    return {**rest, **inner} if is_object(inner) else dict(nested)


def custom_names(talk: Conversation) -> frozenset[str]:
    """Return the names of the tools that take free text."""
    tools = (flat(tool) for tool in talk.others if tool.get("type") == "custom")
    return frozenset(as_text(tool.get("name")) for tool in tools)


def say_tools(talk: Conversation) -> list[Mapping[str, object]]:
    """Return all tools; those of the server's own are passed on as sent.

    Raises UpstreamFailed(untranslatable) for tools that only another vendor has.
    """
    tools: list[Mapping[str, object]] = [_function(tool, talk) for tool in talk.tools]
    tools += [_other(tool) for tool in talk.others]
    search = talk.take("web_search_options")
    if is_object(search):
        place = flat(as_object(search.get("user_location")))
        tools.append(
            {"type": "web_search", **search, **({"user_location": place} if place else {})}
        )
    return tools


def _function(tool: Function, talk: Conversation) -> dict[str, object]:
    """Return a function. Strictness is always said: the API would assume it, Chat does not."""
    if tool.cache is not None:
        talk.drop("tools.cache_control")
    said: dict[str, object] = {
        "type": "function",
        "name": tool.name,
        "parameters": tool.parameters or _NO_PARAMETERS,
        "strict": bool(tool.strict),
    }
    return {**said, "description": tool.description} if tool.description else said


def _other(tool: Object) -> dict[str, object]:
    kind = as_word(tool.get("type"))
    if kind is None:
        cannot_say("tools.type", "a tool without a type cannot be said to this upstream.")
    version = kind.rpartition("_")[2]
    # Anthropic's end in a date (web_search_20250305), OpenRouter's begin with its name and a colon
    if ":" in kind or (version.isdecimal() and len(version) == 8):
        cannot_say("tools.type", f"`{kind[:40]}` is a tool of another vendor.")
    said = flat(tool)
    grammar = said.get("format")
    return {**said, "format": flat(grammar)} if is_object(grammar) else said


def say_choice(talk: Conversation) -> object:
    """Return which tools have to be called, None where nothing was said."""
    choice = talk.choice
    if choice is None:
        return None
    customs = custom_names(talk)

    def one(name: str) -> dict[str, str]:
        return {"type": "custom" if name in customs else "function", "name": name}

    if choice.name is not None:
        return one(choice.name)
    if choice.allowed is None:
        return choice.mode
    tools = [one(name) for name in choice.allowed]
    return {"type": "allowed_tools", "mode": choice.mode, "tools": tools}


def say_format(form: Format) -> dict[str, object]:
    """Return the form of the answer."""
    if form.kind == "json_object":
        return {"type": "json_object"}
    said: dict[str, object] = {
        "type": "json_schema",
        "name": form.name,
        "schema": form.schema or {},
        "description": form.description,
        "strict": form.strict,
    }
    return {name: value for name, value in said.items() if value is not None}
