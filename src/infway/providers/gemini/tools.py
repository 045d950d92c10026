"""Tools of a Gemini request: declared functions, Google's own tools, and which must be called.

https://ai.google.dev/gemini-api/docs/function-calling; schemas go as they are, in
`parametersJsonSchema`: the older `parameters` refuses keywords outside its subset of OpenAPI.
"""

from collections.abc import Mapping

from infway.providers.conversation.parts import Conversation, Function, cannot_say
from infway.providers.gemini.models import Traits
from infway.providers.shapes import Object

# Google's own tools, in both spellings that its API reads
_NATIVE = frozenset(
    {
        "googleSearch", "google_search", "googleSearchRetrieval", "google_search_retrieval",
        "codeExecution", "code_execution", "urlContext", "url_context", "googleMaps",
        "google_maps", "fileSearch", "file_search", "enterpriseWebSearch",
        "enterprise_web_search", "computerUse", "computer_use", "retrieval",
    }
)  # fmt: skip
_MODES: Mapping[str, str] = {"none": "NONE", "required": "ANY", "function": "ANY"}


def tools_of(talk: Conversation) -> list[Object]:
    """Return the tools as Gemini knows them.

    Raises UpstreamFailed(untranslatable) for other vendors' own tools.
    """
    for place, tool in enumerate(talk.others):
        if not tool or not tool.keys() <= _NATIVE:
            cannot_say(f"tools[{place}].type", "neither a function nor one of Google's own tools.")
    declared = [_declaration(function, talk) for function in _allowed(talk)]
    functions: list[Object] = [{"functionDeclarations": declared}] if declared else []
    return [*functions, *talk.others]


def tool_config(talk: Conversation, traits: Traits, *, vertex: bool) -> Object:
    """Return which functions have to be called, empty where the model is free."""
    config: dict[str, object] = {}
    calling = _calling(talk, traits)
    if talk.tools and calling:
        config["functionCallingConfig"] = calling
    if talk.tools and talk.others and traits.signed and not vertex:
        # without it the combination is refused; Vertex AI does not know the field
        config["includeServerSideToolInvocations"] = True
    if talk.parallel is not None:
        talk.drop("parallel_tool_calls")
    return config


def _allowed(talk: Conversation) -> list[Function]:
    """Return the functions to declare: a free choice among some is said by leaving out the rest."""
    choice = talk.choice
    if choice is None or choice.mode != "auto" or choice.allowed is None:
        return talk.tools
    return [function for function in talk.tools if function.name in choice.allowed]


def _declaration(function: Function, talk: Conversation) -> Object:
    if function.cache is not None:
        talk.drop("tools.cache_control")
    declared: dict[str, object] = {"name": function.name}
    if function.description is not None:
        declared["description"] = function.description
    if function.parameters is not None:
        declared["parametersJsonSchema"] = function.parameters
    return declared


def _calling(talk: Conversation, traits: Traits) -> Object:
    strict = [function for function in talk.tools if function.strict]
    mode = "auto" if talk.choice is None else talk.choice.mode
    if mode in _MODES:
        names = _names(talk) if mode != "none" else ()
        calling: dict[str, object] = {"mode": _MODES[mode]}
        return {**calling, "allowedFunctionNames": names} if names else calling
    if not strict:
        return {}
    if len(strict) == len(talk.tools) and traits.thinking is not None:
        return {"mode": "VALIDATED"}  # free, but every call keeps to its schema; ANY does so too
    talk.drop("tools.strict")
    return {}


def _names(talk: Conversation) -> tuple[str, ...]:
    choice = talk.choice
    if choice is None:
        return ()
    return (choice.name,) if choice.name else choice.allowed or ()
