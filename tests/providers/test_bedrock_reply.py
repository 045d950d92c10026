"""What Bedrock's Converse says, whole and in pieces: made by hand, block by block."""

import base64

import pytest
from tests.providers.bedrock_saying import (
    SIGNED,
    calls,
    delta,
    of,
    start,
    stop,
    streamed,
    whole,
)
from tests.providers.reading import finishes, text, usage

from infway.kernel.events import Annotation, Detail, Facts, Image, Reasoning, ToolCall, Usage


def test_calls_are_counted_from_0_whatever_their_block():
    use = {"toolUseId": "t1", "name": "now"}
    other = {"toolUseId": "t2", "name": "weather", "input": {"city": "Bergen \u00e9"}}
    expected = [("t1", "now", "{}"), ("t2", "weather", '{"city":"Bergen \u00e9"}')]
    at_once = whole({"text": "So."}, {"toolUse": {**use, "input": {}}}, {"toolUse": other},
                    reason="tool_use")  # fmt: skip
    in_pieces = streamed(
        delta(0, text="So."), stop(0),
        start(1, toolUse=use), delta(1, toolUse={"input": ""}), stop(1),
        start(2, toolUse={"toolUseId": "t2", "name": "weather"}),
        delta(2, toolUse={"input": '{"city":'}), delta(2, toolUse={"input": '"Bergen \u00e9"}'}),
        stop(2), reason="tool_use",
    )  # fmt: skip
    for events in (at_once, in_pieces):
        assert calls(events) == expected
        assert [one.reason for one in finishes(events)] == ["tool_calls"]
    assert [one.position for one in of(in_pieces, ToolCall)] == [0, 0, 1, 1, 1]


def test_a_call_without_an_id_gets_one():
    assert calls(whole({"toolUse": {"name": "now"}})) == [("call_0", "now", "{}")]


def test_what_the_vendors_own_tools_do_is_neither_text_nor_a_call():
    use = {"toolUseId": "t", "name": "nova_grounding", "type": "server_tool_use"}
    result = {"toolUseId": "t", "type": "nova_grounding_result"}
    at_once = whole(
        {"toolUse": {**use, "input": {"query": "x"}}},
        {"toolResult": {**result, "content": [{"text": "[HIDDEN]"}]}},
        {"text": "So."},
    )
    in_pieces = streamed(
        start(0, toolUse=use), delta(0, toolUse={"input": '{"query":"x"}'}), stop(0),
        start(1, toolResult=result), delta(1, toolResult=[{"text": "[HIDDEN]"}]), stop(1),
        delta(2, text="So."), stop(2),
    )  # fmt: skip
    for events in (at_once, in_pieces):
        assert text(events) == "So."
        assert calls(events) == []
        assert [one.reason for one in finishes(events)] == ["stop"]


def test_signed_thoughts_are_given_back_whole():
    words = {"text": "Hm. Yes.", "signature": "ab"}
    at_once = whole({"reasoningContent": {"reasoningText": words}}, {"text": "So."})
    in_pieces = streamed(
        delta(0, reasoningContent={"text": "Hm."}), delta(0, reasoningContent={"text": " Yes."}),
        delta(0, reasoningContent={"signature": "a"}), delta(0, reasoningContent={"signature": "b"}),
        stop(0), delta(1, text="So."), stop(1),
    )  # fmt: skip
    for events in (at_once, in_pieces):
        assert "".join(one.text for one in of(events, Reasoning)) == "Hm. Yes."
        assert [one.item for one in of(events, Detail)] == [SIGNED]
        assert text(events) == "So."


