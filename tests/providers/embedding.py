"""Requests for embeddings as the edge makes them, for an offer of any dialect."""

import json
import struct
from base64 import b64decode, b64encode

from infway.api.embeddings_reading import read_embeddings
from infway.kernel.chat import ChatRequest, Feature, Offer, Prices, Upstream
from infway.kernel.events import Vectors
from infway.providers.registry import EMBEDDERS

URL = "http://upstream/v1/models/{model}:embed"


def asked(**fields: object) -> ChatRequest:
    """The request that a body makes."""
    body = {"model": "m1", "input": "hello", **fields}
    return read_embeddings(json.dumps(body).encode(), "id-1", None)[0]


def offered(dialect: str, native: str = "native/m:1", **more: object) -> Offer:
    """An offer of a dialect; `more`: of its upstream."""
    upstream = Upstream(
        "one",
        "custom",
        dialect,
        "http://upstream/chat",
        embeddings_url=URL,
        takes=EMBEDDERS[dialect].takes,
        **more,  # type: ignore[arg-type]
    )
    return Offer(0, "m1", upstream, native, Prices(1, 0), Feature.EMBEDDINGS, 50.0)


def sent(dialect: str, ask: ChatRequest, **more: object) -> dict:
    """The body of the call."""
    return json.loads(EMBEDDERS[dialect].request(ask, offered(dialect, **more)).body)


def numbers(vectors: Vectors) -> list[list[float]]:
    """The vectors as lists of numbers."""
    return [
        list(struct.unpack(f"<{len(b64decode(one)) // 4}f", b64decode(one)))
        if vectors.coded
        else json.loads(one)
        for one in vectors.items
    ]


def packed(*floats: float) -> str:
    """Numbers as base64 of little-endian float32."""
    return b64encode(struct.pack(f"<{len(floats)}f", *floats)).decode()
