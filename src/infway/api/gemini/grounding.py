"""Sources of an answer as `groundingMetadata`: `providers/gemini/grounding.py`, backwards.

https://ai.google.dev/api/generate-content#GroundingMetadata. Places are counted in bytes of UTF-8.
"""

from collections.abc import Mapping, Sequence

from infway.providers.shapes import as_count, as_object, as_text


def grounding_of(items: Sequence[Mapping[str, object]], text: str) -> dict[str, object]:
    """Return what OpenAI's annotations of `text` say."""
    chunks: list[dict[str, object]] = []
    supports: list[dict[str, object]] = []
    for item in items:
        kind = as_text(item.get("type"))
        said = as_object(item.get(kind))
        chunk = _chunk(kind, said)
        if not chunk:
            continue
        if chunk not in chunks:
            chunks.append(chunk)
        segment = _segment(said, text)
        if segment:
            place = chunks.index(chunk)
            supports.append({"segment": segment, "groundingChunkIndices": [place]})
    found: dict[str, object] = {"groundingChunks": chunks} if chunks else {}
    return found | ({"groundingSupports": supports} if supports else {})


def _chunk(kind: str, said: Mapping[str, object]) -> dict[str, object]:
    title = as_text(said.get("title")) or as_text(said.get("filename"))
    if kind == "url_citation" and said.get("url"):
        return {"web": {"uri": said["url"], "title": title}}
    if kind == "file_citation":
        document = {"title": title, "text": as_text(said.get("quote"))}
        for name, theirs in (("file_id", "documentName"), ("url", "uri")):
            document |= {theirs: as_text(said[name])} if said.get(name) else {}
        return {"retrievedContext": document}
    return {}


def _segment(said: Mapping[str, object], text: str) -> dict[str, object]:
    start, end = as_count(said.get("start_index")), as_count(said.get("end_index"))
    words = text[start:end]
    if not words:
        return {}
    first = len(text[:start].encode(errors="replace"))
    last = first + len(words.encode(errors="replace"))
    return {"startIndex": first, "endIndex": last, "text": words}
