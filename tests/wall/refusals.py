"""More of what the wall plays: error replies, and replies in a form that nobody asked for."""

import asyncio
import gzip
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from tests.wall.answer import error, reply
from tests.wall.line import Socket
from tests.wall.plays import PLAYS, Script, body

BOMB = gzip.compress(b" " * 2**23)  # 8 MiB of white space in 8 KiB


async def _status(one: Socket, script: Script) -> None:
    """Answer with the status `number`; keys: message, type, code, body=html|none, and those of `_wait`."""
    body, kind = json.dumps(error(script.number, script.keys)).encode(), "application/json"
    if script.keys.get("body") == "html":
        body, kind = b"<html>sorry</html>", "text/html"
    elif script.keys.get("body") == "none":
        body = b""
    await one.whole(body, script.number, kind, *_wait(script))


def _wait(script: Script) -> list[str]:
    """Say when to come again: `retry-after`, or `date`, seconds after the reply's own old date."""
    if "date" in script.keys:
        now = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
        until = now + timedelta(seconds=int(script.keys["date"]))
        return [
            f"date: {format_datetime(now, True)}",
            f"retry-after: {format_datetime(until, True)}",
        ]
    return [f"retry-after: {script.keys['retry-after']}"] if "retry-after" in script.keys else []


async def _late_error(one: Socket, script: Script) -> None:
    """Answer with a 500 after `@` milliseconds."""
    await asyncio.sleep(script.number / 1000)
    await one.whole(json.dumps(error(500, script.keys)).encode(), 500)


async def _bomb(one: Socket, _: Script) -> None:
    await one.whole(BOMB, 200, "application/json", "content-encoding: gzip")


async def _miscounted(one: Socket, script: Script) -> None:
    """Declare a body of `@` bytes less than there are, or `~more` so many more."""
    body = reply()
    size = len(body) - script.number + int(script.keys.get("more", 0))
    await one.write(b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\n")
    await one.write(b"content-length: %d\r\n\r\n%b" % (size, body))
    if "more" in script.keys:
        one.end()


PLAYS |= {
    "status": _status,
    "miscounted": _miscounted,
    "late-error": _late_error,
    "gzip": body(lambda s: gzip.compress(reply()), "application/json", "content-encoding: gzip"),
    "gzip-broken": body(
        lambda s: gzip.compress(reply())[:-40] + bytes(40),
        "application/json",
        "content-encoding: gzip",
    ),
    "gzip-none": body(lambda s: reply(), "application/json", "content-encoding: gzip"),
    "gzip-bomb": _bomb,
    "brotli": body(lambda s: b"\x1b\x00", "application/json", "content-encoding: br"),
}
