"""Offers at the wall and requests for them, built in one line each."""

import json
from collections.abc import Iterable
from dataclasses import replace

import msgspec

from infway.kernel.chat import (
    ChatRequest,
    Feature,
    Offer,
    Prices,
    Selection,
    Timeouts,
    Upstream,
)

PRICES = Prices(input=1_000_000, output=2_000_000)  # 1 and 2 USD per million tokens
QUICK = Timeouts(connect=0.5, first_token=0.3, whole=0.3, idle=0.2, total=5.0)
CALM = Timeouts(connect=2.0, first_token=5.0, whole=5.0, idle=5.0, total=20.0)


def upstream(name: str = "up", base_url: str = "http://127.0.0.1:9/v1", **said) -> Upstream:
    facts = {"vendor": "custom", "dialect": "openai", "timeouts": CALM, **said}
    return Upstream(name=name, chat_url=f"{base_url}/chat/completions", **facts)


def offer(script: str = "ok", source: Upstream | None = None, model: str = "m", **said) -> Offer:
    """An offer whose native name is a script of the wall."""
    facts = {"prices": PRICES, "features": Feature(-1), "quality": 50.0, **said}
    return Offer(index=0, model=model, upstream=source or upstream(), native=script, **facts)


def offers(*made: Offer) -> list[Offer]:
    """The same offers with their places in a catalogue."""
    return [replace(one, index=place) for place, one in enumerate(made)]


def ask(stream: bool = True, model: str | None = "m", **said) -> ChatRequest:
    fields = {"messages": [{"role": "user", "content": "Hello"}], "model": "asked"}
    if stream:
        fields["stream"] = True
    raw = {name: msgspec.Raw(json.dumps(value).encode()) for name, value in fields.items()}
    facts = {
        "id": "r-1", "fields": raw, "stream": stream, "selection": Selection(model=model),
        "features": Feature(0), "input_tokens": 25, "input_chars": 100, "output_tokens": None,
        "affinity": None, **said,
    }  # fmt: skip
    return ChatRequest(**facts)


def ids(made: Iterable[Offer]) -> list[str]:
    return [one.id for one in made]
