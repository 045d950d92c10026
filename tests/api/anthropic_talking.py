"""Anthropic's own client in front of a gateway, and upstreams of several dialects behind it."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from anthropic import AsyncAnthropic
from anthropic.types import Message
from tests.api.anthropic_asking import HELLO
from tests.api.caller import KEY
from tests.api.upstream import Asked, Say, Script, chunk, listening, stream, whole
from tests.conftest import Gateway, Start, upstream_settings
from tests.providers.gemini_saying import frame as gemini_frame

WEATHER = {
    "name": "weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}
CLAUDE = {"vendor": "anthropic", "key": "the-key-of-the-vendor"}
GEMINI = {"vendor": "gemini", "key": "the-key-of-the-vendor"}
BIG = {"context": 200_000, "capabilities": ["tools", "vision", "files", "reasoning", "json_schema"]}


@asynccontextmanager
async def client(gateway: Gateway, **more: object) -> AsyncIterator[AsyncAnthropic]:
    """The client of an application."""
    facts = {"base_url": gateway.url, "api_key": KEY, "max_retries": 0, **more}
    async with AsyncAnthropic(**facts) as made:  # type: ignore[arg-type]  # what a test says fits
        yield made


async def created(gateway: Gateway, **more: object) -> Message:
    """What `messages.create` returns."""
    async with client(gateway) as one:
        said = {"model": "m1", "max_tokens": 100, "messages": [HELLO], **more}
        return await one.messages.create(**said)  # type: ignore[call-overload, no-any-return]  # the same


async def streamed(gateway: Gateway, **more: object) -> tuple[Message, list[str]]:
    """What `messages.stream` adds up to, and the types of the events it gives."""
    async with client(gateway) as one:
        said = {"model": "m1", "max_tokens": 100, "messages": [HELLO], **more}
        async with one.messages.stream(**said) as events:  # type: ignore[arg-type]  # the same
            kinds = [event.type async for event in events]
            return await events.get_final_message(), kinds


async def both(gateway: Gateway, **more: object) -> Message:
    """The message, which is the same whole and streamed; ids differ by request."""
    one, (other, _) = await created(gateway, **more), await streamed(gateway, **more)
    theirs = other.model_dump(exclude={"id", "usage"}, exclude_none=True)
    assert theirs == one.model_dump(exclude={"id", "usage"}, exclude_none=True)
    assert other.usage.output_tokens == one.usage.output_tokens
    assert other.usage.input_tokens == one.usage.input_tokens
    return one


def openai(message: dict, finish: str, *pieces: dict, usage: dict | None = None) -> Say:
    """An upstream of the OpenAI dialect: a message, and the deltas of the same."""
    counted = usage or {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    body = {"id": "c", "object": "chat.completion", "model": "x", "choices": [choice], "usage": counted}  # fmt: skip
    frames = [chunk(piece) for piece in pieces] + [chunk({}, finish), chunk(None, usage=counted)]

    def say(asked: Asked) -> Script:
        return stream(*frames, b"data: [DONE]\n\n") if asked.json.get("stream") else whole(body)

    return say


def gemini(*replies: dict) -> Say:
    """An upstream of Google's: one reply whole, or in frames."""

    def say(asked: Asked) -> Script:
        if "stream" in asked.path:
            return stream(*map(gemini_frame, replies))
        parts = [part for one in replies for part in one["candidates"][0]["content"]["parts"]]
        last = replies[-1]["candidates"][0]
        joined = {**last, "content": {"role": "model", "parts": parts}}
        return whole({**replies[-1], "candidates": [joined]})

    return say


def claude(body: dict, frames: Sequence[bytes]) -> Say:
    """An upstream of Anthropic's: a message, and the frames of the same."""

    def say(asked: Asked) -> Script:
        return stream(*frames) if asked.json.get("stream") else whole(json.dumps(body).encode())

    return say


@asynccontextmanager
async def behind(
    start: Start, say: Say, settings: dict | None = None, native: str = "native-m1"
) -> AsyncIterator[Gateway]:
    """A gateway with one upstream, of the vendor that `settings` name."""
    async with listening(say) as upstream:
        model = {"id": "m1", "native": native, "input_price": "1", "output_price": "2", **BIG}
        said = upstream_settings("one", upstream, model, **(settings or {}))
        said["base_url"] = f"http://127.0.0.1:{upstream.port}"
        yield await start(upstream=upstream, upstreams=[said])
