"""Requests to an upstream that keeps messages and their places, and what is sent of them."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec
import pytest
from tests.wall.asking import ask, offer, upstream

from infway.kernel.chat import HttpCall
from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Fault
from infway.providers.adapter import Adapter

HELLO = {"role": "user", "content": "Hello"}
PICTURE = "data:image/png;base64,AAAA"


@dataclass(frozen=True)
class Asking:
    """Asks one upstream. `native`, `url`: the model and the place where none is named.

    `check` looks at all that is sent.
    """

    adapter: Callable[[], Adapter]
    dialect: str
    url: str
    native: str
    check: Callable[[HttpCall, str], None] = lambda sent, native: None

    def call(self, *messages: dict, native: str = "", stream: bool = False, **said) -> HttpCall:
        """What is sent for these messages; `source` and `facts` are those of upstream and offer."""
        source, facts, url = (
            said.pop("source", {}),
            said.pop("facts", {}),
            said.pop("url", self.url),
        )
        fields = {"messages": list(messages) or [HELLO], **said}
        raw = {name: msgspec.Raw(json.dumps(value).encode()) for name, value in fields.items()}
        place = replace(upstream("there", dialect=self.dialect, **source), chat_url=url)
        asked, model = ask(stream=stream, fields=raw), native or self.native
        sent = self.adapter().request(asked, offer(model, place, **facts))
        self.check(sent, model)
        return sent

    def lossy(self, *messages: dict, **said) -> tuple[dict, tuple[str, ...]]:
        """What is sent, and what is not."""
        sent = self.call(*messages, **said)
        return json.loads(sent.body), sent.dropped

    def body(self, *messages: dict, **said) -> dict:
        """What is sent, where nothing of the request is lost."""
        sent, dropped = self.lossy(*messages, **said)
        assert dropped == ()
        return sent

    def said(self, *messages: dict, **more) -> list[dict]:
        return self.body(*messages, **more)["messages"]

    def refused(self, *messages: dict, **more) -> str | None:
        """The path of what the upstream has no words for."""
        with pytest.raises(UpstreamFailed) as caught:
            self.call(*messages, **more)
        assert caught.value.failure.fault is Fault.UNTRANSLATABLE
        return caught.value.failure.param


def user(*parts: dict) -> dict:
    return {"role": "user", "content": list(parts)}


def text(words: str, **more) -> dict:
    return {"type": "text", "text": words, **more}


def picture(url: str = PICTURE, **more) -> dict:
    return {"type": "image_url", "image_url": {"url": url, **more}}


def calling(id_: str = "toolu_1", arguments: str = '{"city":"Oslo"}', **said) -> dict:
    function = {"name": "weather", "arguments": arguments}
    made = {"id": id_, "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [made], **said}


def answered(content: object = "rain", id_: str = "toolu_1", **said) -> dict:
    return {"role": "tool", "tool_call_id": id_, "content": content, **said}


def tool(name: str = "weather", **said) -> dict:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    return {"type": "function", "function": {"name": name, "parameters": schema, **said}}
