"""Two hundred secrets, a mix of requests and failures that repeat them: none is seen anywhere."""

import asyncio
import base64
import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.api.caller import ADMIN, JSON, Heard, chat_body
from tests.api.upstream import Asked, Script, chunk, either, frames, listening, stream, whole
from tests.conftest import Gateway, Start

from infway.telemetry.logs import redact_logs, write_logs

VENDORS = ("custom", "anthropic", "gemini", "cohere", "ollama")
KEYS = [f"prov/{i:02}+Zq8Lw3Vt{i * 7919:07}nRk5Yx" for i in range(60)]  # keys of upstreams
CALLERS = [f"call/{i:02}+Hm4Bd9Sf{i * 6007:07}pJc2Ge" for i in range(60)]  # keys of callers
PROMPTS = [f"secretword{i:02}of{i * 5003:07}" for i in range(79)]
STORE = "redispw0Tn6Uk1Ei"
HOLDERS = ("authorization", "x-api-key", "x-goog-api-key", "api-key")


def spellings(secret: str) -> Iterator[str]:
    """Return every way in which a secret can be recognised."""
    raw = secret.encode()
    yield secret
    yield secret[:12]
    yield secret.replace("/", "\\/")
    yield quote(secret, safe="")
    yield base64.b64encode(raw).decode().rstrip("=")
    yield base64.urlsafe_b64encode(raw).decode().rstrip("=")


class Mirror:
    """An upstream that repeats the key it was shown, and the prompt, in every way there is."""

    def __init__(self) -> None:
        self._turn = count()
        self.shown: set[str] = set()

    def __call__(self, asked: Asked) -> Script:
        key = next((asked.headers[n].split(" ")[-1] for n in HOLDERS if n in asked.headers), "")
        self.shown.add(key)
        turn = next(self._turn)
        said = f"{list(spellings(key))[turn % 6] if key else ''} of {asked.body.decode()[-300:]}"
        error = {"error": {"message": f"no: {said}", "type": said, "code": said, "param": said}}
        headers = (f"x-request-id: {key}", f"set-cookie: key={key}", f"location: /{quote(key)}")
        ways = (
            either(asked),
            whole(error, status=401, headers=headers),
            whole(error, status=400, headers=headers),
            whole(error, status=429, headers=(*headers, f"retry-after: {key}")),
            whole(error, status=500),
            whole(error),
            whole(f"<html>{said}".encode(), status=502, kind="text/html"),
            whole(b"", status=302, headers=headers),
            whole(said.encode()),
            stream(b"data: " + json.dumps(error).encode() + b"\n\n"),
            stream(*frames("a")[:2], b"data: " + json.dumps(error).encode() + b"\n\n"),
            stream(*frames("a")[:2], f"event: {said}\ndata: {said}\n\n".encode()),
            stream(chunk({"content": "a"}), cut=True),
            Script([said.encode(), said.encode()], cut=True),
        )
        return ways[turn % len(ways)]


@pytest.fixture
def log() -> Iterator[tuple[logging.Handler, io.StringIO]]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    handler, written = write_logs("debug", "json"), io.StringIO()
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(written)
    yield handler, written
    root.handlers[:], level = before
    root.setLevel(level)


def _tree(url: str) -> dict[str, object]:
    upstreams = [
        {
            "name": f"u{i}",
            "vendor": VENDORS[i % 5],
            "base_url": url,
            "key": key,
            "models": [{"id": "m1", "native": f"n{i}", "input_price": 1, "output_price": 2}],
        }
        for i, key in enumerate(KEYS)
    ]
    keys = [{"name": f"caller{i}", "key": key} for i, key in enumerate(CALLERS)]
    return {"upstreams": upstreams, "keys": [*keys, {"name": "admin", "key": ADMIN[1][7:], "admin": True}],
            "attempts": {"backoff_base": 0.001, "patience": 0}}  # fmt: skip


