"""Messages as clients spell them, brought to the one spelling that upstreams read.

The Infuzu SDK sends every unset field as null, images and audio as plain strings, and may call
the parts `content_parts`. What is spelled well already stays as it came, byte for byte.
"""

import re

import msgspec

_Fields = dict[str, msgspec.Raw]
_read_messages = msgspec.json.Decoder(list[_Fields]).decode
_read_parts = msgspec.json.Decoder(list[_Fields]).decode
_read_text = msgspec.json.Decoder(str).decode
_write = msgspec.json.Encoder().encode
_NULL = b"null"
_ODD = re.compile(rb'null|"content_parts"|"(?:image_url|input_audio)"\s*:\s*"')
_DATA_URI = re.compile(r"data:audio/(?:x-)?(\w+);base64,(.*)", re.DOTALL)


def spelled(raw: msgspec.Raw) -> msgspec.Raw:
    """Return messages without nulls, with `content` and object parts."""
    if _ODD.search(bytes(raw)) is None:
        return raw
    return msgspec.Raw(_write([_message(message) for message in _read_messages(raw)]))


def _message(message: _Fields) -> _Fields:
    parts = message.pop("content_parts", None)
    if parts is not None and bytes(parts) != _NULL:
        content = bytes(message.get("content", msgspec.Raw(_NULL)))
        if content == _NULL:
            message["content"] = parts
    clean = {
        key: value for key, value in message.items() if key == "content" or bytes(value) != _NULL
    }
    content = bytes(clean.get("content", msgspec.Raw(b"")))
    if content.startswith(b"["):
        clean["content"] = msgspec.Raw(_write([_part(part) for part in _read_parts(content)]))
    return clean


def _part(part: _Fields) -> dict[str, object]:
    clean: dict[str, object] = {k: v for k, v in part.items() if bytes(v) != _NULL}
    for key, wrap in (("image_url", _image), ("input_audio", _audio)):
        value = part.get(key)
        if value is not None and bytes(value).startswith(b'"'):
            clean[key] = wrap(_read_text(value))
    return clean


def _image(url: str) -> dict[str, str]:
    return {"url": url}


def _audio(data: str) -> dict[str, str]:
    found = _DATA_URI.fullmatch(data)
    if found is None:
        return {"data": data, "format": "wav"}
    return {"data": found[2], "format": {"mpeg": "mp3"}.get(found[1], found[1])}
