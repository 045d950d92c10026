"""The ways that a stream takes through infway in pieces, and what must come of each."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from tests.fuzz import plain
from tests.fuzz.streams import Stream
from tests.providers.reading import decode
from tests.wall.asking import offer

from infway.api.encode_sse import SseEncoder
from infway.api.stamp import Stamp
from infway.kernel.events import Event, Raw, Usage, Verbatim
from infway.providers.eventstream import MessageFramer
from infway.providers.mirror import Mirror
from infway.providers.ndjson import LineFramer
from infway.providers.registry import ADAPTERS, CARRIERS
from infway.providers.sse import Framer, frames

Pieces = Sequence[bytes]
_STAMP = Stamp("chatcmpl-r", 1, offer(), 1, text=False, start=0)
_USAGE = Usage(1, 1, 2)
_BLANK = re.compile(rb"\n{3,}")
_MARK, _ESCAPED = "\ufffd".encode(), rb"\ufffd"


class Way(NamedTuple):
    """`walk` gives the same for any pieces: `whole`, where `events` events are in."""

    name: str
    walk: Callable[[Pieces], object]
    whole: object
    events: int


def ways(stream: Stream) -> Iterator[Way]:
    """Yield the ways of a stream; raises AssertionError where already the whole one goes wrong."""
    framed, reader = _FRAMERS[stream.wire]
    told = reader(stream.body)
    yield Way("framer", framed, told, len(told[0]))
    if stream.dialect == "openai":
        yield _chat(stream)
    elif stream.wire == "sse" and stream.dialect in CARRIERS:
        yield _mirrored(stream)
    elif stream.dialect:
        yield _adapted(stream)


def _framed(pieces: Pieces) -> object:
    framer, found, blocks = Framer(), [], []
    feed = framer.feed
    for piece in pieces:
        block = feed(piece)
        if block:
            blocks.append(block)
            found += frames(block)
    blocks.append(framer.rest())
    return found, b"".join(blocks)


def _messages(pieces: Pieces) -> object:
    framer = MessageFramer()
    return [message for piece in pieces for message in framer.feed(piece)], b""


def _lines(pieces: Pieces) -> object:
    framer = LineFramer()
    found = [line for piece in pieces for line in framer.feed(piece)]
    rest = framer.rest()
    return [*found, rest] if rest else found, b""


# Wire -> what cuts it into events, and what tells them slowly, with the bytes that pass
_FRAMERS: Mapping[
    str, tuple[Callable[[Pieces], object], Callable[[bytes], tuple[Sequence[object], bytes]]]
] = {
    "sse": (_framed, lambda body: (plain.sent_events(body), plain.unified(body))),
    "aws_eventstream": (_messages, lambda body: (plain.aws_messages(body), b"")),
    "ndjson": (_lines, lambda body: (plain.lines(body), b"")),
}


def _chat(stream: Stream) -> Way:
    """Chats to chats: the frames come through with another id and model.

    More than one blank line between two frames may stay or not.
    """

    def walk(pieces: Pieces) -> bytes:
        decoder = ADAPTERS["openai"].decoder()
        encoder = SseEncoder(_STAMP, lambda: 0, flat=False, usage_chunk=False)
        out: list[bytes] = []
        for piece in pieces:
            events = decoder.feed(piece)
            if events:
                out.append(encoder.encode(events))
            if decoder.done:
                break
        else:
            out.append(encoder.encode(decoder.close()))
        out.append(encoder.close(_USAGE, {}))
        return unblank(b"".join(out))

    unblank = partial(_BLANK.sub, b"\n\n") if _BLANK.search(plain.unified(stream.body)) else bytes
    whole = walk([stream.body])
    assert _marks(whole) <= _marks(stream.body), "a mark of lost text"
    said = _texts(stream.body)
    assert _texts(whole) == said, "another text"
    return Way("chat", walk, whole, len(said))


def _texts(body: bytes) -> list[object]:
    """Return the pieces of text in the frames of chats, up to an error or the sentinel."""
    said: list[object] = []
    for _, data in plain.sent_events(body):
        if data.strip() == b"[DONE]":
            break
        root = json.loads(data) if data.strip() else None
        if root and root.get("error"):
            break
        for choice in (root or {}).get("choices") or ():
            content = (choice.get("delta") or {}).get("content")
            if content and isinstance(content, str):  # thoughts in lists are told otherwise
                said.append(content)
    return said


def _mirrored(stream: Stream) -> Way:
    """A dialect to itself: not a byte changes but line ends, and the events come beside.

    Frames behind the end of a reply may come or not; none of them may say anything.
    """
    mirror, body = Mirror(CARRIERS[stream.dialect]), plain.unified(stream.body)

    def walk(pieces: Pieces) -> tuple[bytes, list[object]]:
        raw: list[bytes] = []
        meant: list[Event] = []
        for event in decode(mirror.decoder(), pieces):
            if isinstance(event, Raw):
                raw.append(event.data)
            else:
                meant.append(event)
        return b"".join(raw), list(_apart(meant))

    whole, events = walk([stream.body])
    unmarked(stream.body, events)
    end = len(walk([frame + b"\n\n" for frame in body.split(b"\n\n")])[0].rstrip(b"\n"))
    assert body.startswith(whole)
    assert {data for _, data in plain.sent_events(body[end:])} <= {b"", b"[DONE]"}, "an early end"

    def to_end(pieces: Pieces) -> object:
        raw, meant = walk(pieces)
        return raw[:end], meant

    return Way("mirror", to_end, (body[:end], events), len(events))


def _apart(events: Sequence[Event]) -> Iterator[object]:
    """Yield the frames that came together one by one."""
    for event in events:
        if isinstance(event, Verbatim):
            yield from event.block.split(b"\n\n")[:-1]
        else:
            yield event


def _adapted(stream: Stream) -> Way:
    """A dialect to chats: the events are the same."""
    adapter = ADAPTERS[stream.dialect]
    whole = decode(adapter.decoder(), [stream.body])
    unmarked(stream.body, whole)
    return Way("adapter", lambda pieces: decode(adapter.decoder(), pieces), whole, len(whole))


def unmarked(body: bytes, events: Sequence[object]) -> None:
    """Raises AssertionError where events hold a U+FFFD, and not the stream they came from."""
    assert _marks(body) or "\ufffd" not in repr(events), "a mark of lost text"


def _marks(body: bytes) -> int:
    return body.count(_MARK) + body.lower().count(_ESCAPED)
