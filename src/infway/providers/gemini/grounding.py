"""Where a Gemini answer comes from: grounding and recitation as items of OpenAI's `annotations`."""

from collections.abc import Iterator

from infway.providers.shapes import (
    Object,
    as_count,
    as_list,
    as_object,
    as_objects,
    as_text,
    as_word,
)

_WEB = ("web", "maps", "image")


def annotations(grounding: Object, citations: Object, text: str) -> Iterator[Object]:
    """Yield one item for each source of each supported passage of `text`.

    Sources that support no passage in particular stand for the whole text where none does.
    """
    said = text.encode()
    chunks = as_objects(grounding.get("groundingChunks"))
    supports = as_objects(grounding.get("groundingSupports"))
    for support in supports:
        start, end = _place(as_object(support.get("segment")), text, said)
        for index in as_list(support.get("groundingChunkIndices")):
            if isinstance(index, int) and 0 <= index < len(chunks):
                yield from _source(chunks[index], start, end)
    for chunk in chunks if not supports else ():
        yield from _source(chunk, 0, len(text))
    # AI Studio and Vertex AI name the list differently
    listed = citations.get("citationSources") or citations.get("citations")
    for one in as_objects(listed):
        if as_word(one.get("uri")):
            start, end = _place(one, text, said)
            yield _web(one, as_text(one.get("uri")), start, end)


def _source(chunk: Object, start: int, end: int) -> Iterator[Object]:
    for kind in _WEB:
        source = as_object(chunk.get(kind))
        address = as_text(source.get("uri")) or as_text(source.get("sourceUri"))
        if address:
            yield _web(source, address, start, end)
    document = as_object(chunk.get("retrievedContext"))
    if document:
        yield _document(document, start, end)


def _web(source: Object, address: str, start: int, end: int) -> Object:
    cited = {
        "url": address,
        "title": as_text(source.get("title")),
        "start_index": start,
        "end_index": end,
    }
    return {"type": "url_citation", "url_citation": cited}


def _document(source: Object, start: int, end: int) -> Object:
    cited: dict[str, object] = {
        "title": as_text(source.get("title")),
        "quote": as_text(source.get("text")),
        "start_index": start,
        "end_index": end,
    }
    for key, name in (("documentName", "file_id"), ("uri", "url")):
        if as_word(source.get(key)):
            cited[name] = source[key]
    return {"type": "file_citation", "file_citation": cited}


def _place(segment: Object, text: str, said: bytes) -> tuple[int, int]:
    """Return where a passage stands in `text`, in characters.

    Google counts bytes of UTF-8, and at times misses by some: the words themselves count more,
    where they stand but once.
    """
    start = min(as_count(segment.get("startIndex")), len(said))
    end = min(max(as_count(segment.get("endIndex")), start), len(said))
    first = len(said[:start].decode(errors="ignore"))
    last = first + len(said[start:end].decode(errors="ignore"))
    words = as_text(segment.get("text"))
    if words and text[first:last] != words and text.count(words) == 1:
        first = text.index(words)
        last = first + len(words)
    return first, last
