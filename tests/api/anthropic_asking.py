"""Messages requests as clients write them, and what infway makes of them."""

import json

import msgspec

from infway.api.anthropic.reading import read_request
from infway.kernel.chat import ChatRequest, Native

HELLO = {"role": "user", "content": "Hello"}
PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
EPHEMERAL = {"type": "ephemeral"}
WEATHER = {
    "name": "weather",
    "description": "Tells it.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}


def message(*said: dict, **more: object) -> dict[str, object]:
    """A body of these messages."""
    return {"model": "m1", "max_tokens": 100, "messages": list(said) or [HELLO], **more}


def asked(*said: dict, headers: tuple = (), **more: object) -> ChatRequest:
    """The request that infway reads."""
    body = json.dumps(message(*said, **more)).encode()
    return read_request(body, headers, "r-1")[0]


def chat(*said: dict, **more: object) -> dict[str, object]:
    """The chat that upstreams of other dialects get, where nothing is lost."""
    ask = asked(*said, **more)
    assert native(ask).lost == ()
    assert native(ask).needs == ()
    return fields(ask)


def fields(ask: ChatRequest) -> dict[str, object]:
    """The fields of a chat, read."""
    return {
        name: json.loads(bytes(value)) if isinstance(value, msgspec.Raw) else value
        for name, value in ask.fields.items()
    }


def native(ask: ChatRequest) -> Native:
    """The request as its caller put it."""
    assert ask.native is not None
    return ask.native


def user(*blocks: dict) -> dict[str, object]:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: dict) -> dict[str, object]:
    return {"role": "assistant", "content": list(blocks)}


def text(said: str, **more: object) -> dict[str, object]:
    return {"type": "text", "text": said, **more}


def use(id_: str = "toolu_1", name: str = "weather", **given: object) -> dict[str, object]:
    return {"type": "tool_use", "id": id_, "name": name, "input": given}


def result(content: object = "sunny", id_: str = "toolu_1", **more: object) -> dict[str, object]:
    return {"type": "tool_result", "tool_use_id": id_, "content": content, **more}


def thinking(said: str, signature: str = "sig==") -> dict[str, object]:
    return {"type": "thinking", "thinking": said, "signature": signature}
