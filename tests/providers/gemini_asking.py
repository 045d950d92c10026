"""Requests as Gemini gets them, made from chat requests in one line."""

import json
from dataclasses import replace

import msgspec
import pytest
from tests.wall.asking import ask, offer, upstream

from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Fault
from infway.providers.gemini.adapter import Gemini

STUDIO = "https://generativelanguage.googleapis.com/v1beta/models/{model}:{action}"
VERTEX = (
    "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google/models/"
    "{model}:{action}"
)
HELLO = {"role": "user", "content": "Hello"}
NEW, OLD = "gemini-3.5-flash", "gemini-2.5-flash"


def call(*messages: dict, model: str = NEW, url: str = STUDIO, stream: bool = False, **fields):
    """The call that a chat request becomes; `row` holds what the upstream's row says."""
    row, most = fields.pop("row", {}), fields.pop("most", None)
    source = replace(upstream(dialect="gemini", **row), chat_url=url)
    said = {"messages": list(messages) or [HELLO], "stream": stream, **fields}
    raw = {name: msgspec.Raw(json.dumps(value).encode()) for name, value in said.items()}
    return Gemini().request(ask(stream=stream, fields=raw), offer(model, source, max_output=most))


def body(*messages: dict, **said) -> dict:
    return json.loads(call(*messages, **said).body)


def contents(*messages: dict, **said) -> list[dict]:
    return body(*messages, **said)["contents"]


def config(**said) -> dict:
    return body(**said).get("generationConfig", {})


def dropped(*messages: dict, **said) -> tuple[str, ...]:
    return call(*messages, **said).dropped


def refused(*messages: dict, **said) -> str:
    """The path that Gemini has no words for."""
    with pytest.raises(UpstreamFailed) as caught:
        call(*messages, **said)
    assert caught.value.failure.fault is Fault.UNTRANSLATABLE
    return caught.value.failure.param


def user(*content: dict | str) -> dict:
    parts = [{"type": "text", "text": one} if isinstance(one, str) else one for one in content]
    return {"role": "user", "content": parts}


def calling(*calls: dict, **said) -> dict:
    return {"role": "assistant", "content": None, "tool_calls": list(calls), **said}


def called(id_: str, name: str = "look", arguments: str = "{}", signature: str = "") -> dict:
    made = {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}
    google = {"extra_content": {"google": {"thought_signature": signature}}}
    return made | (google if signature else {})


def answered(id_: str, content: object) -> dict:
    return {"role": "tool", "tool_call_id": id_, "content": content}


def function(name: str, **said) -> dict:
    return {"type": "function", "function": {"name": name, **said}}
