"""From the raw fields of a chat request to the conversation that translating adapters read."""

import re
from collections.abc import Iterator, Mapping

import msgspec

from infway.kernel.chat import ChatRequest, Upstream
from infway.providers.conversation.losses import losses
from infway.providers.conversation.media import media_part
from infway.providers.conversation.parts import (
    CallPart,
    Conversation,
    MediaPart,
    Part,
    ResultPart,
    Said,
    TextPart,
    ThoughtPart,
    cannot_say,
)
from infway.providers.conversation.wishes import (
    cache_marker,
    wished_choice,
    wished_effort,
    wished_format,
    wished_tools,
)
from infway.providers.shapes import (
    Object,
    as_list,
    as_object,
    as_objects,
    as_text,
    as_word,
    is_object,
    parse,
)

_ROLES = {"developer": "system", "function": "tool"}
_BEARS_GEMINI = re.compile(r"google|gemini", re.IGNORECASE)
# Fields that say nothing to a model or are said in another way
_SILENT = ("stream", "stream_options")
_THOUGHTS = ("thinking", "redacted_thinking")
_ANTHROPIC = "anthropic-claude-v1"


def read(ask: ChatRequest, upstream: Upstream) -> Conversation:
    """Return the request without the fields that the upstream's row drops.

    Raises UpstreamFailed(untranslatable) where a part has no meaning in any other dialect.
    """
    drops: dict[str, None] = {}
    fields = _fields(ask, drops)
    for name in upstream.drop:
        if fields.pop(name, None) is not None:
            drops[name] = None
    drops.update(dict.fromkeys(losses(fields)))
    tools, others = wished_tools(
        as_list(fields.pop("tools", None)), as_list(fields.pop("functions", None))
    )
    limits = fields.pop("max_completion_tokens", None), fields.pop("max_tokens", None)
    stop = fields.pop("stop", None)
    parallel = fields.pop("parallel_tool_calls", None)
    choice = fields.pop("tool_choice", None) or fields.pop("function_call", None)
    conversation = Conversation(
        messages=_messages(as_list(fields.pop("messages", None))),
        tools=tools,
        others=others,
        choice=wished_choice(choice, lambda path: drops.update({path: None})),
        parallel=parallel if isinstance(parallel, bool) else None,
        format=wished_format(as_object(fields.pop("response_format", None))),
        effort=wished_effort(fields, lambda path: drops.update({path: None})),
        stop=(stop,) if isinstance(stop, str) else tuple(map(str, as_list(stop))),
        max_tokens=next((limit for limit in limits if isinstance(limit, int)), None),
        fields=fields,
    )
    for path in drops:
        conversation.drop(path)
    return conversation


def _fields(ask: ChatRequest, drops: dict[str, None]) -> dict[str, object]:
    """Return the fields as values; one that holds a number beyond all ranges is dropped."""
    fields: dict[str, object] = {}
    for name, value in ask.fields.items():
        if name in _SILENT:
            continue
        try:
            fields[name] = parse(value) if isinstance(value, msgspec.Raw) else value
        except (msgspec.DecodeError, RecursionError) as error:
            if name == "messages":
                cannot_say(name, str(error))
            drops[name] = None
    return fields


class _Calls:
    """The calls said so far: names by id, and the ids of the last turn that are not answered."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self._open: list[str] = []

    def say(self, calls: list[CallPart]) -> None:
        """Note the calls of an assistant's message."""
        self.names.update((call.id, call.name) for call in calls)
        self._open = [call.id for call in calls]

    def answer(self, id_: str, name: str) -> str:
        """Return the id of the call that a result answers.

        Without an id it is the first that is open, of that name if one is given: so do legacy
        functions, and clients of vendors that number no calls.
        """
        id_ = id_ or next((one for one in self._open if name in ("", self.names[one])), name)
        if id_ in self._open:
            self._open.remove(id_)
        return id_


def _messages(raw: list[object]) -> list[Said]:
    said: list[Said] = []
    calls = _Calls()
    for place, one in enumerate(raw):
        message = as_object(one)
        role = as_text(message.get("role"))
        name = as_word(message.get("name"))
        if role in ("tool", "function"):
            result = _result(message, place, calls)
            name = None if name == result.name else name
            said.append(Said("tool", (result,), place, name))
            continue
        parts: list[Part] = [*_content(message, f"messages[{place}]")]
        if role == "assistant":
            made = _calls(message, place)
            calls.say(made)
            thoughts = f"messages[{place}].reasoning_details"
            parts = [*(one._replace(path=thoughts) for one in _thoughts(message)), *parts, *made]
        said.append(Said(_ROLES.get(role, role), tuple(parts), place, name))
    return said


