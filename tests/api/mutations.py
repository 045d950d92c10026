"""Malformed requests without end, the same for the same seed."""

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from urllib.parse import quote_from_bytes

from tests.api.caller import BEARER, JSON, KEY

CHAT = ("/v1/chat/completions", "/chat/completions", "/api/v1/chat/completions",
        "/engines/m1/chat/completions", "/openai/deployments/m2/chat/completions")  # fmt: skip
OTHER = ("/v1/models", "/models/m1", "/admin/decisions", "/healthz", "/readyz", "/metrics",
         "/admin/decisions/x", "/openapi.json", "/", "/v1", "/v1/embeddings")  # fmt: skip
METHODS = ("GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "LOCK")
KEYS = ("Authorization", "Infuzu-API-Key", "X-Infuzu-API-Key", "api-key", "x-api-key")
# Nothing that could rule out every offer: a sound request that nobody can serve is a 503.
VALID: dict[str, object] = {
    "model": {"llms": ["m1", "m2"], "weights": {"price": 3}, "imsn": 1},
    "messages": [
        {"role": "system", "content": "Be kind"},
        {"role": "user", "content": [
            {"type": "text", "text": "Look"},
            {"type": "image_url", "image_url": "data:image/png;base64,AA=="},
            {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}]},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c", "content": "1"},
        {"role": "user", "content_parts": [{"type": "text", "text": "So?"}], "name": None},
    ],
    "stream": False, "stream_options": {"include_usage": True}, "usage": {"include": True},
    "provider": {"order": ["one"], "sort": "price", "allow_fallbacks": True,
                 "preferred_max_latency": {"p50": 3}},
    "fallback_models": ["m2"], "fallback_rules": "auto", "prompt": "x", "priority": 1,
    "temperature": 1, "top_p": 0.5, "n": 1, "stop": ["a"], "max_tokens": 5, "seed": 1,
    "max_completion_tokens": 5, "presence_penalty": 0, "frequency_penalty": 0,
    "logit_bias": {"5": 1}, "logprobs": True, "top_logprobs": 2, "user": "u",
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
    "tool_choice": "auto", "parallel_tool_calls": True, "response_format": {"type": "text"},
    "modalities": ["text"], "audio": {"voice": "a"}, "reasoning": {"effort": "low"},
    "reasoning_effort": "low", "prompt_cache_key": "k", "metadata": {"a": "b"}, "top_k": 4,
}  # fmt: skip
WRONG: tuple[object, ...] = (
    None, True, False, 0, -1, 1, 2, 1.5, -0.0, 1e308, 10**18, 10**30, -(10**400), "", "x",
    "\x00", "é𝄞", " ", "null", "a" * 3000, [], [None], [[]], [1], ["x"], {}, {"": None},
    {"a": {"b": []}}, [{}], {"type": "text"}, {"url": None}, {"llms": ["m1"], "imsn": 9},
)  # fmt: skip
NOISE = (b"\x00", b"\xff", b"{", b"}", b"[", b'"', b"\\", b",", b":", b"\\ud800", b"NaN",
         b"1e999", b"null", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"//", b"\r\n", b"-")  # fmt: skip


@dataclass(frozen=True)
class Shot:
    """One request that is whole as HTTP."""

    kind: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | list[bytes]


def _places(tree: object) -> Iterator[tuple[object, object]]:
    steps = tree.items() if isinstance(tree, dict) else enumerate(tree)  # type: ignore[call-overload]
    for key, value in list(steps):
        yield tree, key
        if isinstance(value, dict | list):
            yield from _places(value)


def _mutated(chance: Random) -> bytes:
    body = copy.deepcopy(VALID)
    if chance.random() < 0.5:
        body["stream"] = True
    for _ in range(chance.randint(1, 3)):
        holder, key = chance.choice(list(_places(body)))
        if chance.random() < 0.15:
            del holder[key]  # type: ignore[attr-defined]
        else:
            holder[key] = copy.deepcopy(chance.choice(WRONG))  # type: ignore[index]
    return json.dumps(body, ensure_ascii=chance.random() < 0.5).encode()


def _fields(chance: Random) -> Shot:
    return Shot("fields", "POST", chance.choice(CHAT), (BEARER, JSON), _mutated(chance))


def _truncated(chance: Random) -> Shot:
    body = _mutated(chance)
    cut = body[: chance.randrange(len(body))]
    return Shot("truncated", "POST", chance.choice(CHAT), (BEARER, JSON), cut)


def _noisy(chance: Random) -> Shot:
    body = bytearray(_mutated(chance))
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(body))
        body[at : at + chance.randint(0, 3)] = chance.choice(NOISE)
    return Shot("noise", "POST", chance.choice(CHAT), (BEARER, JSON), bytes(body))