def test_hidden_thoughts_are_given_back_and_unsigned_ones_are_not():
    first, second = (base64.b64encode(part).decode() for part in (b"hid", b"den!"))
    both = base64.b64encode(b"hidden!").decode()
    hidden = {"type": "reasoning.encrypted", "format": "amazon-bedrock-v1"}
    at_once = whole({"reasoningContent": {"redactedContent": both}})
    in_pieces = streamed(
        delta(0, reasoningContent={"redactedContent": first}),
        delta(0, reasoningContent={"redactedContent": second}),
    )
    odd = streamed(delta(0, reasoningContent={"redactedContent": "%"}),
                   delta(0, reasoningContent={"redactedContent": "é"}))  # fmt: skip
    assert [one.item for one in of(at_once, Detail)] == [{**hidden, "data": both}]
    assert [one.item for one in of(in_pieces, Detail)] == [{**hidden, "data": both}]
    assert [one.item for one in of(odd, Detail)] == [{**hidden, "data": "%é"}]
    plain = whole({"reasoningContent": {"reasoningText": {"text": "Hm."}}})
    assert [one.text for one in of(plain, Reasoning)] == ["Hm."]
    assert of(plain, Detail) == []


def test_citations_point_at_the_text_they_belong_to():
    page = {"documentPage": {"documentIndex": 0, "start": 1, "end": 2}}
    citation = {
        "title": "facts",
        "location": page,
        "sourceContent": [{"text": "It "}, {"text": "is."}],
    }
    at_once = whole(
        {"text": "So "},
        {"citationsContent": {"content": [{"text": "it is"}], "citations": [citation]}},
    )
    in_pieces = streamed(
        delta(0, text="So "), stop(0),
        delta(1, citation=citation), delta(1, text="it "), delta(1, text="is"), stop(1),
    )  # fmt: skip
    for events in (at_once, in_pieces):
        assert text(events) == "So it is"
        assert [one.item for one in of(events, Annotation)] == [
            {"type": "file_citation", "file_citation": {
                "title": "facts", "location": page, "start_index": 3, "end_index": 8,
                "quote": "It is."}},
        ]  # fmt: skip


def test_addresses_are_cited_as_addresses():
    web = {"location": {"web": {"url": "https://a.org/x", "domain": "a.org"}}}
    found = {"source": "https://b.org", "title": "B", "location": {"searchResultLocation": {}}}
    events = streamed(
        delta(0, text="It is"), stop(0), delta(1, citation=web), delta(1, citation=found), stop(1),
        delta(2, text="."), stop(2),
    )  # fmt: skip
    place = {"start_index": 0, "end_index": 5}
    assert [one.item["url_citation"] for one in of(events, Annotation)] == [
        {"url": "https://a.org/x", "title": "a.org", **place},
        {"url": "https://b.org", "title": "B", **place},
    ]


def test_pictures_are_data_uris():
    first, second = (base64.b64encode(part).decode() for part in (b"pic", b"ture"))
    both = base64.b64encode(b"picture").decode()
    at_once = whole({"image": {"format": "webp", "source": {"bytes": both}}})
    in_pieces = streamed(
        start(0, image={"format": "webp"}), delta(0, image={"source": {"bytes": first}}),
        delta(0, image={"source": {"bytes": second}}), stop(0),
    )  # fmt: skip
    for events in (at_once, in_pieces):
        assert [one.url for one in of(events, Image)] == [f"data:image/webp;base64,{both}"]


def test_tokens_of_the_cache_are_part_of_the_prompt():
    counts = {
        "inputTokens": 6, "outputTokens": 2, "totalTokens": 118, "cacheReadInputTokens": 100,
        "cacheWriteInputTokens": 10, "cacheDetails": [
            {"ttl": "1h", "inputTokens": 7}, {"ttl": "5m", "inputTokens": 3}],
    }  # fmt: skip
    expected = Usage(116, 2, 118, cached=100, cache_write=10, cache_write_long=7)
    assert usage(whole({"text": "x"}, usage=counts)) == expected


@pytest.mark.parametrize("odd", [-5, 10**30, "7", None, 2.5, 1e300, [], True])
def test_counts_that_make_no_sense_raise_nothing(odd):
    counts = usage(whole({"text": "x"}, usage={"inputTokens": odd, "outputTokens": 2}))
    assert counts is not None
    assert counts.completion == 2
    assert usage(whole({"text": "x"}, usage=None)) is None


def test_the_tier_that_served_is_told():
    assert of(whole({"text": "x"}, serviceTier={"type": "flex"}), Facts) == [
        Facts({"service_tier": "flex"})
    ]
