"""Gateways with upstreams of embeddings on real sockets; a text can be told by its vector."""

import json
import struct
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from tests.api.upstream import Asked, Say, Script, Upstream, listening, whole
from tests.conftest import Gateway, Start, Tree, upstream_settings

PATH = "/v1/embeddings"
NAMES = ("one", "two", "three")


def vector(text: object) -> list[float]:
    """A vector that only this text has; every number is one of float32."""
    said = text if isinstance(text, str) else json.dumps(text)
    return [len(said) / 8, sum(said.encode()) / 4, -0.5]


def packed(numbers: list[float]) -> str:
    """Numbers as base64 of little-endian float32."""
    return b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def inputs_in(asked: Asked) -> list[object]:
    """The inputs of a call in the OpenAI dialect."""
    said = asked.json["input"]
    return said if isinstance(said, list) and not isinstance(said[0], int) else [said]


def embeds(asked: Asked) -> Script:
    """Answer as OpenAI does, in the format that is asked for; two tokens an input."""
    inputs = inputs_in(asked)
    write = packed if asked.json.get("encoding_format") == "base64" else list
    data = [
        {"object": "embedding", "index": i, "embedding": write(vector(one))}
        for i, one in enumerate(inputs)
    ]
    usage = {"prompt_tokens": 2 * len(inputs), "total_tokens": 2 * len(inputs)}
    return whole({"object": "list", "data": data[::-1], "model": "native-e1", "usage": usage})


def titan(asked: Asked) -> Script:
    """Answer as Titan does: one text."""
    return whole({"embedding": vector(asked.json["inputText"]), "inputTextTokenCount": 3})


def cohere(asked: Asked) -> Script:
    """Answer as Cohere does, without a word of tokens."""
    texts = asked.json["texts"]
    assert isinstance(texts, list)
    return whole({"embeddings": {"float": [vector(text) for text in texts]}})


def embedder(name: str, upstream: Upstream, price: int = 1, **more: object) -> Tree:
    """The settings of an upstream with `e1` for embeddings and `c1` for chats; USD per million."""
    native = more.pop("native", "native-e1")
    models = (
        {"id": "e1", "native": native, "mode": "embedding", "input_price": price},
        {"id": "c1", "input_price": price, "output_price": price},
    )
    return upstream_settings(name, upstream, *models, **more)


@asynccontextmanager
async def embedding(start: Start, *says: Say, **more: object) -> AsyncIterator[Gateway]:
    """Start a gateway with an upstream for each of `says`, the first one the cheapest.

    `more`: of the upstreams; `server` of the gateway.
    """
    server = more.pop("server", {})
    async with AsyncExitStack() as stack:
        behind = [await stack.enter_async_context(listening(say)) for say in says or (embeds,)]
        prices = (2, 5, 9)
        trees = [
            embedder(name, one, price, **more)
            for name, one, price in zip(NAMES, behind, prices, strict=False)
        ]
        yield await start(upstream=behind[0], upstreams=trees, server=server)
