"""From a body of the Gemini API to a request: its own words kept, and those of a chat beside them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from infway.api.gate import read_members
from infway.api.gemini.body import Content, GenerateBody, GenerationConfig, ToolConfig
from infway.api.gemini.config import config_fields
from infway.api.gemini.contents import PART, instructions_of, messages_of
from infway.api.gemini.notes import Notes
from infway.api.gemini.spelling import camel, camelled
from infway.api.gemini.tools import choice_fields, tool_fields
from infway.api.reading import missing, read_chat, refuse
from infway.api.unreadable import not_json
from infway.kernel.chat import ChatRequest, Native
from infway.kernel.errors import CallerError
from infway.providers.shapes import Object, as_list, as_object, as_objects, is_object, write

DIALECT = "gemini"
_MOST_STOPS = 4  # that chats take; Gemini takes one more
# What speaks to infway alone, and what the path says better
_OWN: Mapping[str, str] = {
    "provider": "provider",
    "usage": "usage",
    "fallbackModels": "fallback_models",
    "fallbackRules": "fallback_rules",
}
_NOT_NATIVE = frozenset({*_OWN, "model"})
_TIERS: Mapping[str, str] = {"standard": "default", "flex": "flex", "priority": "priority"}
_ROOT = frozenset({*GenerateBody.__struct_encode_fields__, *_NOT_NATIVE})
_LOST_TOO = ("safetySettings", "labels")
_RESPONSE = frozenset({"id", "name", "response", "parts"})

_read_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_read_any = msgspec.json.Decoder().decode
_T = TypeVar("_T", bound=msgspec.Struct)


class Wishes(NamedTuple):
    """What the reply should look like. `thoughts`: they are shown; `cost`: it is told."""

    thoughts: bool
    cost: bool


def sent_object(body: bytes) -> dict[str, object]:
    """Return a body in one spelling; raises CallerError where it is no JSON object."""
    try:
        said: object = camelled(_read_any(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise not_json(body, error) from error
    if not is_object(said):
        raise CallerError(400, "invalid_request_body", "The body must be a JSON object.")
    read_members(body)
    return said


def typed(said: Mapping[str, object], kind: type[_T]) -> _T:
    """Return what was sent as a type; raises CallerError with the path of the field."""
    try:
        return msgspec.convert(said, kind, strict=False)
    except msgspec.ValidationError as error:
        refuse(error, said)


def read_generate(
    body: bytes, request_id: str, model: str | None, *, stream: bool
) -> tuple[ChatRequest, Wishes]:
    """Return the request and what its caller wants back; raises CallerError with the field."""
    said = sent_object(body)
    native = {
        name: value for name, value in _read_fields(body).items() if camel(name) not in _NOT_NATIVE
    }
    return read_sent(said, request_id, model, native, stream=stream)


def read_sent(
    said: Mapping[str, object],
    request_id: str,
    model: str | None,
    native: Mapping[str, object] | None = None,
    *,
    stream: bool = False,
) -> tuple[ChatRequest, Wishes]:
    """Return the request that an object is; `native`: its root fields as they were sent.

    Raises CallerError with the field.
    """
    notes = Notes()
    try:
        fields = chat_fields(said, notes)
    except RecursionError as error:
        message = "The JSON is nested too deeply."
        raise CallerError(400, "invalid_request_body", message) from error
    stops = as_list(fields.get("stop"))
    fields |= {"stop": stops[:_MOST_STOPS]} if stops else {}
    ask, wishes = read_chat(write({**fields, "stream": stream}), request_id, model)
    if stops:
        ask = ask._replace(fields={**ask.fields, "stop": msgspec.Raw(write(stops))})
    thinking = as_object(as_object(said.get("generationConfig")).get("thinkingConfig"))
    asked = ask._replace(native=Native(DIALECT, native or {}, notes.needs, notes.lost))
    return asked, Wishes(thinking.get("includeThoughts") is True, wishes.cost)


def chat_fields(said: Mapping[str, object], notes: Notes) -> dict[str, object]:
    """Return a body as the fields of a chat; raises CallerError with the path of what is wrong."""
    typed_body = typed(said, GenerateBody)
    fields: dict[str, object] = {
        name: said[own] for own, name in _OWN.items() if said.get(own) is not None
    }
    if typed_body.cached_content:
        notes.need("cachedContent")
    fields["messages"] = _messages(typed_body, said, notes)
    config = as_object(said.get("generationConfig"))
    fields |= config_fields(typed_body.generation_config or GenerationConfig(), config, notes)
    tools = as_objects(said.get("tools"))
    fields |= tool_fields(typed_body.tools or (), tools, notes)
    calling = (typed_body.tool_config or ToolConfig()).function_calling_config
    if calling is not None:
        fields |= choice_fields(calling, said, notes)
    _add_tier(fields, typed_body.service_tier, notes)
    notes.lose_others("", said, _ROOT - {*_LOST_TOO})
    notes.lose_others("toolConfig", as_object(said.get("toolConfig")), {"functionCallingConfig"})
    return fields


def _messages(body: GenerateBody, said: Object, notes: Notes) -> list[dict[str, object]]:
    """Return the messages; raises CallerError where there are none."""
    _note_unread(as_objects(said.get("contents")), notes)
    contents = body.contents or []
    messages = messages_of(contents, as_objects(said.get("contents")), notes)
    if not messages and not notes.needs:
        raise _silent(contents)
    told = [*instructions_of(body.system_instruction, notes), *messages]
    # a prompt of Google's own parts alone, which no other dialect is asked
    return told if messages else [*told, {"role": "user", "content": ""}]


def _silent(contents: Sequence[Content]) -> CallerError:
    """Return the error that nothing is said, with the first place where it could have been."""
    bare = next((place for place, one in enumerate(contents) if not one.parts), None)
    if bare is not None:
        return missing(f"contents[{bare}].parts")
    if contents:
        message = "contents: nothing is said in them."
        return CallerError(400, "missing_required_field", message, "contents")
    return missing("contents")


def _note_unread(contents: list[dict[str, Any]], notes: Notes) -> None:
    """Note what stands in parts and is read by nobody, such as `videoMetadata`."""
    for place, content in enumerate(contents):
        for at, part in enumerate(as_objects(content.get("parts"))):
            answered = as_object(part.get("functionResponse"))
            if len(part) > 1 or answered:
                path = f"contents[{place}].parts[{at}]"
                notes.lose_others(path, part, PART)
                notes.lose_others(f"{path}.functionResponse", answered, _RESPONSE)


def _add_tier(fields: dict[str, object], tier: str | None, notes: Notes) -> None:
    word = _TIERS.get((tier or "").lower())
    if word is not None:
        fields["service_tier"] = word
    elif tier:
        notes.lose("serviceTier")
