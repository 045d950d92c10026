"""Pictures, sounds, videos and files of a message as tokens: mostly estimates, never a failure."""

import base64
import binascii
import re

from infway.kernel.errors import UpstreamFailed
from infway.providers.conversation.media import media_part
from infway.providers.conversation.parts import MediaPart
from infway.providers.counting.families import Family
from infway.providers.counting.pictures import UNKNOWN
from infway.providers.counting.sizes import size_of
from infway.providers.counting.tally import Tally
from infway.providers.shapes import Object

_PAGE = re.compile(rb"/Type\s*/Page(?![a-zA-Z])")
_COUNT = re.compile(rb"/Count\s+(\d{1,5})")
_COMPRESSED_SOUND = 16_000  # bytes of a second: MP3 and AAC at 128 kbit/s
_VIDEO = 125_000  # bytes of a second: 1 Mbit/s
_VIDEO_TOKENS = 263  # of a second, as Gemini counts it with its sound


def add_media(tally: Tally, kind: str, part: Object, family: Family) -> None:
    """Add a part of a message that is no text; `kind` is its type."""
    try:
        media = media_part(kind, part, "")
    except UpstreamFailed:
        tally.guess(0)
        return
    match media.kind:
        case "image":
            size = size_of(media.data or "") or UNKNOWN
            tally.guess(family.pictures.tokens(size, media.detail or ""))
        case "audio":
            tally.guess(round(_seconds(_bytes(media)) * family.sound))
        case "video":
            tally.guess(round(len(_bytes(media)) / _VIDEO * _VIDEO_TOKENS))
        case _:
            _add_file(tally, media, family)


def _add_file(tally: Tally, media: MediaPart, family: Family) -> None:
    """Add a file: its words, or so much for each of its pages."""
    data = _bytes(media)
    if media.media_type.startswith("text/") or media.media_type == "application/json":
        tally.texts.append(data.decode(errors="replace"))
        tally.guess(0)
    else:
        tally.guess(_pages(data) * family.page)


def _bytes(media: MediaPart) -> bytes:
    try:
        return base64.b64decode(media.data or "")
    except (binascii.Error, ValueError):
        return b""


def _seconds(sound: bytes) -> float:
    """Return how long a sound lasts; a WAV says how many bytes a second has."""
    rate = int.from_bytes(sound[28:32], "little") if sound[:4] == b"RIFF" else 0
    return len(sound) / (rate or _COMPRESSED_SOUND)


def _pages(document: bytes) -> int:
    """Return the pages of a PDF, as its objects or its index of pages tell; at least one."""
    return len(_PAGE.findall(document)) or max(map(int, _COUNT.findall(document)), default=1) or 1
