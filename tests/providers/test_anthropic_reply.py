"""What Claude says, whole and in pieces."""

import pytest
from tests.providers.anthropic_saying import (
    ADAPTER,
    USAGE,
    begin,
    block,
    end,
    frame,
    of,
    say,
    streamed,
    whole,
)
from tests.providers.reading import finishes, text, usage

from infway.kernel.events import (
    Annotation,
    Detail,
    Facts,
    Finish,
    Reasoning,
    Text,
    ToolCall,
    Usage,
)

FORMAT = "anthropic-claude-v1"
WEB = {
    "type": "web_search_result_location",
    "url": "https://example.org",
    "title": "Example",
    "cited_text": "It rains.",
    "encrypted_index": "x",
}
PAGE = {
    "type": "page_location",
    "document_index": 0,
    "document_title": "Report",
    "cited_text": "Rain.",
    "start_page_number": 1,
    "end_page_number": 2,
}


def test_a_stream_is_text_then_a_finish_then_usage():
    assert streamed(begin(), say("a", "b"), end()) == [
        Text("a"),
        Text("b"),
        Finish(0, "stop", "end_turn"),
        Usage(5, 7, 12),
    ]


def test_calls_come_in_pieces_with_their_places():
    first = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
    halves = [{"type": "input_json_delta", "partial_json": one} for one in ("", '{"a"', ":1}")]
    second = {"type": "tool_use", "id": "toolu_2", "name": "g", "input": {}}
    events = streamed(
        begin(), say("a"), block(1, first, *halves), block(2, second), end("tool_use")
    )
    assert of(ToolCall, events) == [
        ToolCall(0, "", "toolu_1", "f"),
        ToolCall(0, '{"a"'),
        ToolCall(0, ":1}"),
        ToolCall(1, "", "toolu_2", "g"),
        ToolCall(1, "{}"),
    ]
    assert finishes(events) == [Finish(0, "tool_calls", "tool_use")]


def test_a_call_in_a_whole_reply_has_its_arguments_at_once():
    events = whole({"type": "tool_use", "id": "t", "name": "f", "input": {"ü": [1]}})
    assert of(ToolCall, events) == [ToolCall(0, "", "t", "f"), ToolCall(0, '{"ü":[1]}')]
    assert finishes(events) == [Finish(0, "tool_calls", "end_turn")]


def test_a_call_without_an_id_gets_one():
    events = whole({"type": "tool_use", "name": "f", "input": {}})
    assert of(ToolCall, events)[0].id == "call_0_12345678"


def test_thoughts_are_said_and_kept_with_their_signature():
    deltas = [
        {"type": "thinking_delta", "thinking": "Hm"},
        {"type": "thinking_delta", "thinking": "."},
        {"type": "signature_delta", "signature": "s=="},
    ]
    thought = {"type": "thinking", "thinking": "", "signature": ""}
    hidden = {"type": "redacted_thinking", "data": "x=="}
    item = {"type": "reasoning.text", "text": "Hm.", "signature": "s==", "format": FORMAT}
    expected = [
        Reasoning("Hm"),
        Reasoning("."),
        Detail(item),
        Detail({"type": "reasoning.encrypted", "data": "x==", "format": FORMAT}),
    ]
    assert streamed(begin(), block(0, thought, *deltas), block(1, hidden), end())[:4] == expected
    signed = {"type": "thinking", "thinking": "Hm.", "signature": "s=="}
    assert whole(signed, hidden)[:3] == [Reasoning("Hm."), *expected[2:]]


def test_a_thought_whose_text_is_left_out_keeps_its_signature():
    (detail,) = of(Detail, whole({"type": "thinking", "thinking": "", "signature": "s=="}))
    assert detail.item["text"] == ""
    assert of(Reasoning, whole({"type": "thinking", "thinking": "", "signature": "s=="})) == []
    assert of(Detail, whole({"type": "thinking", "thinking": "Hm."})) == []


