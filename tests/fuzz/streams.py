"""Whole streams that are cut at random: small ones of our own, and recorded ones of a folder."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.conformance.recording import load, rows
from tests.providers.eventstream_saying import event, header, message

SAMPLES = Path(__file__).parents[1] / "providers" / "samples"
# How a stream is cut into events -> dialects that come so
_WIRES = {
    "sse": ("openai", "anthropic", "gemini", "responses", "cohere"),
    "aws_eventstream": ("bedrock", "bedrock-invoke"),
    "ndjson": ("ollama",),
}
# What recordings call a dialect -> what the gateway does
_DIALECTS = {
    "openai_chat": "openai",
    "openai_completions": "completions",
    "openai_responses": "responses",
    "anthropic_messages": "anthropic",
    "gemini": "gemini",
    "cohere_v2": "cohere",
    "bedrock_converse": "bedrock",
    "bedrock_invoke": "bedrock-invoke",
    "ollama_native": "ollama",
}
_BOM = b"\xef\xbb\xbf"
_ODD = "é 日本 𝄞 👩‍👩‍👧 \u2028\u2029\x85\x0b\x0c\x1c \ufeff".encode()


class Stream(NamedTuple):
    """`wire`: how it is cut into events. `dialect`: what the gateway calls its language, or empty."""

    name: str
    wire: str
    dialect: str
    body: bytes


def own() -> Iterator[Stream]:
    """Yield small streams with everything that may stand in one."""
    for name, body in _EVENTS.items():
        for ends, end in (("lf", b"\n"), ("crlf", b"\r\n"), ("cr", b"\r")):
            yield Stream(f"{name}-{ends}", "sse", "", body.replace(b"\n", end))
            yield Stream(f"{name}-{ends}-bom", "sse", "", _BOM + body.replace(b"\n", end))
    yield Stream("mixed", "sse", "", b"data: a\r\n\r\ndata: b\r\rdata: c\n\nevent: x\rdata:\r\n\n")
    for wire, dialects in _WIRES.items():
        for dialect in dialects:
            body = (SAMPLES / dialect / "stream").read_bytes()
            yield Stream(dialect, wire, dialect, body)
            if wire == "sse":
                for how, worn in _worn(body):
                    yield Stream(f"{dialect}-{how}", wire, dialect, worn)
    yield Stream("headers", "aws_eventstream", "", _messages())
    yield Stream("long", "sse", "openai", _long())
    yield Stream("spaced", "sse", "openai", _long().replace(b'":', b'": ').replace(b',"', b', "'))


def recorded(folder: Path) -> Iterator[Stream]:
    """Yield the streams of a folder of recordings."""
    for row in rows(folder):
        if row.wire in _WIRES:
            body = load(row).body
            yield Stream(f"{row.provider}/{row.id}", row.wire, _DIALECTS.get(row.dialect, ""), body)


def _worn(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the same stream as other servers would write it."""
    yield "crlf", body.replace(b"\n", b"\r\n")
    yield "cr", body.replace(b"\n", b"\r")
    commented = body.replace(b"\n\n", b"\n\n: ping " + _ODD + b"\n\n:\n\n")
    yield "comments", _BOM + b": begun\n\n" + commented
    yield "blank", body.replace(b"\n\n", b"\n\n\n")


def _frame(content: str, **more: object) -> bytes:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": None, **more}
    root = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    said = json.dumps({**root, "choices": [choice]}, ensure_ascii=False, separators=(",", ":"))
    return b"data: " + said.encode() + b"\n\n"


def _long() -> bytes:
    """Return a chat with lines beyond what is looked at at once, and with escapes."""
    texts = [
        "Hi",
        "é" * 9_000,
        "[DONE] data: {}\n\n",
        "\u2028 𝄞",
        "日本" * 3_000,
        '"error":"',
        "\ufffd",
    ]
    escaped = _frame("x").replace(b'"x"', rb'"\ud83d\ude00 \u00e9 \/ \ufffd"')
    body = b"".join(map(_frame, texts)) + escaped + _frame("", finish_reason="stop")
    return body + b"data: [DONE]\n\n"


def _messages() -> bytes:
    """Return messages with headers of every kind."""
    kinds = {0: None, 1: None, 2: -1, 3: -2, 4: -3, 5: -4, 6: _ODD, 7: "é", 8: 5, 9: b"u" * 16}
    block = b"".join(header(f"é{kind}", kind, value) for kind, value in kinds.items())
    return (
        message(block, _ODD) + message(b"", b"") + event("chunk", _ODD * 40) + message(block, b"")
    )


_EVENTS = {
    "fields": b"data: 1\n\nevent: x\ndata: 2\n\ndata:3\ndata: 4\n\nid: 7\nretry: 10\ndata\n\n"
    b"data:\n\nevent: y\n\ndata: 5\nevent: z\n\nunknown: u\ndatax: v\n data: w\n\n",
    "text": b"data: " + _ODD + b"\n\nevent: " + _ODD + b"\ndata:" + _ODD * 20 + b"\n\n",
    "comments": b": "
    + _ODD
    + b"\n\n:\n\n:a\n:b\ndata: 1\n:c\ndata: 2\n\n: "
    + b"p" * 300
    + b"\n\n",
    "blank": b"\n\n\n\ndata: 1\n\n\n\n\ndata: 2\n\n\n",
    "unfinished": b"data: 1\n\ndata: 2\ndata: " + _ODD,
    "unreadable": b"data: \xff\xfe \xed\xa0\x80 \xf0\x9d\n\ndata: \x00\xc3\n\n",
    "marks": b"data: \xef\xbb\xbf\n\n\xef\xbb\xbfdata: 1\n\ndata: \xef\xbf\xbd\n\n",
    "long": b"event: long\ndata: " + _ODD * 100 + b"\ndata: " + b"x" * 5_000 + b"\n\ndata: 1\n\n",
}
