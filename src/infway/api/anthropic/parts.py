"""Blocks of a Messages request as parts of a chat: texts, images, documents, search results."""

from collections.abc import Iterator, Mapping, Sequence

from infway.api.anthropic.notes import Notes, read_as, type_of
from infway.api.anthropic.schema import MediaBlock, SearchResultBlock, SourceBody, TextBlock
from infway.kernel.errors import CallerError

Part = dict[str, object]
_TEXT = frozenset({"type", "text", "cache_control"})
_MEDIA = frozenset({"type", "source", "title", "context", "cache_control"})
_RESULT = frozenset({"type", "source", "title", "content", "cache_control"})
_ENDINGS: Mapping[str, str] = {"application/pdf": "pdf", "text/plain": "txt"}


def parts_of(blocks: Sequence[dict[str, object]], path: str, notes: Notes) -> list[Part]:
    """Return blocks as parts; raises CallerError with the path of what is wrong in them."""
    parts: list[Part] = []
    for place, block in enumerate(blocks):
        parts += block_parts(block, f"{path}[{place}]", notes)
    return parts


def block_parts(block: dict[str, object], path: str, notes: Notes) -> list[Part]:
    """Return one block as parts, none where chats have no words for its kind: that is noted."""
    made = list(_parts(type_of(block, path), block, path, notes))
    if made and block.get("cache_control"):
        made[-1]["cache_control"] = block["cache_control"]
    return made


def content_of(parts: list[Part]) -> str | list[Part]:
    """Return parts as the content of a message: one plain text needs no list."""
    if len(parts) == 1 and parts[0].keys() == {"type", "text"}:
        return str(parts[0]["text"])
    return parts


def text_part(text: str) -> Part:
    """Return a text as a part."""
    return {"type": "text", "text": text}


def _parts(kind: str, block: dict[str, object], path: str, notes: Notes) -> Iterator[Part]:
    match kind:
        case "text":
            notes.lose_others(path, block, _TEXT)
            yield text_part(read_as(TextBlock, block, path).text)
        case "image":
            media = read_as(MediaBlock, block, path)
            notes.lose_others(path, block, _MEDIA)
            yield from _image(media.source, f"{path}.source", notes)
        case "document":
            notes.lose_others(path, block, _MEDIA)
            yield from _document(read_as(MediaBlock, block, path), f"{path}.source", notes)
        case "search_result":
            notes.lose_others(path, block, _RESULT)
            result = read_as(SearchResultBlock, block, path)
            yield text_part(f"{result.title}\n{result.source}")
            yield from parts_of(result.content, f"{path}.content", notes)
        case _:
            notes.need(f"{path}.type")


def _image(source: SourceBody, path: str, notes: Notes) -> Iterator[Part]:
    match source.type:
        case "base64":
            kind = _said(source.media_type, f"{path}.media_type")
            data = _said(source.data, f"{path}.data")
            yield _pictured(f"data:{kind};base64,{data}")
        case "url":
            yield _pictured(_said(source.url, f"{path}.url"))
        case _:
            notes.need(path)  # a file that was uploaded to Anthropic, for one


def _pictured(url: str) -> Part:
    return {"type": "image_url", "image_url": {"url": url}}


def _document(block: MediaBlock, path: str, notes: Notes) -> Iterator[Part]:
    """Yield a document; what is said of a file beside it stands before it, as a text."""
    source = block.source
    if block.context:
        yield text_part(block.context)
    match source.type:
        case "base64" | "text":
            yield _file(block, path)
        case "url":
            name = {"filename": block.title} if block.title else {}
            file = {**name, "file_data": _said(source.url, f"{path}.url")}
            yield {"type": "file", "file": file}
        case "content":
            if block.title:
                yield text_part(block.title)
            if isinstance(source.content, str):
                yield text_part(source.content)
            else:
                yield from parts_of(source.content or [], f"{path}.content", notes)
        case _:
            notes.need(path)


def _file(block: MediaBlock, path: str) -> Part:
    source = block.source
    data = _said(source.data, f"{path}.data")
    if source.type == "text":
        # any model reads a text, few read files
        return text_part(f"{block.title}\n\n{data}" if block.title else data)
    kind = source.media_type or "application/pdf"
    name = block.title or f"document.{_ENDINGS.get(kind, 'bin')}"
    return {"type": "file", "file": {"filename": name, "file_data": f"data:{kind};base64,{data}"}}


def _said(value: str | None, path: str) -> str:
    if not value:
        raise CallerError(400, "missing_required_field", f"{path} is required.", path)
    return value
