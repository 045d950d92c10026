"""Citations of Cohere as OpenAI's annotations.

https://docs.cohere.com/docs/rag-citations
"""

from collections.abc import Iterator, Mapping

from infway.providers.shapes import Object, as_count, as_object, as_objects, as_text

_ANSWER = "TEXT_CONTENT"


def annotations_of(citation: Object, starts: Mapping[int, int]) -> Iterator[Object]:
    """Yield an item of `annotations` for each source of a citation.

    `starts`: where in the answer the text of each content block begins. What is cited in a plan
    or in thoughts has no place in the answer.
    """
    where: dict[str, object] = {}
    if (as_text(citation.get("type")) or _ANSWER) == _ANSWER:
        start = starts.get(as_count(citation.get("content_index")), 0)
        where["start_index"] = start + as_count(citation.get("start"))
        where["end_index"] = start + as_count(citation.get("end"))
    quote = as_text(citation.get("text"))
    for source in as_objects(citation.get("sources")) or [{}]:
        yield _annotation(source, quote, where)


def _annotation(source: Object, quote: str, where: Object) -> Object:
    """Return what is known of a source; the whole of it is the caller's own and not repeated."""
    held = as_object(source.get("document")) or as_object(source.get("tool_output"))
    id_ = as_text(source.get("id"))
    url = as_text(held.get("url"))
    title = as_text(held.get("title")) or url or id_
    if url.startswith(("http://", "https://")):
        cited = {"url": url, "title": title, "content": quote, **where}
        return {"type": "url_citation", "url_citation": cited}
    cited = {"title": title, "quote": quote, **where, "source_id": id_}
    return {"type": "file_citation", "file_citation": cited}
