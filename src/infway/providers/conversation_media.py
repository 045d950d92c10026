"""Images, sounds, videos and files of a message, with what their data URIs say of them."""

import base64
import re
from collections.abc import Mapping

from infway.providers.conversation import MediaPart, cannot_say
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


def media_part(kind: str, part: Object, path: str) -> MediaPart:
    """Return a part that is no text; raises UpstreamFailed(untranslatable) for unknown kinds."""
    match kind:
        case "image_url" | "video_url":
            said = part.get(kind)
            holder = said if is_object(said) else {"url": said}
            return _located(kind.removesuffix("_url"), holder, path)
        case "input_audio":
            holder = as_object(part.get("input_audio"))
            form = as_text(holder.get("format")) or "wav"
            media_type = _SOUNDS.get(form, f"audio/{form}")
            return MediaPart("audio", media_type, data=as_text(holder.get("data")))
        case "file":
            return _file(as_object(part.get("file")), path)
        case _:
            return cannot_say(f"{path}.type", f"`{kind[:40]}` cannot be said to this upstream.")


def _located(kind: str, holder: Object, path: str) -> MediaPart:
    url = as_text(holder.get("url"))
    detail = holder.get("detail")
    part = _from_url(kind, url, path)
    return part._replace(detail=detail if isinstance(detail, str) else None)


def _from_url(kind: str, url: str, path: str) -> MediaPart:
    found = _DATA_URI.fullmatch(url)
    if found is None:
        if not url.startswith(("http://", "https://", "gs://", "s3://")):
            cannot_say(path, "neither an address nor a data URI.")
        ending = url.partition("?")[0].rpartition(".")[2].lower()
        return MediaPart(kind, _ENDINGS.get(ending, ""), url=url)
    data = found["data"]
    if not found["base64"]:
        data = base64.b64encode(data.encode()).decode()
    return MediaPart(kind, found["type"] or "text/plain", data=data)


def _file(file: Object, path: str) -> MediaPart:
    name = as_text(file.get("filename")) or None
    id_ = as_text(file.get("file_id"))
    if id_:
        return MediaPart("file", "", id=id_, name=name)
    data = as_text(file.get("file_data") or file.get("url"))
    if data.startswith(("data:", "http://", "https://")):
        part = _from_url("file", data, path)
    elif data:
        ending = (name or "").rpartition(".")[2].lower()
        part = MediaPart("file", _ENDINGS.get(ending, "application/pdf"), data=data)
    else:
        cannot_say(path, "a file needs its data or its id.")
    return part._replace(name=name)
