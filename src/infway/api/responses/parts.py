"""Parts of messages and of tools' results in chats' words, a row a kind."""

from collections.abc import Callable, Mapping, Sequence

from infway.api.responses.schema import ContentPart
from infway.kernel.errors import CallerError

Chat = dict[str, object]
Need = Callable[[str], None]
_CACHED = {"type": "ephemeral"}


def chat_content(content: str | Sequence[ContentPart], path: str, need: Need) -> object:
    """Return the content of a message; raises CallerError. `need` hears what chats cannot say."""
    if isinstance(content, str):
        return content
    return [_part(part, f"{path}[{place}]", need) for place, part in enumerate(content)]


def _part(part: ContentPart, path: str, need: Need) -> Chat:
    say = _PARTS.get(part.type)
    if say is None:
        need(f"{path}.type")
        return {"type": "text", "text": part.text or ""}
    said = say(part, path, need)
    if part.cache_control is not None:
        said["cache_control"] = part.cache_control
    elif part.prompt_cache_breakpoint is not None:
        said["cache_control"] = _CACHED
    return said


def _missing(path: str) -> CallerError:
    return CallerError(400, "missing_required_field", f"{path} is required.", path)


def _text(part: ContentPart, path: str, _: Need) -> Chat:
    if part.text is None:
        raise _missing(f"{path}.text")
    return {"type": "text", "text": part.text}


def _refusal(part: ContentPart, path: str, _: Need) -> Chat:
    if part.refusal is None:
        raise _missing(f"{path}.refusal")
    return {"type": "refusal", "refusal": part.refusal}


def _image(part: ContentPart, path: str, need: Need) -> Chat:
    url = part.image_url.get("url") if isinstance(part.image_url, dict) else part.image_url
    if not isinstance(url, str):
        if part.file_id is None:
            raise _missing(f"{path}.image_url")
        need(f"{path}.file_id")
        url = part.file_id
    image: Chat = {"url": url}
    if part.detail is not None:
        image["detail"] = part.detail
    return {"type": "image_url", "image_url": image}


def _file(part: ContentPart, path: str, _: Need) -> Chat:
    data = part.file_data or part.file_url
    if data is None and part.file_id is None:
        raise _missing(f"{path}.file_data")
    file = {"filename": part.filename, "file_id": part.file_id, "file_data": data}
    return {"type": "file", "file": {name: said for name, said in file.items() if said is not None}}


def _sound(part: ContentPart, path: str, _: Need) -> Chat:
    if part.input_audio is None:
        raise _missing(f"{path}.input_audio")
    return {"type": "input_audio", "input_audio": part.input_audio}


def _video(part: ContentPart, path: str, _: Need) -> Chat:
    if part.video_url is None:
        raise _missing(f"{path}.video_url")
    return {"type": "video_url", "video_url": {"url": part.video_url}}


_PARTS: Mapping[str, Callable[[ContentPart, str, Need], Chat]] = {
    "input_text": _text,
    "output_text": _text,
    "text": _text,
    "summary_text": _text,
    "refusal": _refusal,
    "input_image": _image,
    "input_file": _file,
    "input_audio": _sound,
    "input_video": _video,
}
