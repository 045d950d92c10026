"""Sizes read from files, and tokens by the examples that vendors publish."""

import base64
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infway.providers.counting.families import family_of
from infway.providers.counting.sizes import Size, size_of


def png(width: int, height: int) -> bytes:
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    sum_ = struct.pack(">I", zlib.crc32(head))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + sum_ + bytes(40)


def jpeg(width: int, height: int, before: int = 0) -> bytes:
    """A JPEG with a preview of so many bytes before its size."""
    segment = b"\xff\xe1" + struct.pack(">H", before + 2) + b"\xff" * before
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)
    return b"\xff\xd8" + segment + b"\xff\xff\xdb\x00\x04ab" + frame + b"\xff\xda"


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + bytes(20)


def webp(kind: bytes, content: bytes) -> bytes:
    return (
        b"RIFF" + bytes(4) + b"WEBP" + kind + struct.pack("<I", len(content)) + content + bytes(9)
    )


LOSSY = webp(b"VP8 ", b"\x00\x00\x00\x9d\x01\x2a" + struct.pack("<HH", 550 | 1 << 14, 368))
LOSSLESS = webp(b"VP8L", b"\x2f" + struct.pack("<I", (386 - 1) | (395 - 1) << 14))
EXTENDED = webp(
    b"VP8X", bytes(4) + (400 - 1).to_bytes(3, "little") + (301 - 1).to_bytes(3, "little")
)


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (png(640, 480), (640, 480)),
        (gif(500, 300), (500, 300)),
        (jpeg(1920, 1080), (1920, 1080)),
        (jpeg(40, 3000, before=60_000), (40, 3000)),
        (LOSSY, (550, 368)),
        (LOSSLESS, (386, 395)),
        (EXTENDED, (400, 301)),
    ],
)
def test_a_picture_tells_its_size(content: bytes, size: tuple[int, int]) -> None:
    assert size_of(base64.b64encode(content).decode()) == size


@pytest.mark.parametrize(
    "content", [b"", b"<svg/>", png(5, 5)[:20], jpeg(5, 5)[:19], png(0, 5), b"\xff\xd8" + bytes(50)]
)
def test_what_tells_none_has_no_size(content: bytes) -> None:
    assert size_of(base64.b64encode(content).decode()) is None


@given(
    st.binary(max_size=80), st.sampled_from([b"\xff\xd8", b"RIFF", b"\x89PNG\r\n\x1a\n", b"GIF89a"])
)
def test_no_bytes_make_it_fail(content: bytes, start: bytes) -> None:
    size_of(base64.b64encode(start + content).decode())
    size_of((start + content).decode("latin-1"))


@pytest.mark.parametrize(
    ("model", "size", "detail", "tokens"),
    [
        # https://platform.openai.com/docs/guides/images-vision
        ("gpt-4o", (1024, 1024), "high", 765),
        ("gpt-4o", (2048, 4096), "auto", 1105),
        ("gpt-4o", (4096, 8192), "low", 85),
        ("gpt-4o", (10, 10), "", 255),
        ("gpt-5", (10, 10), "", 210),
        ("gpt-4o-mini", (10, 10), "", 8500),
        ("gpt-4.1-mini", (1024, 1024), "", 1659),  # 1,024 patches x 1.62
        ("gpt-4.1-mini", (1800, 2400), "", 2353),  # 1,452 patches x 1.62
        ("gpt-4.1-mini", (9000, 9000), "low", 415),  # 256 patches x 1.62
        # https://platform.claude.com/docs/en/build-with-claude/vision: width x height / 750
        ("claude-sonnet-4-5", (200, 200), "", 64),
        ("claude-sonnet-4-5", (1000, 1000), "", 1296),
        ("claude-sonnet-4-5", (4000, 4000), "", 1521),
        # https://ai.google.dev/gemini-api/docs/image-understanding
        ("gemini-2.5-flash", (384, 384), "", 258),
        ("gemini-2.5-flash", (960, 540), "", 6 * 258),
    ],
)
def test_a_picture_counts_as_its_vendor_says(
    model: str, size: tuple[int, int], detail: str, tokens: int
) -> None:
    assert family_of(model).pictures.tokens(Size(*size), detail) == tokens


@given(st.integers(1, 2**31), st.integers(1, 2**31), st.sampled_from(["low", "high", ""]))
def test_every_picture_has_tokens(width: int, height: int, detail: str) -> None:
    for model in ("gpt-4o", "gpt-5.4", "o4-mini", "claude-opus-5", "gemini-3-pro", "gemini-2.5"):
        assert family_of(model).pictures.tokens(Size(width, height), detail) >= 1
