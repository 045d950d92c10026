"""Where Gemini's answers come from: grounding and recitations as annotations."""

import pytest
from tests.providers.gemini_saying import both, only, reply, saying, stream

from infway.kernel.events import Annotation, Finish


def cited(events: list) -> list[tuple]:
    items = [next(iter(one.item.values())) for one in only(Annotation, events)]
    assert items
    found = [
        next(v for k, v in one.item.items() if k != "type") for one in only(Annotation, events)
    ]
    return [(one.get("url"), one["title"], one["start_index"], one["end_index"]) for one in found]


def grounding(*supports: dict) -> dict:
    chunks = [{"web": {"uri": f"https://{name}", "title": name}} for name in ("a", "b")]
    chunks.append({"retrievedContext": {"uri": "gs://d", "title": "d", "text": "Die Wörter"}})
    return {"groundingChunks": chunks, "groundingSupports": list(supports)}


def support(start: int, end: int, words: str, *chunks: int) -> dict:
    place = {"startIndex": start, "endIndex": end, "text": words}
    return {"segment": place, "groundingChunkIndices": list(chunks)}


def test_sources_are_placed_by_characters_though_google_counts_bytes():
    found = grounding(support(5, 11, "schön", 0, 1, 9), support(12, 15, "und", 1))
    answer = saying({"text": "Wör"}, {"text": " schön und"}, groundingMetadata=found)
    assert cited(both(reply(answer))) == [
        ("https://a", "a", 4, 9),
        ("https://b", "b", 4, 9),
        ("https://b", "b", 10, 13),
    ]


def test_a_passage_that_google_misplaces_is_found_by_its_words():
    answer = saying({"text": "One two."}, groundingMetadata=grounding(support(2, 5, "two", 0)))
    assert cited(both(reply(answer))) == [("https://a", "a", 4, 7)]
    lost = saying({"text": "One."}, groundingMetadata=grounding(support(2, 99, "gone", 0)))
    assert cited(both(reply(lost))) == [("https://a", "a", 2, 4)]


def test_sources_without_passages_stand_for_the_whole_answer():
    answer = saying({"text": "One."}, groundingMetadata=grounding())
    assert cited(both(reply(answer))) == [
        ("https://a", "a", 0, 4),
        ("https://b", "b", 0, 4),
        ("gs://d", "d", 0, 4),
    ]


def test_documents_are_quoted():
    answer = saying({"text": "One."}, groundingMetadata=grounding(support(0, 3, "One", 2)))
    [one] = only(Annotation, both(reply(answer)))
    assert one.item["type"] == "file_citation"
    assert one.item["file_citation"]["quote"] == "Die Wörter"


@pytest.mark.parametrize("key", ["citationSources", "citations"])
def test_recitations_are_sources_too(key: str):
    listed = {key: [{"startIndex": 0, "endIndex": 3, "uri": "https://x"}, {"license": "mit"}]}
    answer = saying({"text": "One."}, citationMetadata=listed)
    assert cited(both(reply(answer))) == [("https://x", "", 0, 3)]


def test_sources_that_come_after_the_end_belong_to_the_answer():
    found = grounding(support(0, 3, "One", 0))
    late = {"index": 0, "groundingMetadata": found}
    events = stream(reply(saying({"text": "One."})), reply(late))
    assert cited(events) == [("https://a", "a", 0, 3)]
    assert isinstance(events[-2], Finish)
