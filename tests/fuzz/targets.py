"""What is fuzzed, and what must hold of every input."""

# ruff: noqa: PT017 - what was raised is looked at where it was caught

import contextlib
import json
import math
import struct
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from zlib import crc32

from infway.accounts.keys import Key, Keyring
from infway.api.auth import IN_ADDRESS, KEY_HEADERS, know
from infway.api.gate import check_shape
from infway.api.reading import read_chat
from infway.kernel.chat import Principal
from infway.kernel.errors import CallerError, SettingsError, UpstreamFailed
from infway.kernel.faults import Fault
from infway.providers.eventstream import Message, MessageFramer
from infway.providers.faults import MAX_RETRY_AFTER, retry_after
from infway.providers.sse import Framer, frames
from infway.settings import Settings, load

_MOST = 128  # bytes of an event here, so that an input can be beyond it


def sse(data: bytes) -> None:
    """The first byte says how the others are cut; the cuts change nothing."""
    step, stream = (data[0] % 7 + 1, data[1:]) if data else (1, b"")
    whole, cut = _framed([stream]), _framed(_cut(stream, step))
    if whole is None or cut is None:
        return
    assert b"".join(whole) == b"".join(cut), (whole, cut)
    assert frames(whole[0]) == frames(cut[0]), (whole, cut)
    for block, _ in (whole, cut):
        assert not block or block.endswith(b"\n\n")
        assert b"\r" not in block
        assert not any(b"\n" in frame.event for frame in frames(block))


