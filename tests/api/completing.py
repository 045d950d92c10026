"""Text completions as upstreams write them, and gateways in front of both kinds of upstreams."""

import json
from contextlib import AsyncExitStack

from tests.api.upstream import DONE, USAGE, Asked, Say, Script, either, listening, stream, whole
from tests.conftest import Gateway, Start, upstream_settings

ROOT = {
    "id": "cmpl-upstream",
    "object": "text.completion",  # Together's spelling
    "created": 1_700_000_000,
    "model": "native-model-2024",
}


def text_choice(
    text: str | None, finish: str | None = None, index: int = 0, **more: object
) -> dict[str, object]:
    """Return one choice."""
    return {"text": text, "index": index, "logprobs": None, "finish_reason": finish, **more}


def continued(*choices: dict[str, object], **root: object) -> dict[str, object]:
    """Return a whole reply."""
    told = list(choices) or [text_choice(" blue.", "stop")]
    return {**ROOT, "choices": told, "usage": USAGE, **root}


def text_chunk(*choices: dict[str, object], **root: object) -> bytes:
    """Return one frame."""
    fields = {**ROOT, "choices": list(choices), **root}
    return b"data: " + json.dumps(fields, separators=(",", ":")).encode() + b"\n\n"


def text_frames(*texts: str) -> list[bytes]:
    """Return the frames of a stream."""
    frames = [text_chunk(text_choice(text)) for text in texts]
    return [*frames, text_chunk(text_choice("", "stop")), text_chunk(usage=USAGE), DONE]


def both(asked: Asked) -> Script:
    """Continue texts at /completions and answer chats at /chat/completions."""
    if not asked.path.endswith("/completions") or asked.path.endswith("/chat/completions"):
        return either(asked)
    is_stream = asked.json.get("stream") is True
    return stream(*text_frames(" bl", "ue.")) if is_stream else whole(continued())


class Kinds:
    """Starts gateways: `native` in front of a server that continues texts, `carried` of one that
    only chats, `mixed` of one of each (`chats` and `texts`)."""

    def __init__(self, start: Start, stack: AsyncExitStack) -> None:
        self._start = start
        self._stack = stack

    async def native(self, say: Say = both, **more: object) -> Gateway:
        """One vLLM server."""
        behind = await self._stack.enter_async_context(listening(say))
        row = upstream_settings("one", behind, "m1", "m2", vendor="vllm", **more)
        return await self._start(upstream=behind, upstreams=[row])

    async def carried(self, say: Say = either, **more: object) -> Gateway:
        """One server of chats."""
        behind = await self._stack.enter_async_context(listening(say))
        row = upstream_settings("one", behind, "m1", "m2", **more)
        return await self._start(upstream=behind, upstreams=[row])

    async def mixed(self) -> Gateway:
        """A server of each kind; that of chats is the cheaper one."""
        chats = await self._stack.enter_async_context(listening(either))
        texts = await self._stack.enter_async_context(listening(both))
        cheap = {"id": "m1", "native": "n", "input_price": "0.01", "output_price": "0.01"}
        rows = [
            upstream_settings("chats", chats, cheap),
            upstream_settings("texts", texts, "m1", vendor="vllm"),
        ]
        return await self._start(upstream=texts, upstreams=rows)