async def _ask(gateway: Gateway, place: int) -> Heard:
    """Ask for something, soundly or not, with one of the keys and one of the prompts."""
    key, prompt = CALLERS[place % len(CALLERS)], PROMPTS[place % len(PROMPTS)]
    said = {"role": "user", "content": prompt}
    only = {"only": [f"u{place % len(KEYS)}"]}
    headers = (("Authorization", f"Bearer {key}"), JSON)
    sound = chat_body(messages=[said], stream=place % 2 == 0)
    shots: tuple[tuple[str, object, object], ...] = (
        ("/v1/chat/completions", {**sound, "provider": only}, headers),
        ("/v1/chat/completions", sound, headers),
        ("/v1/messages", {"model": "m1", "max_tokens": 5, "messages": [said], "stream": True}, headers),
        ("/v1/responses", {"model": "m1", "input": prompt, "store": False}, headers),
        ("/v1beta/models/m1:generateContent", {"contents": [{"parts": [{"text": prompt}]}]}, headers),
        (f"/v1beta/models/m1:generateContent?key={quote(key)}", {"contents": []}, (JSON,)),
        ("/v1/chat/completions", {**sound, "messages": prompt}, headers),
        ("/v1/chat/completions", sound, (("Authorization", f"Bearer {key}x"), JSON)),
        ("/v1/chat/completions", sound, (("Authorization", key), JSON)),
        ("/v1/chat/completions", sound, (*headers, ("x-api-key", key))),
        (f"/v1/nothing/{quote(key, safe='')}", sound, headers),
        ("/v1/chat/completions", json.dumps(sound).encode()[:-5], headers),
    )  # fmt: skip
    path, body, said_headers = shots[place % len(shots)]
    return await gateway.post(path, body, said_headers)  # type: ignore[arg-type]


async def _admin(gateway: Gateway) -> AsyncIterator[bytes]:
    """Yield what is told of all that to those who may know."""
    listed = await gateway.get("/admin/decisions?count=1000", (ADMIN,))
    assert listed.status == 200
    yield listed.body
    for one in listed.json["data"]:
        yield (await gateway.get(f"/admin/decisions/{one['id']}", (ADMIN,))).body
    for row in await gateway.rows():
        yield (await gateway.get(f"/v1/generation?id={row.request}", (ADMIN,))).body
    for path in ("/metrics", "/healthz", "/readyz", "/v1/models", "/openapi.json"):
        yield (await gateway.get(path, (ADMIN,))).body


def _seen(text: str, secrets: list[str]) -> list[str]:
    folded = text.lower()
    return [one for one in secrets if any(way.lower() in folded for way in spellings(one))]


async def test_none_of_two_hundred_secrets_is_seen_in_any_place(
    start: Start, log: tuple[logging.Handler, io.StringIO]
) -> None:
    mirror = Mirror()
    handler, written = log
    async with listening(mirror) as upstream:
        gateway = await start(upstream=upstream, **_tree(upstream.url))
        redact_logs(handler, gateway.app.client.signer.redact)
        places = iter(range(720))

        async def ask() -> list[str]:
            return [repr(await _ask(gateway, place)) for place in places]

        replies = [one for some in await asyncio.gather(*[ask() for _ in range(4)]) for one in some]
        for key in (*KEYS, *CALLERS):  # whoever logs one, in whatever spelling
            for way in spellings(key):
                logging.getLogger("elsewhere").error("%s", way)
        told = "".join([one.decode() async for one in _admin(gateway)])
        files = [path.read_bytes().decode("latin-1") for path in _files(gateway.ledger)]
    assert len(mirror.shown & set(KEYS)) > 50, "too few of the keys were used"
    assert written.getvalue().count("[redacted]") > 100
    keys = [*KEYS, *CALLERS]
    places_of_keys = {"replies": "".join(replies), "log": written.getvalue(), "told": told}
    for name, text in (*places_of_keys.items(), *((f"file {i}", f) for i, f in enumerate(files))):
        assert _seen(text, keys) == [], name
    for name, text in (("log", written.getvalue()), ("told", told), ("files", "".join(files))):
        assert _seen(text, PROMPTS) == [], name


def _files(ledger: Path) -> list[Path]:
    found = sorted(ledger.parent.glob(f"{ledger.name}*"))
    assert found
    return found


async def test_the_address_of_the_store_is_a_secret(start: Start) -> None:
    gateway = await start(state={"redis": f"redis://:{STORE}@127.0.0.1:1/0"})
    redact = gateway.app.client.signer.redact
    for way in (STORE, f"redis://:{STORE}@127.0.0.1:1/0", quote(STORE), STORE.upper()):
        assert STORE.lower() not in redact(f"cannot reach {way} now").lower()
