"""Citations of Claude as OpenAI's annotations.

https://platform.claude.com/docs/en/build-with-claude/citations
"""

from infway.providers.shapes import Object, as_text

# What a citation says of its place in a document
_PLACES = (
    "document_index", "file_id", "search_result_index",
    "start_char_index", "end_char_index", "start_page_number", "end_page_number",
    "start_block_index", "end_block_index",
)  # fmt: skip


def annotation_of(citation: Object, start: int, end: int) -> Object:
    """Return an item of `annotations` for the characters `start` to `end` of the answer."""
    where: dict[str, object] = {"start_index": start, "end_index": end}
    url = as_text(citation.get("url") or citation.get("source"))
    title, quote = citation.get("title"), as_text(citation.get("cited_text"))
    if url.startswith(("http://", "https://")):
        cited = {"url": url, "title": as_text(title) or url, "content": quote, **where}
        return {"type": "url_citation", "url_citation": cited}
    title = as_text(citation.get("document_title") or title) or url
    places = {name: citation[name] for name in _PLACES if citation.get(name) is not None}
    document = {"title": title, "quote": quote, **where, **places}
    return {"type": "file_citation", "file_citation": document}