def _content(message: Object, where: str) -> list[TextPart | MediaPart]:
    content, cache = message.get("content"), cache_marker(message)
    parts: list[TextPart | MediaPart] = []
    if isinstance(content, str):
        parts += [TextPart(content, cache, f"{where}.content")] if content else []
    else:
        for place, one in enumerate(as_list(content)):
            part = as_object(one)
            if part.get("type") not in _THOUGHTS and part.get("text") != "":
                parts.append(_part(part, f"{where}.content[{place}]"))
        if parts and cache:
            parts[-1] = parts[-1]._replace(cache=cache)
    refusal = as_word(message.get("refusal"))
    return [*parts, TextPart(refusal, path=f"{where}.refusal")] if refusal else parts


def _part(part: Object, path: str) -> TextPart | MediaPart:
    kind = as_text(part.get("type"))
    if kind in ("text", "refusal"):
        return TextPart(as_text(part.get("text") or part.get("refusal")), cache_marker(part), path)
    media = media_part(kind, part, path)
    return media._replace(cache=cache_marker(part), path=path)


def _result(message: Object, place: int, calls: _Calls) -> ResultPart:
    """Return the result that a tool message brings; a function message answers by its name."""
    name = as_text(message.get("name"))
    call = calls.answer(as_text(message.get("tool_call_id")), name)
    path = f"messages[{place}]"
    parts = tuple(_content({**message, "cache_control": None}, path))
    name = calls.names.get(call, name)
    return ResultPart(call, name, parts, cache_marker(message), f"{path}.content")


def _calls(message: Object, place: int) -> list[CallPart]:
    """Return the calls of an assistant message, with the signatures that belong to them."""
    signatures = {
        as_text(item.get("id")): as_text(item.get("data"))
        for item in as_objects(message.get("reasoning_details"))
        if _BEARS_GEMINI.search(as_text(item.get("format"))) and item.get("id")
    }
    raw = [as_object(one) for one in as_list(message.get("tool_calls"))]
    if not raw and message.get("function_call"):
        raw = [{"id": f"legacy_{place}", "function": message["function_call"]}]
    calls: list[CallPart] = []
    for index, call in enumerate(raw):
        path = f"messages[{place}].tool_calls[{index}]"
        if call.get("type") not in (None, "function"):
            cannot_say(f"{path}.type", "only function calls can be said to this upstream.")
        id_ = as_text(call.get("id")) or f"unnamed_{place}_{index}"
        google = as_object(as_object(call.get("extra_content")).get("google"))
        signature = as_word(google.get("thought_signature")) or signatures.get(id_)
        made = _call(id_, as_object(call.get("function")), signature)
        calls.append(made._replace(path=path))
    return calls


def _call(id_: str, function: Object, signature: str | None) -> CallPart:
    raw = as_text(function.get("arguments"))
    try:
        arguments: object = parse(raw) if raw.strip() else {}
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        arguments = None
    name = as_text(function.get("name"))
    if is_object(arguments):
        return CallPart(id_, name, arguments, raw or "{}", signature=signature)
    odd: Mapping[str, object] = {"arguments": raw if arguments is None else arguments}
    return CallPart(id_, name, odd, raw, is_odd=True, signature=signature)


def _thoughts(message: Object) -> list[ThoughtPart]:
    """Return the reasoning of an earlier turn, as the first of its spellings says it.

    OpenRouter's items, LiteLLM's blocks, parts of the content (Anthropic's and Mistral's way), or
    plain text that is nobody's format.
    """
    found = [_item(item) for item in as_objects(message.get("reasoning_details"))]
    found = found or [_block(block) for block in as_objects(message.get("thinking_blocks"))]
    found = found or [
        _block(part) for part in as_objects(message.get("content")) if part.get("type") in _THOUGHTS
    ]
    plain = as_text(message.get("reasoning_content")) or as_text(message.get("reasoning"))
    return found or ([ThoughtPart("text", plain)] if plain else [])


def _item(item: Object) -> ThoughtPart:
    kind = as_text(item.get("type")).removeprefix("reasoning.")
    text = as_text(item.get("text") or item.get("summary"))
    signature, data = as_word(item.get("signature")), as_word(item.get("data"))
    return ThoughtPart(
        kind, text, signature, data, as_word(item.get("id")), as_word(item.get("format"))
    )


def _block(block: Object) -> ThoughtPart:
    hidden, signature = as_word(block.get("data")), as_word(block.get("signature"))
    form = _ANTHROPIC if hidden or signature else None
    kind = "encrypted" if hidden else "text"
    text = "".join(_texts(block.get("thinking")))
    return ThoughtPart(kind, text, signature, hidden, format=form)


def _texts(said: object) -> Iterator[str]:
    """Yield a text, or those of a list of text parts: so does Mistral."""
    if isinstance(said, str):
        yield said
    for part in as_objects(said):
        yield as_text(part.get("text"))
