"""From a body to a chat request: what chats have words for, and what only Responses has."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from infway.api.gate import read_members
from infway.api.limits import check_limits
from infway.api.reading import OWN, missing, read_chat, refuse
from infway.api.responses.checks import checked
from infway.api.responses.choice import choice_fields
from infway.api.responses.conversation import Conversation, Item
from infway.api.responses.schema import FunctionBody, ResponsesBody
from infway.api.unreadable import not_json
from infway.kernel.chat import ChatRequest, Native
from infway.kernel.errors import CallerError

_Fields = dict[str, msgspec.Raw]
_read_body = msgspec.json.Decoder(ResponsesBody).decode
_write = msgspec.json.Encoder().encode
DIALECT = "responses"
LOGPROBS = "message.output_text.logprobs"
# Fields that infway itself answers for, and no upstream is told as they came
_KEPT = (*OWN, "stream", "store", "background", "previous_response_id")
# Fields of infway's own that are read where chats' are
_ROUTING = ("model", "provider", "fallback_models", "fallback_rules", "usage")
# Fields of one name and meaning in both
_ALIKE = (
    "temperature", "top_p", "presence_penalty", "frequency_penalty", "top_logprobs",
    "parallel_tool_calls", "user", "safety_identifier", "prompt_cache_key",
    "prompt_cache_retention", "service_tier",
)  # fmt: skip
_KNOWN = frozenset({*ResponsesBody.__struct_encode_fields__, *OWN})
_NOTHING = (b"null", b"[]", b"{}", b"false")
_REFUSED: Mapping[str, str] = {
    "prompt": "templates are kept at OpenAI; send the text itself.",
    "conversation": "conversations are kept at OpenAI; use previous_response_id.",
}


class Draft(NamedTuple):
    """A body that was read, and its root fields as they came."""

    body: ResponsesBody
    fields: _Fields

    def items(self) -> list[Item]:
        """Return the input as items."""
        said = self.body.input
        if isinstance(said, str):
            return [{"type": "message", "role": "user", "content": said}]
        return list(said or ())


def read_draft(data: bytes, *, may_be_bare: bool = False) -> Draft:
    """Return the body; raises CallerError with the field. `may_be_bare`: it needs no input."""
    try:
        if not data.isascii():
            data.decode()
        body, fields = _read_body(data), read_members(data)
    except msgspec.ValidationError as error:
        refuse(error, data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise not_json(data, error) from error
    for name, why in _REFUSED.items():
        if getattr(body, name) is not None:
            raise CallerError(400, "invalid_field", f"{name}: {why}", name)
    if not body.input and body.previous_response_id is None and not may_be_bare:
        raise missing("input")
    if body.background and body.store is False:
        message = "store: a response that is made in the background has to be stored."
        raise CallerError(400, "invalid_field", message, "store")
    return Draft(body, fields)


def read_ask(
    draft: Draft, items: Sequence[Item], earlier: Sequence[Item], request_id: str
) -> ChatRequest:
    """Return the request; `earlier`: the items that stand before its own. Raises CallerError."""
    body = draft.body
    check_limits(draft.fields, body.max_output_tokens)
    talk = Conversation(body.instructions)
    talk.say(earlier, "previous_response_id")
    talk.say(items)
    fields: dict[str, object] = {
        name: draft.fields[name] for name in _ROUTING if name in draft.fields
    }
    for name in _ALIKE:
        said = getattr(body, name)
        if said is not None:
            fields[name] = said
    for part in (_answer(body), _tools(body, talk), _logprobs(body)):
        fields.update(part)
    told = [*earlier, *items]
    fields |= choice_fields(body, told, talk.need)
    talk.lost.update(dict.fromkeys(_lost(draft)))
    if body.context_management:
        talk.need("context_management")
    fields["messages"] = _messages(talk, told)
    ask, _ = read_chat(_write(fields), request_id, None)
    native = {
        name: value
        for name, value in draft.fields.items()
        if name not in _KEPT and bytes(value) != b"null"
    }
    passed_on: dict[str, object] = {**native}
    if earlier or items != draft.items():
        passed_on["input"] = [*earlier, *items]
    return ask._replace(native=Native(DIALECT, passed_on, tuple(talk.needs), tuple(talk.lost)))


def _messages(talk: Conversation, items: Sequence[Item]) -> list[dict[str, object]]:
    """Return the messages; raises CallerError where there is nothing to answer."""
    messages = talk.messages()
    if not (messages or items):
        raise missing("input")
    if not (messages or talk.needs):
        message = "input: what a server's own tools did is nothing to answer by itself."
        raise CallerError(400, "invalid_field", message, "input")
    # items that chats have no words for alone, which no other dialect is asked
    return messages or [{"role": "user", "content": ""}]


def _answer(body: ResponsesBody) -> Iterator[tuple[str, object]]:
    """Yield how the answer shall be."""
    if body.stream:
        yield "stream", True
    if body.max_output_tokens is not None:
        yield "max_tokens", body.max_output_tokens
    if body.reasoning is not None and body.reasoning.effort is not None:
        yield "reasoning_effort", body.reasoning.effort
    form = body.text.format if body.text is not None else None
    if body.text is not None and body.text.verbosity is not None:
        yield "verbosity", body.text.verbosity
    if form is None or form.type == "text":
        return
    said: dict[str, object] = {"type": form.type}
    if form.type == "json_schema":
        if form.name is None:
            raise missing("text.format.name")
        facts = {
            "name": form.name,
            "schema": form.schema,
            "strict": form.strict,
            "description": form.description,
        }
        said["json_schema"] = {name: fact for name, fact in facts.items() if fact is not None}
    yield "response_format", said


def _tools(body: ResponsesBody, talk: Conversation) -> Iterator[tuple[str, object]]:
    tools: list[dict[str, object]] = []
    for place, tool in enumerate(body.tools or ()):
        path = f"tools[{place}]"
        if not isinstance(tool.get("type"), str):
            raise missing(f"{path}.type")
        if tool["type"] != "function":
            talk.need(f"{path}.type")
            continue
        checked(FunctionBody, tool, path)
        tools.append(_function(tool, path, talk))
    if tools:
        yield "tools", tools


_FUNCTION = FunctionBody.__struct_encode_fields__


def _function(tool: Mapping[str, object], path: str, talk: Conversation) -> dict[str, object]:
    function = {name: tool[name] for name in _FUNCTION if tool.get(name) is not None}
    said: dict[str, object] = {"type": "function", "function": function}
    if tool.get("cache_control") is not None:
        said["cache_control"] = tool["cache_control"]
    for name, value in tool.items():
        if name not in (*_FUNCTION, "type", "cache_control") and value not in (None, False):
            talk.lost[f"{path}.{name}"] = None
    return said


def _logprobs(body: ResponsesBody) -> Iterator[tuple[str, object]]:
    if LOGPROBS in (body.include or ()) or body.top_logprobs:
        yield "logprobs", True


_LOST: Mapping[str, Callable[[ResponsesBody], object]] = {
    "truncation": lambda body: body.truncation == "auto",
    "max_tool_calls": lambda body: body.max_tool_calls,
    "moderation": lambda body: body.moderation,
    "reasoning.mode": lambda body: body.reasoning and body.reasoning.mode,
    "reasoning.context": lambda body: body.reasoning and body.reasoning.context,
}


def _lost(draft: Draft) -> Iterator[str]:
    """Yield what was asked for and no chat has words for, but the answer does not hang on.

    What is unknown is part of it, unless it says nothing.
    """
    yield from (name for name, said in _LOST.items() if said(draft.body))
    for name, value in draft.fields.items():
        if name not in _KNOWN and bytes(value) not in _NOTHING:
            yield name
