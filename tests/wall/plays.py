"""The faults of the wall by name: what is sent, and what follows it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.wall.answer import DONE, FINISH, USAGE_CHUNK, error, event, frame, reply, words
from tests.wall.line import Socket

EVENTS = "text/event-stream; charset=utf-8"


@dataclass(frozen=True)
class Script:
    fault: str
    number: int
    keys: dict[str, str]

    @classmethod
    def read(cls, text: str) -> "Script":
        head, *pairs = text.split("~")
        fault, _, number = head.partition("@")
        keys = dict(pair.partition("=")[::2] for pair in pairs)
        return cls(fault if fault in PLAYS else "ok", int(number or -1), keys)


async def _stream(one: Socket, script: Script, frames: list[bytes]) -> None:
    """Send the head and these frames, as the script's keys want them cut and ended."""
    await one.head(200, EVENTS, "transfer-encoding: chunked")
    pause = int(script.keys.get("pause", 0)) / 1000
    end = {"lf": b"\n", "crlf": b"\r\n", "cr": b"\r"}[script.keys.get("end", "lf")]
    size = int(script.keys.get("cut", 0))
    for data in (one_frame.replace(b"\n", end) for one_frame in frames):
        for at in range(0, len(data), size or len(data)):
            await one.chunk(data[at : at + (size or len(data))])
            if size:
                await asyncio.sleep(0)
        if pause:
            await asyncio.sleep(pause)


def _full(script: Script, *tail: bytes) -> list[bytes]:
    usage = [] if script.keys.get("usage") == "no" else [USAGE_CHUNK]
    return [*words(-1), FINISH, *usage, *(tail or (DONE,))]


async def _ok(one: Socket, script: Script) -> None:
    """Answer; `close`: for the last time on this connection; `late`: after `@` milliseconds."""
    assert one.attempt is not None
    if script.fault == "late":
        await asyncio.sleep(script.number / 1000)
    if one.attempt.stream:
        await _stream(one, script, _full(script))
        await one.last_chunk()
    else:
        more = ["connection: close"] if "close" in script.keys else []
        await one.whole(
            reply(usage=script.keys.get("usage") != "no"), 200, "application/json", *more
        )
        if more:
            one.end()


async def _stale(one: Socket, script: Script) -> None:
    """Answer the first request of a connection; break off (or `fin`) at the next."""
    if one.requests == 1:
        await _ok(one, script)
    elif "fin" in script.keys:
        one.end()
    else:
        await one.reset()


async def _trickle(one: Socket, script: Script) -> None:
    """Send a byte of an endless header every `number` (20) milliseconds."""
    await one.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
    while True:
        await one.write(b"a")
        await asyncio.sleep(max(script.number, 20) / 1000)


async def _pings(one: Socket, script: Script) -> None:
    """Send comments, and nothing else, after `number` words (none)."""
    await _stream(one, script, words(script.number) if script.number > 0 else [])
    while True:
        await one.chunk(b": ping\n\n")
        await asyncio.sleep(0.01)


def _then(
    frames: Callable[[Script], list[bytes]],
    after: Callable[[Socket], Awaitable[None] | None] = Socket.last_chunk,
) -> Callable[[Socket, Script], Awaitable[None]]:
    """A stream of these frames, and what follows it."""

    async def play(one: Socket, script: Script) -> None:
        await _stream(one, script, frames(script))
        following = after(one)
        if following is not None:
            await following

    return play


def body(make: Callable[[Script], bytes], kind: str = "application/json", *more: str):
    """A 200 with this body, whatever was asked."""

    async def play(one: Socket, script: Script) -> None:
        await one.whole(make(script), 200, kind, *more)

    return play


async def _truncated(one: Socket, _: Script) -> None:
    """Promise a whole reply and end in the middle of it."""
    body = reply()
    await one.head(200, "application/json", f"content-length: {len(body)}")
    await one.write(body[:100])
    one.end()


async def _chunk_cut(one: Socket, _: Script) -> None:
    await one.head(200, "application/json", "transfer-encoding: chunked")
    await one.chunk(reply()[:100])
    one.end()


async def _reversed(one: Socket, script: Script) -> None:
    """Answer in one piece where a stream was asked, and the other way round; `@n`: not all of it."""
    assert one.attempt is not None
    if one.attempt.stream:
        whole = reply()
        await one.whole(whole if script.number < 0 else whole[: -script.number])
    else:
        await _stream(one, script, words(script.number) if script.number >= 0 else _full(script))
        await one.last_chunk()


async def _trailers(one: Socket, script: Script) -> None:
    """Say something more behind the last chunk."""
    assert one.attempt is not None
    if one.attempt.stream:
        await _stream(one, script, _full(script))
    else:
        await one.head(200, "application/json", "transfer-encoding: chunked", "trailer: x-late")
        await one.chunk(reply())
    await one.write(b"0\r\nx-late: 1\r\n\r\n")


async def _huge(one: Socket, _: Script) -> None:
    """A reply of 40 MiB whose size is not announced."""
    await one.head(200, "application/json", "transfer-encoding: chunked")
    for _i in range(40):
        await one.chunk(b" " * 1024 * 1024)
    await one.last_chunk()


