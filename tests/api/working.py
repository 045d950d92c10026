"""Gateways with upstreams for rerank, moderations, images, speech and transcription."""

import base64
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import httpx2
from tests.api.caller import BEARER, Headers, Heard
from tests.api.upstream import Asked, Say, Script, listening, whole
from tests.conftest import Gateway, Start, Tree

NAMES = ("one", "two", "three")
DOCUMENTS = ["a cat", "a dog", "a fish"]
RANKED = [{"index": 2, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}]
PICTURE = base64.b64encode(b"\x89PNG picture").decode()
SOUND = bytes(range(256)) * 40
TEXT_TOKENS = {"input_tokens": 10, "output_tokens": 1000, "total_tokens": 1010}
MODELS: dict[str, Tree] = {
    "r1": {"mode": "rerank", "search_price": "2"},
    "j1": {"mode": "moderation", "input_price": "1"},
    "i1": {"mode": "image", "image_price": "0.04"},
    "s1": {"mode": "speech", "character_price": "15"},
    "t1": {"mode": "transcription", "minute_price": "0.006"},
}


def wave(seconds: float, rate: int = 8000) -> bytes:
    """Silence of this many seconds as a WAV file: one channel of 16 bits."""
    data = bytes(int(seconds * rate) * 2)
    head = b"WAVEfmt " + (16).to_bytes(4, "little") + b"\x01\0\x01\0"
    head += rate.to_bytes(4, "little") + (2 * rate).to_bytes(4, "little") + b"\x02\0\x10\0"
    body = head + b"data" + len(data).to_bytes(4, "little") + data
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def sound(*pieces: bytes, cut: bool = False) -> Script:
    """Answer with audio in pieces."""
    return Script(pieces, kind="audio/mpeg", cut=cut)


def events(*said: object, cut: bool = False, kind: str = "text/event-stream") -> Script:
    """Answer with events as OpenAI writes them."""
    frames = [b"data: " + json.dumps(one).encode() + b"\n\n" for one in said]
    return Script(frames, kind=kind, cut=cut)


def works(asked: Asked) -> Script:
    """Answer any kind of work as OpenAI and Cohere do."""
    path = asked.path.partition("?")[0]
    if path.endswith("/rerank"):
        return whole({"id": "up", "results": RANKED, "meta": {"billed_units": {"search_units": 1}}})
    if path.endswith("/moderations"):
        result = {"flagged": False, "categories": {}, "category_scores": {}}
        return whole({"id": "modr-1", "model": "native-j1", "results": [result]})
    if "/images/" in path:
        return whole({"created": 1, "data": [{"b64_json": PICTURE}, {"b64_json": PICTURE}]})
    if path.endswith("/speech"):
        return sound(SOUND[:100], SOUND[100:])
    return whole({"text": "hello", "usage": {"type": "duration", "seconds": 9}})


def upstream_tree(name: str, url: str, models: Sequence[str], factor: int, more: Tree) -> Tree:
    """The settings of one upstream; `factor`: how many times as dear it is as the first."""
    rows: list[Tree] = []
    for model in models:
        said = MODELS.get(model, {}) | more.get(model, {})  # type: ignore[operator]
        priced = {
            key: str(float(str(value)) * factor) if key.endswith("_price") and value else value
            for key, value in said.items()
        }
        rows.append({"id": model, "native": f"native-{model}", **priced})
    chat: Tree = {"id": "c1", "input_price": 1, "output_price": 1}
    rest = {key: value for key, value in more.items() if key not in models}
    base = {"name": name, "vendor": "custom", "base_url": url}
    return {**base, "models": [*rows, chat], **rest}


@asynccontextmanager
async def working(start: Start, *says: Say, **more: object) -> AsyncIterator[Gateway]:
    """Start a gateway with an upstream for each of `says`, the first one the cheapest.

    `more`: of the upstreams, and of models by their name; `server` of the gateway.
    """
    server = more.pop("server", {})
    models = more.pop("models", tuple(MODELS))
    async with AsyncExitStack() as stack:
        behind = [await stack.enter_async_context(listening(say)) for say in says or (works,)]
        trees = [
            upstream_tree(name, one.url, models, place * 2 + 1, dict(more))  # type: ignore[arg-type]
            for place, (name, one) in enumerate(zip(NAMES, behind, strict=False))
        ]
        gateway = await start(upstream=behind[0], upstreams=trees, server=server)
        gateway.others = behind[1:]  # type: ignore[attr-defined]
        yield gateway


def form(files: object, **fields: str) -> tuple[str, bytes]:
    """Return the content type and the body of a form, as a usual client writes it."""
    request = httpx2.Request("POST", "http://x/", data=fields, files=files)  # type: ignore[arg-type]
    return request.headers["content-type"], request.read()


async def upload(
    gateway: Gateway, path: str, files: object, headers: Headers = (BEARER,), **fields: str
) -> Heard:
    """Send a form."""
    kind, body = form(files, **fields)
    return await gateway.send("POST", path, (*headers, ("Content-Type", kind)), body)
