"""Media of a content as parts of a chat message."""

import re
from collections.abc import Mapping

from infway.api.gemini.body import Blob, FileData
from infway.api.gemini.notes import Notes

# Formats by which chats call a sound; others are called by their subtype
_SOUNDS: Mapping[str, str] = {
    "audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/x-wav": "wav", "audio/wave": "wav",
    "audio/mp4": "m4a", "audio/x-m4a": "m4a",
}  # fmt: skip
# Files that only Google can read: those uploaded there, those in its storage, its videos
_GOOGLES = re.compile(
    r"gs://|https://[^/]*\bgoogleapis\.com/|https://(www\.|m\.)?(youtube\.com|youtu\.be)/"
)
_STANDARD = str.maketrans("-_", "+/")  # Google's SDKs write base64 in the alphabet of addresses
_REMOTE = ("https://", "http://")


def inline_part(blob: Blob) -> dict[str, object]:
    """Return data as a part of a message."""
    kind = blob.mime_type.partition("/")[0].lower()
    data = blob.data.translate(_STANDARD)
    if kind == "audio":
        form = _SOUNDS.get(blob.mime_type.lower()) or blob.mime_type.partition("/")[2]
        return {"type": "input_audio", "input_audio": {"data": data, "format": form}}
    return _located(kind, f"data:{blob.mime_type};base64,{data}", blob.display_name)


def file_part(file: FileData, path: str, notes: Notes) -> dict[str, object]:
    """Return an address as a part; one that only Google can read is noted as needed.

    `path`: that of the part which holds it.
    """
    uri = file.file_uri
    if _GOOGLES.match(uri) or not uri.startswith(_REMOTE):
        notes.need(f"{path}.fileData.fileUri")
    kind = (file.mime_type or "").partition("/")[0].lower()
    if file.mime_type:
        notes.lose(f"{path}.fileData.mimeType")  # chats know an address alone
    if kind == "audio":
        return {"type": "input_audio", "input_audio": {"data": uri, "format": "wav"}}
    return _located(kind, uri, file.display_name)


def _located(kind: str, url: str, name: str | None) -> dict[str, object]:
    if kind in ("image", "video"):
        key = f"{kind}_url"
        return {"type": key, key: {"url": url}}
    file = {"file_data": url} | ({"filename": name} if name else {})
    return {"type": "file", "file": file}