async def _huge_header(one: Socket, _: Script) -> None:
    await one.head(200, "application/json", "content-length: 0", "x-big: " + "a" * 100_000)


async def _redirect(one: Socket, _: Script) -> None:
    await one.whole(b"", 302, "text/plain", "location: /v1/elsewhere")


async def _early_hints(one: Socket, script: Script) -> None:
    await one.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    await one.write(b"HTTP/1.1 103 Early Hints\r\nlink: </x>; rel=preload\r\n\r\n")
    await _ok(one, script)


async def _endless(one: Socket, script: Script) -> None:
    await _stream(one, script, words(1))
    while True:
        await one.chunk(frame({"content": " more"}))
        await asyncio.sleep(0.001)


async def _torrent(one: Socket, script: Script) -> None:
    """Send as much as is taken, without an end."""
    await _stream(one, script, words(1))
    while True:
        await one.chunk(frame({"content": "x" * 16_000}))


async def _hang(one: Socket, _: Script) -> None:
    await one.forever()


async def _reset(one: Socket, _: Script) -> None:
    await one.reset()


async def _fin(one: Socket, _: Script) -> None:
    one.end()


def _inband(script: Script) -> bytes:
    code = {"code": script.number} if script.number > 0 else {}
    said = error(script.number, script.keys)["error"]
    return event({"error": {**said, **code} if "code" not in script.keys else said})  # type: ignore[dict-item]


def _stopped(reason: str) -> bytes:
    return reply().replace(b'"stop"', b'"%s"' % reason.encode())


_BAD = b'data: {"choices":[{"index":0,"delta":{"content":" x"}\n\n'

PLAYS: dict[str, Callable[[Socket, Script], Awaitable[None]]] = {
    "ok": _ok,
    "late": _ok,
    "early-hints": _early_hints,
    "stale": _stale,  # ~fin: FIN in place of RST
    # before the first byte
    "hang": _hang,
    "trickle": _trickle,
    "reset": _reset,
    "fin": _fin,
    "silent": _then(lambda s: [], Socket.forever),
    "pings": _pings,
    "redirect": _redirect,
    "huge-header": _huge_header,
    # whole replies
    "truncated": _truncated,
    "chunk-cut": _chunk_cut,
    "bad-json": body(lambda s: b'{"choices": [{"index": 0, "mess'),
    "nan": body(lambda s: b'{"choices": NaN}'),
    "not-utf8": body(lambda s: reply().replace(b"word5", b"\xff\xfe")),
    "html": body(lambda s: b"<!doctype html><p>login", "text/html; charset=utf-8"),
    "empty-choices": body(lambda s: b'{"id":"x","object":"chat.completion","choices":[]}'),
    "no-message": body(lambda s: b'{"id":"x","choices":[{"index":0,"finish_reason":"stop"}]}'),
    "error-body": body(lambda s: _inband(s)[6:]),  # @status; keys as for `status`
    "filtered": body(lambda s: _stopped("content_filter")),
    "trailers": _trailers,
    "huge": _huge,
    # whole or stream, whatever was not asked for
    "reversed": _reversed,
    # streams
    "error-first": _then(lambda s: [_inband(s)]),  # @status; keys as for `status`
    "empty": _then(lambda s: []),
    "done-only": _then(lambda s: [DONE]),
    "filtered-stream": _then(lambda s: [*words(s.number), frame({}, "content_filter"), USAGE_CHUNK, DONE]),
    "role": _then(lambda s: words(0), Socket.forever),  # the role, and not a word
    "stall": _then(lambda s: words(s.number), Socket.forever),
    "cut": _then(lambda s: words(s.number), Socket.reset),
    "close": _then(lambda s: words(s.number)),  # a clean end without a finish
    "break": _then(lambda s: words(s.number), Socket.end),  # FIN inside the chunked body
    "half": _then(lambda s: [*words(s.number), frame({"content": " half"})[:-20]]),
    "done-early": _then(lambda s: [*words(s.number), DONE]),
    "bad-event": _then(lambda s: [*words(s.number), _BAD, *_full(s)[1:]]),
    "bad-utf8": _then(lambda s: [*words(s.number), frame({"content": "zz"}).replace(b"zz", b"\xff")]),
    "error": _then(lambda s: [*words(10), _inband(s)]),  # after ten words; @status
    "no-done": _then(lambda s: _full(s)[:-1]),
    "twice-done": _then(lambda s: [*_full(s), DONE]),
    "after-done": _then(lambda s: [*_full(s), frame({"content": " late"})]),
    "usage-twice": _then(lambda s: [*_full(s)[:-1], USAGE_CHUNK.replace(b":60", b":61"), DONE]),
    "huge-event": _then(lambda s: [frame({"content": "a" * 5_000_000}), *_full(s)]),
    "endless": _endless,
    "torrent": _torrent,
}  # fmt: skip


async def play(one: Socket, text: str) -> None:
    """Play one script on a connection whose request has come."""
    script = Script.read(text)
    assert one.attempt is not None
    one.attempt.fault = script.fault
    await PLAYS[script.fault](one, script)