def _random(chance: Random) -> Shot:
    body = chance.randbytes(chance.randint(0, 400))
    if chance.random() < 0.2:
        body = chance.choice((b"[", b'{"a":')) * chance.choice((10, 2000, 100_000))
    return Shot("random bytes", "POST", chance.choice(CHAT), (BEARER, JSON), body)


def _word(chance: Random, size: int) -> str:
    letters = "".join(chr(n) for n in (*range(33, 127), 161, 233, 255))
    return "".join(chance.choices(letters, k=size))


def _header_games(chance: Random) -> Shot:
    headers: list[tuple[str, str]] = []
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
        name = chance.choice(KEYS)
        value = chance.choice((f"Bearer {KEY}", KEY, "", "Bearer", "Basic x", _word(chance, 40)))
        headers.append((chance.choice((name, name.upper(), name.lower())), value))
    kind = chance.choice(
        ("application/json", "", "text/plain", "application/json; charset=x", _word(chance, 12))
    )
    headers += [("Content-Type", kind)] * chance.choice((0, 1, 1, 2))
    odd = [("Content-Encoding", chance.choice(("gzip", "identity", "", "x"))),
           ("Accept", _word(chance, 20)), ("X-Request-Id", _word(chance, 30)),
           ("Accept-Encoding", "gzip"), ("Cookie", _word(chance, 900)), ("Host", "again"),
           ("Upgrade", "websocket"), ("Origin", "null"), ("Transfer-Encodin", "chunked")]  # fmt: skip
    headers += chance.sample(odd, chance.randint(0, 3))
    return Shot("headers", "POST", chance.choice(CHAT), tuple(headers), _mutated(chance))


def _method(chance: Random) -> Shot:
    path = chance.choice((*CHAT, *OTHER))
    method = chance.choice((*METHODS, "POST"))
    return Shot("methods", method, path, (BEARER,), b"{}" if chance.random() < 0.3 else b"")


def _path(chance: Random) -> Shot:
    raw = quote_from_bytes(chance.randbytes(chance.randint(0, 12)), safe="/")
    plain = "".join(c for c in _word(chance, chance.randint(0, 12)) if c.isascii() and c != "#")
    model = chance.choice((raw, plain, f"{raw}/{plain}", "../../m1", "%2e%2e/m1", "m1//", "%"))
    path = chance.choice(
        (f"/engines/{model}/chat/completions", f"/openai/deployments/{model}/chat/completions",
         f"/v1/models/{model}", f"/{model}", f"/v1/chat/completions/{model}",
         f"/v1/chat/completions?{plain}", f"/admin/decisions?count={plain}",
         f"/admin/decisions/{raw}", "//v1/chat/completions", f"/v1/models?{plain}")
    )  # fmt: skip
    method = chance.choice(("POST", "POST", "GET"))
    return Shot(
        "paths", method, path, (BEARER, JSON), _mutated(chance) if method == "POST" else b""
    )


def _chunks(chance: Random) -> Shot:
    body = _mutated(chance)
    cuts = sorted(chance.randrange(len(body)) for _ in range(chance.randint(0, 9)))
    edges = zip([0, *cuts], [*cuts, len(body)], strict=True)
    pieces = [body[a:b] for a, b in edges if a < b]
    if chance.random() < 0.1:
        pieces *= 400
    return Shot("chunks", "POST", chance.choice(CHAT), (BEARER, JSON), pieces)


KINDS: tuple[Callable[[Random], Shot], ...] = (
    _fields, _fields, _fields, _truncated, _noisy, _noisy, _random, _header_games,
    _header_games, _method, _path, _chunks,
)  # fmt: skip


def shots(count: int, seed: int) -> list[Shot]:
    """Return so many requests."""
    chance = Random(seed)
    return [chance.choice(KINDS)(chance) for _ in range(count)]


def unparsable(count: int, seed: int) -> list[bytes]:
    """Return so many blobs that are no HTTP/1.1 request."""
    chance = Random(seed)
    heads = (b"GET", b"GET /", b"GET / HTTP/9.9\r\n\r\n", b"\r\n\r\n\x00\x00\r\n\r\n",
             b"BREW /pot HTTP/1.1\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
             b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
             b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
             b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
             b"GET / HTTP/1.1\r\nbad header\r\n\r\n", b"GET / HTTP/1.1\r\n: x\r\n\r\n",
             b"GET /\x00 HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")  # fmt: skip
    return [
        chance.choice(heads) if chance.random() < 0.5 else b"\x01" + chance.randbytes(40)
        for _ in range(count)
    ]
