"""Tools of Cohere's v2 chat, and how the model is told to use them.

https://docs.cohere.com/docs/tool-use-overview
"""

from collections.abc import Mapping, Sequence

from infway.providers.cohere.messages import Block
from infway.providers.cohere.models import Traits
from infway.providers.conversation.parts import Choice, Conversation, Function, cannot_say
from infway.providers.shapes import as_list, as_object, as_text

_MODES: Mapping[str, str] = {"none": "NONE", "required": "REQUIRED", "function": "REQUIRED"}
_FORCED = frozenset({"required", "function"})
_MOST_FIELDS = 200  # of all tools together, where they are strict


def tools_of(talk: Conversation, traits: Traits) -> Block:
    """Return `tools`, `tool_choice` and `strict_tools`.

    Raises UpstreamFailed(untranslatable) for tools that are no functions, and for a demand that
    the model does not understand.
    """
    if talk.parallel is not None:
        talk.drop("parallel_tool_calls")
    if talk.others:
        kind = as_text(talk.others[0].get("type"))
        cannot_say("tools.type", f"`{kind[:40]}` is no function.")
    choice = talk.choice or Choice("auto")
    functions = _offered(talk, choice, traits)
    _check(talk, choice, traits, has_tools=bool(functions))
    if not functions:
        return {}
    said: Block = {"tools": [_function(talk, one) for one in functions]}
    if choice.mode in _MODES:
        said["tool_choice"] = _MODES[choice.mode]
    return said | _strict(talk, functions, traits)


def _check(talk: Conversation, choice: Choice, traits: Traits, *, has_tools: bool) -> None:
    """Raise UpstreamFailed(untranslatable) where the tools would be used in another way."""
    if choice.mode in _FORCED and not has_tools:
        cannot_say("tool_choice", "there is no such tool.")
    if choice.mode in _FORCED and not traits.chooses:
        cannot_say("tool_choice", "this model calls tools as it likes.")
    if has_tools and talk.format is not None:
        cannot_say("response_format", "Cohere's models give no JSON where they have tools.")


def _offered(talk: Conversation, choice: Choice, traits: Traits) -> Sequence[Function]:
    """Return the functions that may be called: to demand one is to offer no other."""
    if choice.mode == "none" and (talk.format is not None or not traits.chooses):
        return ()
    only = choice.allowed if choice.name is None else (choice.name,)
    return [one for one in talk.tools if only is None or one.name in only]


def _function(talk: Conversation, function: Function) -> Block:
    if function.cache is not None:
        talk.drop("tools.cache_control")
    return function.object()


def _strict(talk: Conversation, functions: Sequence[Function], traits: Traits) -> Block:
    """Return whether every call keeps to its schema: all tools do, or none."""
    strict = [function for function in functions if function.strict]
    if not strict:
        return {}
    fields = sum(len(_fields(function)) for function in functions)
    if (
        traits.strict
        and len(strict) == len(functions)
        and fields <= _MOST_FIELDS
        and all(_has_required(function) for function in functions)
    ):
        return {"strict_tools": True}
    talk.drop("tools.strict")
    return {}


def _fields(function: Function) -> Mapping[str, object]:
    return as_object((function.parameters or {}).get("properties"))


def _has_required(function: Function) -> bool:
    """Tell whether a strict tool is one: it must not have optional fields only."""
    return not _fields(function) or bool(as_list((function.parameters or {}).get("required")))
