"""Images, documents, videos and sounds of Bedrock's Converse: bytes, or objects in S3.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html
"""

import re
from collections.abc import Mapping

from infway.providers.bedrock.cache import Block
from infway.providers.conversation.parts import Conversation, MediaPart, cannot_say

_OFFICE = "application/vnd.openxmlformats-officedocument."
# Media types, as the block that holds them and the vendor's word for their format
_FORMATS: Mapping[str, tuple[str, str]] = {
    "image/png": ("image", "png"),
    "image/jpeg": ("image", "jpeg"),
    "image/gif": ("image", "gif"),
    "image/webp": ("image", "webp"),
    "application/pdf": ("document", "pdf"),
    "text/csv": ("document", "csv"),
    "application/msword": ("document", "doc"),
    f"{_OFFICE}wordprocessingml.document": ("document", "docx"),
    "application/vnd.ms-excel": ("document", "xls"),
    f"{_OFFICE}spreadsheetml.sheet": ("document", "xlsx"),
    "text/html": ("document", "html"),
    "text/plain": ("document", "txt"),
    "text/markdown": ("document", "md"),
    "application/json": ("document", "txt"),
    "application/xml": ("document", "txt"),
    "application/yaml": ("document", "txt"),
    "video/mp4": ("video", "mp4"),
    "video/quicktime": ("video", "mov"),
    "video/x-matroska": ("video", "mkv"),
    "video/webm": ("video", "webm"),
    "video/x-flv": ("video", "flv"),
    "video/mpeg": ("video", "mpeg"),
    "video/x-ms-wmv": ("video", "wmv"),
    "video/3gpp": ("video", "three_gp"),
    "audio/mpeg": ("audio", "mp3"),
    "audio/mp4": ("audio", "m4a"),
    "audio/wav": ("audio", "wav"),
    "audio/x-wav": ("audio", "wav"),
    "audio/flac": ("audio", "flac"),
    "audio/aac": ("audio", "aac"),
    "audio/ogg": ("audio", "ogg"),
    "audio/opus": ("audio", "opus"),
    "audio/webm": ("audio", "webm"),
}
_LONGEST = 190  # characters of a document's name; 200 with the number behind it
_STRANGE = re.compile(r"[^A-Za-z0-9\s\-()\[\]]+")
_SPACES = re.compile(r"\s+")
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,5}$")


class DocumentNames:
    """Gives the documents of one request names the vendor takes, each once."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def give(self, talk: Conversation, part: MediaPart) -> str:
        """Return a name like that of a file; a change of more than its ending is listed."""
        stem = _ENDING.sub("", part.name or "")
        plain = _SPACES.sub(" ", _STRANGE.sub("-", stem)).strip()[:_LONGEST] or "document"
        name, number = plain, 1
        while name.lower() in self._given:
            number += 1
            name = f"{plain}-{number}"
        self._given.add(name.lower())
        if part.name and name != stem:
            talk.drop(f"{part.where}.filename")
        return name


def media_block(talk: Conversation, part: MediaPart, names: DocumentNames) -> tuple[str, Block]:
    """Return the kind of a content block and the block.

    Raises UpstreamFailed(untranslatable) for what Bedrock does not take.
    """
    path = part.where
    if part.detail not in (None, "auto"):
        talk.drop(f"{part.where}.detail")
    source = _source(part, path)
    kind, form = _FORMATS.get(part.media_type, ("", ""))
    if not kind and part.media_type.startswith("text/"):
        kind, form = "document", "txt"
    if not kind:
        cannot_say(path, f"`{part.media_type[:60]}` is no format that Bedrock takes.")
    block: Block = {"format": form, "source": source}
    if kind == "document":
        block["name"] = names.give(talk, part)
    return kind, {kind: block}


def _source(part: MediaPart, path: str) -> Block:
    if part.data is not None:
        return {"bytes": part.data}
    if part.url is not None and part.url.startswith("s3://"):
        return {"s3Location": {"uri": part.url}}
    return cannot_say(path, "Bedrock takes data and addresses in S3, and fetches nothing else.")
