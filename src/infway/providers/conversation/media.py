"""Images, sounds, videos and files of a message, with what their data URIs say of them."""

import base64
import re
import string
from collections.abc import Mapping
from urllib.parse import unquote, unquote_to_bytes

from infway.providers.conversation.parts import MediaPart, cannot_say
from infway.providers.shapes import Object, as_object, as_text, is_object

_DATA_URI = re.compile(
    r"data:(?P<type>[^;,]*)(?:;[^;,]+)*?(?P<base64>;base64)?,(?P<data>.*)", re.DOTALL
)
_ENDINGS: Mapping[str, str] = {
    "pdf": "application/pdf", "txt": "text/plain", "md": "text/markdown", "csv": "text/csv",
    "html": "text/html", "json": "application/json", "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif",
    "webp": "image/webp", "mp4": "video/mp4", "mov": "video/quicktime", "webm": "video/webm",
}  # fmt: skip
_SOUNDS: Mapping[str, str] = {"mp3": "audio/mpeg", "m4a": "audio/mp4"}
# Names of types that are in use but are none
_TYPES: Mapping[str, str] = {"image/jpg": "image/jpeg", "audio/mp3": "audio/mpeg"}
_ALPHABET = (string.ascii_letters + string.digits + "+/=").encode()
_STANDARD = str.maketrans("-_", "+/")  # from the alphabet for addresses, RFC 4648 section 5
_ADDRESSES = ("http://", "https://", "gs://", "s3://")
# Keys under which media stand as an object with a `url`, or as the address itself
_KINDS: Mapping[str, str] = {
    "image_url": "image", "video_url": "video", "document_url": "file", "file_url": "file",
}  # fmt: skip


def media_part(kind: str, part: Object, path: str) -> MediaPart:
    """Return a part that is no text; raises UpstreamFailed(untranslatable) for unknown kinds."""
    match kind:
        case "image_url" | "video_url" | "document_url" | "file_url":
            said = part.get(kind)
            holder = said if is_object(said) else {"url": said}
            return _located(_KINDS[kind], holder, path)
        case "input_audio":
            return _sound(as_object(part.get("input_audio")), path)
        case "file":
            return _file(as_object(part.get("file")), path)
        case _:
            return cannot_say(f"{path}.type", f"`{kind[:40]}` cannot be said to this upstream.")


def _located(kind: str, holder: Object, path: str) -> MediaPart:
    url = as_text(holder.get("url"))
    detail = holder.get("detail")
    part = _from_url(kind, url, path)
    return part._replace(detail=detail if isinstance(detail, str) else None)


def _sound(holder: Object, path: str) -> MediaPart:
    """Return a sound; its data may be an address, as DashScope's clients send it."""
    data = as_text(holder.get("data"))
    if data.startswith(("data:", *_ADDRESSES)):
        return _from_url("audio", data, path)
    if not data:
        cannot_say(path, "a sound needs its data.")
    form = as_text(holder.get("format")) or "wav"
    return MediaPart("audio", _SOUNDS.get(form, f"audio/{form}"), data=_base64(data, path))


def _from_url(kind: str, url: str, path: str) -> MediaPart:
    found = _DATA_URI.fullmatch(url)
    if found is None:
        if not url.startswith(_ADDRESSES):
            cannot_say(path, "neither an address nor a data URI.")
        ending = url.partition("?")[0].rpartition(".")[2].lower()
        return MediaPart(kind, _ENDINGS.get(ending, ""), url=url)
    if found["base64"]:
        data = _base64(unquote(found["data"]), path)
    else:
        data = base64.b64encode(unquote_to_bytes(found["data"])).decode()
    if not data:
        cannot_say(path, "the data URI is empty.")
    media_type = found["type"].lower() or "text/plain"
    return MediaPart(kind, _TYPES.get(media_type, media_type), data=data)


def _base64(said: str, path: str) -> str:
    """Return base64 as every vendor reads it: in the one alphabet, padded, without spaces.

    Raises UpstreamFailed(untranslatable) for what is none.
    """
    data = "".join(said.split()).translate(_STANDARD)
    if data.encode(errors="replace").translate(None, _ALPHABET):
        cannot_say(path, "the data is no base64.")
    return data + "=" * (-len(data) % 4)


def _file(file: Object, path: str) -> MediaPart:
    name = as_text(file.get("filename")) or None
    id_ = as_text(file.get("file_id"))
    if id_:
        return MediaPart("file", "", id=id_, name=name)
    data = as_text(file.get("file_data") or file.get("url"))
    if data.startswith(("data:", *_ADDRESSES)):
        part = _from_url("file", data, path)
    elif data:
        ending = (name or "").rpartition(".")[2].lower()
        media_type = _ENDINGS.get(ending, "application/pdf")
        part = MediaPart("file", media_type, data=_base64(data, path))
    else:
        cannot_say(path, "a file needs its data or its id.")
    return part._replace(name=name)
