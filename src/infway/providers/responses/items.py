"""Output items of OpenAI Responses as they are read: their texts, sources, details and pictures.

https://platform.openai.com/docs/api-reference/responses/object
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from infway.providers.responses.input import FORMAT
from infway.providers.shapes import (
    Object,
    as_objects,
    as_text,
    as_word,
    is_object,
    write,
)

CALLS = frozenset({"function_call", "custom_tool_call"})


class Channel(NamedTuple):
    """One of the things an item says. `kind`: the type of the items that say it."""

    key: str
    kind: str


TEXT = Channel("text", "message")
REFUSAL = Channel("refusal", "message")
SUMMARY = Channel("summary", "reasoning")
THOUGHT = Channel("thought", "reasoning")
ARGUMENTS = Channel("arguments", "function_call")
"""Those of a function; a custom tool's free text is said at once, as `{"input": "..."}`."""

_SPOKEN = frozenset({"output_text", "text"})


def message_parts(item: Object) -> list[Object]:
    """Return the parts of a message that are text."""
    if item.get("type") != TEXT.kind:
        return []
    return [
        part for part in as_objects(item.get("content")) if as_text(part.get("type")) in _SPOKEN
    ]


def parts_of(channel: Channel, item: Object) -> list[str]:
    """Return what a finished item says in a channel, part by part.

    Where the reasoning itself is there, its summary is not said beside it.
    """
    kind = as_text(item.get("type"))
    match channel.key:
        case "text":
            return [as_text(part.get("text")) for part in message_parts(item)]
        case "refusal" if kind == channel.kind:
            return _texts(item.get("content"), "refusal")
        case "summary" if kind == channel.kind and not _texts(item.get("content"), "text"):
            return _texts(item.get("summary"), "text")
        case "thought" if kind == channel.kind:
            return _texts(item.get("content"), "text")
        case "arguments" if kind in CALLS:
            return [_arguments(item)]
        case _:
            return []


def _texts(parts: object, key: str) -> list[str]:
    return [text for part in as_objects(parts) if (text := as_text(part.get(key)))]


def _arguments(item: Object) -> str:
    """Return a call's arguments as JSON; free text stands under the key `input`."""
    if item.get("type") == "custom_tool_call":
        return write({"input": as_text(item.get("input"))}).decode()
    said = item.get("arguments")
    return write(said).decode() if is_object(said) else as_text(said) or "{}"


def cited(raw: Object, start: int) -> Mapping[str, object]:
    """Return an annotation, its places counted from the beginning of the answer.

    `start`: the characters before its part. A citation of a file stands at one place, its `index`.
    """
    facts = {name: value for name, value in raw.items() if name != "type"}
    for name in ("start_index", "end_index"):
        place = facts.get(name, facts.get("index"))
        if isinstance(place, int):
            facts[name] = start + place
    if raw.get("type") == "url_citation":
        return {"type": "url_citation", "url_citation": facts}
    title = facts.get("filename") or facts.get("file_id")
    return {"type": "file_citation", "file_citation": {"title": title, **facts}}


def probable(token: Object) -> Mapping[str, object]:
    """Return the log probability of a token with the keys that Chat Completions always has."""
    others = [{"bytes": None, **one} for one in as_objects(token.get("top_logprobs"))]
    return {"bytes": None, **token, "top_logprobs": others}


def details(item: Object) -> Iterator[Mapping[str, object]]:
    """Yield what the caller gives back of a reasoning item, its encrypted content last."""
    if item.get("type") != "reasoning":
        return
    id_, data = as_word(item.get("id")), as_word(item.get("encrypted_content"))
    known: Mapping[str, object] = {"format": FORMAT, **({"id": id_} if id_ else {})}
    for text in _texts(item.get("summary"), "text"):
        yield {"type": "reasoning.summary", "summary": text, **known}
    for text in _texts(item.get("content"), "text"):
        yield {"type": "reasoning.text", "text": text, **known}
    if data is not None:
        yield {"type": "reasoning.encrypted", "data": data, **known}


def image_of(item: Object) -> str | None:
    """Return the picture that the server's own tool made, as a data URI."""
    data = as_word(item.get("result"))
    if item.get("type") != "image_generation_call" or data is None:
        return None
    return f"data:image/{as_word(item.get('output_format')) or 'png'};base64,{data}"
