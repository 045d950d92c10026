"""Recorded exchanges: a folder with `_index.jsonl` and one JSON file for each."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# What a vendor sends for a stream; recordings that lost the header get it back.
_KINDS = {
    "sse": "text/event-stream",
    "ndjson": "application/x-ndjson",
    "aws_eventstream": "application/vnd.amazon.eventstream",
    "text": "text/plain",
}


@dataclass(frozen=True)
class Row:
    """One line of the index."""

    id: str
    file: Path
    provider: str
    api: str
    dialect: str
    model: str
    stream: bool
    wire: str
    fidelity: str
    status: int
    features: tuple[str, ...]
    tags: frozenset[str]


@dataclass(frozen=True)
class Recording:
    """What was answered. Header names are in lower case; `kind` is the content type.

    `url` and `asked`: where the recorded request went, and its body.
    """

    row: Row
    status: int
    kind: str
    headers: Mapping[str, str]
    body: bytes
    url: str = ""
    asked: Mapping[str, object] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def is_streamed(self) -> bool:
        """Tell whether the reply came in pieces."""
        return self.status == 200 and self.row.wire not in ("json", "text")


def rows(folder: Path) -> list[Row]:
    """Return the index of a folder; records of which it says too little are known as such."""
    lines = (folder / "_index.jsonl").read_text().splitlines()
    return [_row(folder, json.loads(line)) for line in lines if line.strip()]


def _row(folder: Path, said: Mapping[str, object]) -> Row:
    words = {
        name: str(said.get(name) or "")
        for name in ("id", "provider", "api", "dialect", "model", "wire", "fidelity")
    }
    features, tags, status = said.get("features"), said.get("tags"), said.get("status")
    return Row(
        **words,
        file=folder / str(said["file"]),
        stream=bool(said.get("stream")),
        status=status if isinstance(status, int) else 0,
        features=tuple(map(str, features)) if isinstance(features, Sequence) else (),
        tags=frozenset(map(str, tags)) if isinstance(tags, Sequence) else frozenset(),
    )


def load(row: Row) -> Recording:
    """Read one recording."""
    record = json.loads(row.file.read_text())
    request, response = record.get("request") or {}, record["response"]
    packed, text = response.get("body_base64"), response.get("body_text")
    headers = {name.lower(): str(value) for name, value in (response.get("headers") or {}).items()}
    return Recording(
        row=row,
        status=response["status"],
        kind=_kind(row, headers.get("content-type", "")),
        headers=headers,
        body=base64.b64decode(packed) if packed else (text or "").encode(),
        url=str(request.get("url")),
        asked=asked if isinstance(asked := request.get("body"), dict) else {},
    )


def _kind(row: Row, said: str) -> str:
    if said and "REDACTED" not in said:
        return said
    return _KINDS.get(row.wire, "application/json")