def test_citations_say_which_words_they_are_for():
    web = {"url": "https://example.org", "title": "Example", "content": "It rains."}
    page = {"title": "Report", "quote": "Rain.", "document_index": 0}
    expected = [
        {"type": "url_citation", "url_citation": {**web, "start_index": 3, "end_index": 7}},
        {
            "type": "file_citation",
            "file_citation": {
                **page,
                "start_index": 3,
                "end_index": 7,
                "start_page_number": 1,
                "end_page_number": 2,
            },
        },
    ]
    cited = {"type": "text", "text": "rain", "citations": [WEB, PAGE]}
    found = of(Annotation, whole({"type": "text", "text": "Ü: "}, cited))
    assert [one.item for one in found] == expected
    deltas = [{"type": "citations_delta", "citation": one} for one in (WEB, PAGE)]
    deltas.insert(1, {"type": "text_delta", "text": "rain"})
    cut = block(1, {"type": "text", "text": "", "citations": []}, *deltas)
    assert of(Annotation, streamed(begin(), say("Ü:", " "), cut, end(), size=3)) == found


def test_what_the_vendors_own_tools_do_is_neither_text_nor_a_call():
    search = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}}
    result = {"type": "web_search_tool_result", "tool_use_id": "s", "content": [WEB]}
    asked = {"type": "input_json_delta", "partial_json": '{"query":"q"}'}
    both = whole(search, result, {"type": "text", "text": "a"})
    cut = streamed(begin(), block(1, search, asked), block(2, result), say("a"), end())
    for events in (both, cut):
        assert events[:-1] == [Text("a"), Finish(0, "stop", "end_turn")]


def test_cached_tokens_are_part_of_the_prompt():
    said = {
        "input_tokens": 10,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 30,
        "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
        "output_tokens": 9,
        "output_tokens_details": {"thinking_tokens": 4},
    }
    expected = Usage(140, 9, 149, cached=100, cache_write=30, cache_write_long=20, reasoning=4)
    assert usage(whole(usage=said)) == expected
    first = {**said, "output_tokens": 1}
    last = {"output_tokens": 9, "input_tokens": None}
    assert usage(streamed(begin(**first), say("a"), end(usage=last))) == expected


def test_later_counts_take_the_place_of_earlier_ones():
    last = {"input_tokens": 50, "cache_creation_input_tokens": 8, "output_tokens": 3}
    assert usage(streamed(begin(), say("a"), end(usage=last))) == Usage(58, 3, 61, cache_write=8)


@pytest.mark.parametrize("odd", [-3, "many", 10**12, None, [1], 2.5])
def test_counts_that_make_no_sense_raise_nothing(odd: object):
    said = {"input_tokens": odd, "output_tokens": odd, "cache_read_input_tokens": odd}
    found = usage(whole(usage=said))
    assert found is None or found.total == 0
    assert usage(whole(usage=odd)) is None


def test_the_service_tier_waits_for_the_first_piece():
    events = streamed(begin(service_tier="standard"), say("a"), end())
    assert events[:2] == [Facts({"service_tier": "default"}), Text("a")]
    decoder = ADAPTER.decoder()
    assert decoder.feed(begin(service_tier="priority")) == []
    failed = decoder.feed(frame("error", error={"type": "overloaded_error", "message": "Busy"}))
    assert [type(event).__name__ for event in failed] == ["Broken"]


def test_events_and_blocks_that_are_not_known_say_nothing():
    odd = frame("vibes", index=[1]) + block(9, {"type": "compaction"}, {"type": "x"})
    assert text(streamed(begin(), b": comment\n\n", frame("ping"), odd, say("a"), end())) == "a"


def test_blocks_that_stay_open_are_closed_by_the_end():
    start = frame("content_block_start", index=0, content_block={"type": "tool_use", "id": "t"})
    assert of(ToolCall, streamed(begin(), start, end("tool_use")))[-1] == ToolCall(0, "{}")


def test_content_that_stands_at_the_beginning_counts():
    said = [{"type": "text", "text": "a"}]
    start = frame("message_start", message={"content": said, "usage": USAGE})
    assert text(streamed(start, end())) == "a"
