"""More of what the wall plays: streams of odd shapes, and answers that go on from their beginning."""

import asyncio
import json
from collections.abc import Awaitable, Callable

from tests.wall.answer import ANSWER, DONE, FINISH, USAGE, USAGE_CHUNK, event, frame, words
from tests.wall.line import Socket
from tests.wall.plays import EVENTS, PLAYS, Script

LETTERS = "naïve — 中文 \U0001f600 e\u0301 \u2028 \u0085 \u000b ok"  # two to four bytes each, and separators
OTHER = tuple(f"other{n}" for n in range(60))
_BOM = b"\xef\xbb\xbf"


async def _send(one: Socket, script: Script, frames: list[bytes]) -> None:
    """Send frames as they are, `cut` bytes at a time."""
    await one.head(200, EVENTS, "transfer-encoding: chunked")
    size, pause = int(script.keys.get("cut", 0)), int(script.keys.get("pause", 0))
    for data in frames:
        for at in range(0, len(data), size or len(data)):
            await one.chunk(data[at : at + (size or len(data))])
        await asyncio.sleep(pause / 1000)
    await one.last_chunk()


def _said(frames: Callable[[], list[bytes]]) -> Callable[[Socket, Script], Awaitable[None]]:
    async def play(one: Socket, script: Script) -> None:
        await _send(one, script, frames())

    return play


def texts(*pieces: str) -> list[bytes]:
    """Return a whole stream of these pieces of text."""
    role = frame({"role": "assistant", "content": ""})
    return [role, *(frame({"content": piece}) for piece in pieces), FINISH, USAGE_CHUNK, DONE]


def _letters() -> list[bytes]:
    """Send the letters themselves where JSON allows it, and not their numbers."""
    frames = texts(*LETTERS)
    for place, letter in enumerate(LETTERS, 1):
        coded = json.dumps(letter).encode()
        frames[place] = frames[place].replace(
            coded, json.dumps(letter, ensure_ascii=False).encode()
        )
    return frames


def _several_lines() -> list[bytes]:
    return [
        one.replace(b',"choices"', b',\ndata:"choices"') if one.startswith(b"data: {") else one
        for one in [*words(-1), FINISH, USAGE_CHUNK, DONE]
    ]


def _strange_fields() -> list[bytes]:
    frames = [b": hello\nretry: 10\n\n"]
    for number, one in enumerate([*words(-1), FINISH, USAGE_CHUNK, DONE]):
        said = one.replace(b"data: ", b"data:") if number % 2 else one
        frames.append(b":\nid: %d\nodd: x\nnothing\n" % number + said + b": ping\n\n")
    return frames


def _mixed_ends() -> list[bytes]:
    ends = (b"\n", b"\r\n", b"\r")
    frames = [*words(-1), FINISH, USAGE_CHUNK, DONE]
    return [one.replace(b"\n", ends[n % 3]) for n, one in enumerate(frames)]


def _usage_early() -> list[bytes]:
    """Count in every frame, more each time: the last count is the valid one."""
    frames = words(-1)
    last = [FINISH.replace(b"}]}", b'}],"usage":' + json.dumps(USAGE).encode() + b"}")]
    for number in range(1, len(frames)):
        count = {"prompt_tokens": 25, "completion_tokens": number, "total_tokens": 25 + number}
        frames[number] = frames[number].replace(
            b"}]}", b'}],"usage":' + json.dumps(count, separators=(",", ":")).encode() + b"}"
        )
    return [*frames, *last, DONE]


def _beginning(one: Socket) -> str | None:
    """Return the beginning of the answer that was sent along, if any."""
    assert one.attempt is not None
    last = one.attempt.json["messages"][-1]  # type: ignore[index]
    return str(last["content"]) if last["role"] == "assistant" else None


async def _goes_on(one: Socket, script: Script) -> None:
    """Go on with an answer that has begun; `@n`: break off after n more words."""
    begun = _beginning(one)
    if begun is None:
        await _send(one, script, texts(ANSWER))
        return
    rest = ANSWER.removeprefix(begun)
    pieces = [f"{word} " for word in rest.split(" ")]
    pieces[-1] = pieces[-1].rstrip()
    if script.number < 0:
        await _send(one, script, texts(*pieces))
        return
    await one.head(200, EVENTS, "transfer-encoding: chunked")
    for piece in pieces[: script.number]:
        await one.chunk(frame({"content": piece}))
    one.end()


async def _refuses(one: Socket, script: Script) -> None:
    """Refuse to go on; answer from the beginning all the same."""
    if _beginning(one) is None:
        await _send(
            one, script, texts(*(w if i == 0 else f" {w}" for i, w in enumerate(ANSWER.split())))
        )
    else:
        said = {"error": {"message": "does not support assistant message prefill", "code": None}}
        await one.whole(json.dumps(said).encode(), 400)


PLAYS |= {
    "letters": _said(_letters),
    "bom": _said(lambda: [_BOM, *words(-1), frame({"content": "\ufeff"}), FINISH, USAGE_CHUNK, DONE]),
    "several-lines": _said(_several_lines),
    "strange-fields": _said(_strange_fields),
    "mixed-ends": _said(_mixed_ends),
    "usage-growing": _said(_usage_early),
    "tiny": _said(lambda: [b"".join(texts(*("." for _ in range(10_000))))]),
    "call": _said(lambda: [*words(2), _call(), b": cut\n\n"]),
    "other": _said(lambda: texts(*(f"{word} " for word in OTHER))),
    "goes-on": _goes_on,
    "refuses": _refuses,
    "bad-like-others": _said(
        lambda: [*words(20), frame({"content": " x"})[:-20] + b"\n\n", *words(-1)[21:], FINISH, DONE]
    ),
}  # fmt: skip


def _call() -> bytes:
    function = {"name": "shell", "arguments": '{"cmd": "rm -r /tmp/a'}
    return frame(
        {"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": function}]}
    )


__all__ = ["LETTERS", "OTHER", "event", "texts"]
