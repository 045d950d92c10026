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
    """Asks one upstream. `native`: the model where none is named."""

    adapter: Callable[[], Adapter]
    dialect: str
    url: str
    native: str

    def call(self, *messages: dict, native: str = "", stream: bool = False, **said) -> HttpCall:
        source, facts = said.pop("source", {}), said.pop("facts", {})
        fields = {"messages": list(messages) or [HELLO], **said}
        raw = {name: msgspec.Raw(json.dumps(value).encode()) for name, value in fields.items()}
        place = replace(upstream("there", dialect=self.dialect, **source), chat_url=self.url)
        asked = ask(stream=stream, fields=raw)
        return self.adapter().request(asked, offer(native or self.native, place, **facts))

    def lossy(self, *messages: dict, **said) -> tuple[dict, tuple[str, ...]]:
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