def _framed(pieces: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Return what was framed and what was not, None where an event was too large."""
    framer = Framer(_MOST)
    try:
        block = b"".join(framer.feed(piece) for piece in pieces)
    except UpstreamFailed as failed:
        assert failed.failure.fault is Fault.TOO_LARGE
        return None
    return block, framer.rest()


def _cut(data: bytes, step: int) -> list[bytes]:
    return [data[at : at + step] for at in range(0, len(data), step)]


def eventstream(data: bytes) -> None:
    """The first byte says how the others are cut; the second, whether checksums are made right."""
    step, stream = (data[0] % 7 + 1, data[2:]) if len(data) > 1 else (1, b"")
    if len(data) > 1 and data[1] % 4:
        stream = _checked(stream)
    whole, cut = _messages([stream]), _messages(_cut(stream, step))
    assert whole == cut, (whole, cut)


def _checked(stream: bytes) -> bytes:
    """Return messages with right checksums: by chance no mutation ever finds one."""
    out, at = bytearray(), 0
    while len(stream) - at >= 16:
        size, headers = struct.unpack_from(">II", stream, at)
        size = min(max(size % 512, 16), len(stream) - at)
        prelude = struct.pack(">II", size, min(headers % 256, size - 16))
        body = prelude + struct.pack(">I", crc32(prelude)) + stream[at + 12 : at + size - 4]
        out += body + struct.pack(">I", crc32(body))
        at += size
    return bytes(out) + stream[at:]


def _messages(pieces: Sequence[bytes]) -> tuple[list[Message], Fault | None]:
    framer, told = MessageFramer(), list[Message]()
    try:
        for piece in pieces:
            told.extend(framer.feed(piece))
    except UpstreamFailed as failed:
        assert failed.failure.fault in (Fault.BAD_EVENT, Fault.TOO_LARGE)
        return told, failed.failure.fault
    return told, None


def body(data: bytes) -> None:
    """A body is refused with 400, or means the same to another reader."""
    try:
        check_shape(data)
        ask, _ = read_chat(data, "r", None)
    except CallerError as error:
        assert 400 <= error.status < 500
        assert error.code
        return
    read = json.loads(data.decode(), object_pairs_hook=_Members, parse_constant=_never)
    assert isinstance(read, _Members)
    within = [read.get(name) for name in ("model", "provider", "usage", "stream_options")]
    for one in (read, *within):
        assert not isinstance(one, _Members) or not one.has_twins, "a name stands twice"
    for name, raw in ask.fields.items():
        json.loads(bytes(raw), parse_constant=_never)
        assert isinstance(name, str)
    assert ask.input_tokens >= 0


class _Members(dict[str, object]):
    """An object as it was written; `has_twins`: a name is there twice."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(pairs)
        self.has_twins = len(self) != len(pairs)


def _never(text: str) -> float:
    raise AssertionError(f"{text} is no JSON")


def retry(data: bytes) -> None:
    """Two lines: Retry-After, and the reply's own Date. Seconds within bounds, or nothing."""
    said, _, date = data.decode("latin-1").partition("\n")
    told = retry_after({"retry-after": said, "date": date})
    assert told is None or (math.isfinite(told) and 0 <= told <= MAX_RETRY_AFTER)
    text = said.strip()
    if text.isascii() and text.isdigit():
        assert told == min(float(text), MAX_RETRY_AFTER)
    elif told is not None and not text.replace(".", "", 1).isdigit():
        parsedate_to_datetime(text)


_SECRET = "key-of-the-fuzzing-0123456789"
_KEYRING = Keyring([Key(_SECRET, Principal("fuzzing"))])


def keys(data: bytes) -> None:
    """Lines of headers, and a query behind an empty one; only the key itself opens, sent once."""
    head, _, query = data.partition(b"\n\n")
    pairs = [line.partition(b":") for line in head.split(b"\n")]
    headers = [(name.lower(), value) for name, _, value in pairs]
    presented = sum(name in KEY_HEADERS for name, _ in headers)
    try:
        who, name = know(_KEYRING, headers, query)
    except CallerError as error:
        assert error.status in (400, 401)
        assert (error.status == 400) <= (presented + query.count(b"key") > 1)
        assert _SECRET not in error.message
        return
    assert who.name == "fuzzing"
    assert presented == (name != IN_ADDRESS)
    assert _SECRET.encode() in (query if name == IN_ADDRESS else dict(headers)[name])


_FOLDER = tempfile.TemporaryDirectory(prefix="infway-fuzz-")


def settings(data: bytes) -> None:
    """A file gives settings, or problems that have a place."""
    path = Path(_FOLDER.name) / "infway.yaml"
    path.write_bytes(data)
    with contextlib.suppress(SettingsError):
        assert isinstance(load(path, {"X": "1", "KEY": _SECRET}), Settings)


@dataclass(frozen=True)
class Target:
    """`words`: what inputs are made of besides bytes."""

    check: Callable[[bytes], None]
    words: tuple[bytes, ...]


_JSON = (b"{", b"}", b"[", b"]", b'"', b":", b",", b"null", b"true", b"NaN", b"\\ud800", b"\\u0000")
_CHAT = tuple(
    b'"%b":' % name
    for name in (
        b"model messages role content type text image_url url stream n tools function name prompt "
        b"parameters provider order temperature max_tokens response_format imsn metadata usage"
    ).split()
)
_YAML = (
    b"\n  ",
    b"- ",
    b": ",
    b"&a ",
    b"*a",
    b"<<: ",
    b"!!int ",
    b"${X}",
    b"${",
    b"|\n",
    b"{file: x}",
)
_SETTINGS = tuple(
    b"\n%b: " % name
    for name in (
        b"server keys upstreams aliases policies routing attempts ledger port name key vendor models "
        b"base_url timeouts weights sandbox discover id input_price"
    ).split()
)

TARGETS: Mapping[str, Target] = {
    "sse": Target(
        sse, (b"\n\n", b"\r\n\r\n", b"\r", b"data: ", b"event: ", b": ", b"\xef\xbb\xbf")
    ),
    "eventstream": Target(
        eventstream,
        (
            b":event-type",
            b"\x0b:event-type\x07\x00\x05chunk",
            b"\x00\x00\x00\x10",
            b"\x07",
            b"\x09",
        ),
    ),
    "body": Target(body, (*_JSON, *_CHAT)),
    "retry": Target(
        retry,
        (b"Sun, 06 Nov 1994 08:49:37 GMT", b"\n", b"GMT", b"-0000", b"+9999", b" Nov ", b"3", b"."),
    ),
    "keys": Target(
        keys,
        (
            *(name + b":" for name in sorted(KEY_HEADERS)),
            b"Bearer ",
            _SECRET.encode(),
            b"\n\n",
            b"key=",
            b"&",
            b"%6bey=",
        ),
    ),
    "settings": Target(settings, (*_YAML, *_SETTINGS)),
}
