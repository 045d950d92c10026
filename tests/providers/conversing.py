"""Requests as their clients write them, read as translating adapters get them."""

import json

import msgspec
from tests.wall.asking import ask, upstream

from infway.providers.conversation.parts import Conversation, Part, ResultPart
from infway.providers.conversation.reading import read

HELLO = {"role": "user", "content": "Hello"}


def talk(*messages: dict, source=None, **fields) -> Conversation:
    """The conversation of a request with these messages and root fields."""
    said = {"messages": list(messages) or [HELLO], **fields}
    raw = {name: msgspec.Raw(json.dumps(value).encode()) for name, value in said.items()}
    return read(ask(fields=raw), source or upstream())


def unplaced(part: Part) -> Part:
    """A part without its path, to be compared with one that was made for that."""
    if isinstance(part, ResultPart):
        part = part._replace(parts=tuple(one._replace(path="") for one in part.parts))
    return part._replace(path="")


def parts(*messages: dict) -> list[list[Part]]:
    return [[unplaced(part) for part in message.parts] for message in talk(*messages).messages]


def called(name: str, arguments: str = "{}", id_: str | None = None) -> dict:
    call = {"type": "function", "function": {"name": name, "arguments": arguments}}
    return call if id_ is None else {"id": id_, **call}


def calling(*calls: dict, **said) -> dict:
    return {"role": "assistant", "content": None, "tool_calls": list(calls), **said}


def answered(content: object, **said) -> dict:
    return {"role": "tool", "content": content, **said}
