"""OpenAI's annotations as citations of the Messages API.

https://platform.claude.com/docs/en/build-with-claude/citations
"""

from collections.abc import Mapping

from infway.providers.shapes import Object, as_count, as_object, as_text

# What tells the kind of a citation within a document: key -> (kind, keys of its place)
_PLACES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "start_char_index": ("char_location", ("start_char_index", "end_char_index")),
    "start_page_number": ("page_location", ("start_page_number", "end_page_number")),
    "start_block_index": ("content_block_location", ("start_block_index", "end_block_index")),
}
_BLOCKS = ("start_block_index", "end_block_index")


def citation_of(annotation: Object) -> dict[str, object]:
    """Return a citation; one of an unknown kind cites whatever address and title it gives."""
    if annotation.get("type") == "file_citation":
        return _of_document(as_object(annotation.get("file_citation")))
    cited = as_object(annotation.get("url_citation")) or annotation
    return {
        "type": "web_search_result_location",
        "url": as_text(cited.get("url")),
        "title": as_text(cited.get("title")) or None,
        "cited_text": as_text(cited.get("content")),
        "encrypted_index": "",  # only Anthropic's own search has one
    }


def _of_document(cited: Object) -> dict[str, object]:
    title, quote = as_text(cited.get("title")), as_text(cited.get("quote"))
    if "search_result_index" in cited:
        places = {key: as_count(cited.get(key)) for key in ("search_result_index", *_BLOCKS)}
        said = {"type": "search_result_location", "source": title, "title": title or None}
        return {**said, "cited_text": quote, **places}
    marks = (found for key, found in _PLACES.items() if key in cited)
    kind, keys = next(marks, _PLACES["start_char_index"])
    return {
        "type": kind,
        "cited_text": quote,
        "document_index": as_count(cited.get("document_index")),
        "document_title": title or None,
        "file_id": as_text(cited.get("file_id")) or None,
        **{key: as_count(cited.get(key)) for key in keys},
    }
