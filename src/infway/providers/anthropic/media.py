"""Images and documents of the Anthropic dialect.

https://platform.claude.com/docs/en/build-with-claude/vision and .../pdf-support
"""

import base64
import binascii
from collections.abc import Mapping

from infway.providers.anthropic.cache import Block, mark
from infway.providers.conversation.parts import Conversation, MediaPart, cannot_say

_IMAGES: Mapping[str, str] = {
    "image/jpeg": "image/jpeg",
    "image/jpg": "image/jpeg",
    "image/png": "image/png",
    "image/gif": "image/gif",
    "image/webp": "image/webp",
}
_PDF = "application/pdf"
_TEXTS = ("text/", "application/json", "application/xml", "application/yaml")
_FILE_ID = "file_"  # how ids of Anthropic's own files begin; those of others differ


def media_block(talk: Conversation, part: MediaPart, *, fetches: bool) -> Block:
    """Return an image or document block.

    `fetches`: addresses and file ids are understood where the model is served. Raises
    UpstreamFailed(untranslatable) for what Claude cannot read.
    """
    path = part.where
    if part.detail not in (None, "auto"):
        talk.drop(f"{part.where}.detail")
    if not fetches and part.data is None:
        cannot_say(path, "this upstream takes no addresses and no file ids.")
    if part.kind == "image" or part.media_type in _IMAGES:
        return mark({"type": "image", "source": _image(part, path)}, part.cache)
    if part.kind != "file":
        cannot_say(path, "Claude reads images and documents only.")
    block: Block = {"type": "document", "source": _document(part, path)}
    if part.name:
        block["title"] = part.name
    return mark(block, part.cache)


def _image(part: MediaPart, path: str) -> Block:
    if part.data is None:
        return _located(part, path)
    media_type = _IMAGES.get(part.media_type)
    if media_type is None:
        cannot_say(path, f"`{part.media_type[:60]}` is no image that Claude reads.")
    return {"type": "base64", "media_type": media_type, "data": part.data}


def _document(part: MediaPart, path: str) -> Block:
    if part.id is not None:
        if not part.id.startswith(_FILE_ID):
            cannot_say(f"{path}.file_id", "the file was not uploaded to Anthropic.")
        return {"type": "file", "file_id": part.id}
    if part.media_type.startswith(_TEXTS) and part.data is not None:
        return {"type": "text", "media_type": "text/plain", "data": _text(part.data, path)}
    if part.media_type not in (_PDF, "") or (part.data is not None and not part.media_type):
        cannot_say(path, f"`{part.media_type[:60]}` is no document that Claude reads.")
    if part.data is None:
        return _located(part, path)
    return {"type": "base64", "media_type": _PDF, "data": part.data}


def _located(part: MediaPart, path: str) -> Block:
    url = part.url or ""
    if not url.startswith(("http://", "https://")):
        cannot_say(path, "only http and https addresses can be fetched.")
    return {"type": "url", "url": url}


def _text(data: str, path: str) -> str:
    try:
        return base64.b64decode(data).decode()
    except (binascii.Error, ValueError):
        return cannot_say(path, "a text file that is no UTF-8.")
