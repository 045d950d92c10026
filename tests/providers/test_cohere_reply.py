"""What Cohere's replies say, whole and event by event."""

import json

import pytest
from tests.providers.reading import broken, decode, finishes, pieces, text, usage

from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Annotation, Broken, Finish, Logprobs, Reasoning, ToolCall, Usage
from infway.kernel.faults import Fault
from infway.providers.cohere.adapter import Cohere

ADAPTER = Cohere()
TOKENS = {"input_tokens": 30, "output_tokens": 12}


def event(kind: str, index: int | None = None, **message: object) -> dict:
    said: dict = {"type": kind, "delta": {"message": message}}
    return said if index is None else {**said, "index": index}


def end(reason: str | None = "COMPLETE", **said: object) -> dict:
    return {"type": "message-end", "delta": {"finish_reason": reason, **said}}


def stream(*events: dict) -> bytes:
    frames = (f"event: {one.get('type')}\ndata: {json.dumps(one)}\n\n" for one in events)
    return ("".join(frames) + "data: [DONE]\n\n").encode()


def heard(*events: dict, size: int = 10**6) -> list:
    return decode(ADAPTER.decoder(), pieces(stream(*events), size))


def whole(reason: str | None = "COMPLETE", said: dict | None = None, **message: object) -> list:
    reply = {"id": "r-12345678", "finish_reason": reason, "message": message, **(said or {})}
    return ADAPTER.whole(json.dumps(reply).encode())


def says(words: str, index: int = 0) -> list[dict]:
    return [
        event("content-start", index, content={"type": "text", "text": ""}),
        *(event("content-delta", index, content={"text": letter}) for letter in words),
        {"type": "content-end", "index": index},
    ]


def of(kind: type, events: list) -> list:
    return [one for one in events if isinstance(one, kind)]


def test_thoughts_and_plans_are_reasoning_and_text_is_text():
    events = heard(
        event("message-start", role="assistant"),
        event("tool-plan-delta", tool_plan="I ask. "),
        event("content-start", 0, content={"type": "thinking", "thinking": ""}),
        event("content-delta", 0, content={"thinking": "Hm."}),
        *says("Hi", 1),
        end(),
    )
    assert [one.text for one in of(Reasoning, events)] == ["I ask. ", "Hm."]
    assert text(events) == "Hi"
    content = [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Hi"}]
    at_once = whole(content=content, tool_plan="I ask. ")
    assert [one.text for one in of(Reasoning, at_once)] == ["I ask. ", "Hm."]
    assert text(at_once) == "Hi"


CALL = {"id": "w_1", "type": "function", "function": {"name": "w", "arguments": ""}}


def test_calls_come_in_pieces_with_their_positions():
    function = {"arguments": '{"a":'}
    events = heard(
        event("tool-call-start", 3, tool_calls=CALL),
        event("tool-call-delta", 3, tool_calls={"function": function}),
        event("tool-call-delta", 3, tool_calls={"function": {"arguments": "1}"}}),
        {"type": "tool-call-end", "index": 3},
        event("tool-call-start", 4, tool_calls={**CALL, "id": "w_2"}),
        {"type": "tool-call-end", "index": 4},
        end("TOOL_CALL"),
    )
    assert of(ToolCall, events) == [
        ToolCall(0, "", "w_1", "w"),
        ToolCall(0, '{"a":'),
        ToolCall(0, "1}"),
        ToolCall(1, "", "w_2", "w"),
        ToolCall(1, "{}"),
    ]
    assert finishes(events) == [Finish(0, "tool_calls", "TOOL_CALL")]


def test_a_call_whose_end_is_not_said_still_has_arguments():
    events = heard(event("tool-call-start", 0, tool_calls=CALL), end("TOOL_CALL"))
    assert of(ToolCall, events) == [ToolCall(0, "", "w_1", "w"), ToolCall(0, "{}")]


def test_whole_calls_are_the_same_as_pieces_and_get_an_id_where_they_have_none():
    bare = {"function": {"name": "x", "arguments": "{}"}}
    events = whole("COMPLETE", tool_calls=[CALL, bare])
    assert of(ToolCall, events) == [
        ToolCall(0, "", "w_1", "w"),
        ToolCall(0, "{}"),
        ToolCall(1, "{}", "call_1_12345678", "x"),
    ]
    assert finishes(events)[0].reason == "tool_calls"


DOCUMENT = {"type": "document", "id": "doc:0", "document": {"id": "doc:0", "text": "Ruby is old."}}
PAGE = {"type": "tool", "id": "s_1:0", "tool_output": {"title": "T", "url": "https://e.org/"}}


def citation(*sources: dict, **said: object) -> dict:
    return {"start": 1, "end": 3, "text": "ub", "sources": list(sources), **said}


def test_a_citation_names_each_of_its_sources_and_its_place_in_the_answer():
    content = [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Ruby"}]
    cited = citation(DOCUMENT, PAGE, type="TEXT_CONTENT", content_index=1)
    found = [one.item for one in of(Annotation, whole(content=content, citations=[cited]))]
    place = {"start_index": 1, "end_index": 3}
    document = {"title": "doc:0", "quote": "ub", **place, "source_id": "doc:0"}
    page = {"url": "https://e.org/", "title": "T", "content": "ub", **place}
    assert found == [
        {"type": "file_citation", "file_citation": document},
        {"type": "url_citation", "url_citation": page},
    ]


def test_places_count_from_the_beginning_of_the_answer_not_of_the_block():
    events = heard(
        *says("One. ", 0),
        *says("Ruby", 1),
        event("citation-start", 0, citations=citation(DOCUMENT, content_index=1)),
        {"type": "citation-end", "index": 0},
        end(),
    )
    (found,) = of(Annotation, events)
    held = found.item["file_citation"]
    assert text(events)[held["start_index"] : held["end_index"]] == "ub"


def test_what_is_cited_in_a_plan_has_no_place_in_the_answer():
    (found,) = of(Annotation, whole(content=[], citations=[citation(DOCUMENT, type="PLAN")]))
    assert "start_index" not in found.item["file_citation"]


def test_a_citation_without_a_source_is_one_all_the_same():
    (found,) = of(Annotation, whole(content=[], citations=[citation()]))
    assert found.item["file_citation"]["quote"] == "ub"


@pytest.mark.parametrize(
    ("native", "reason"),
    [
        ("COMPLETE", "stop"),
        ("STOP_SEQUENCE", "stop"),
        ("MAX_TOKENS", "length"),
        ("ERROR_LIMIT", "length"),
        ("TOOL_CALL", "tool_calls"),
        ("ERROR_TOXIC", "content_filter"),
        ("TIMEOUT", "error"),
        ("ERROR", "error"),
        ("A_NEW_WORD", "stop"),
    ],
)
def test_every_end_has_a_reason_of_openais(native: str, reason: str):
    content = [{"type": "text", "text": "Hi"}]
    assert finishes(whole(native, content=content)) == [Finish(0, reason, native)]
    assert finishes(heard(*says("Hi"), end(native))) == [Finish(0, reason, native)]


def test_what_the_model_counted_is_the_usage_and_what_is_billed_stands_beside():
    said = {
        "billed_units": {"input_tokens": 3, "output_tokens": 8},
        "tokens": {**TOKENS, "reasoning_tokens": 5},
        "cached_tokens": 16,
    }
    expected = Usage(30, 12, 42, cached=16, reasoning=5, billed=(3, 8))
    assert usage(whole(said={"usage": said}, content=[])) == expected
    assert usage(heard(*says("Hi"), end(usage=said))) == expected
    billed = {"billed_units": {"input_tokens": 3.0, "output_tokens": 8}}
    assert usage(whole(said={"usage": billed}, content=[])) == Usage(3, 8, 11, billed=(3, 8))


@pytest.mark.parametrize(
    "said",
    [None, {}, [], "x", {"tokens": {}}, {"tokens": {"input_tokens": 10**12}}],
)
def test_counts_that_make_no_sense_are_none(said: object):
    assert usage(whole(said={"usage": said}, content=[])) is None


def test_parts_of_a_count_are_never_more_than_the_whole():
    said = {"tokens": {**TOKENS, "reasoning_tokens": 99}, "cached_tokens": 99}
    assert usage(whole(said={"usage": said}, content=[])) == Usage(
        30, 12, 42, cached=30, reasoning=12
    )


def test_the_probability_of_a_piece_is_that_of_its_tokens_together():
    item = {"text": "Hé", "token_ids": [1, 2], "logprobs": [-0.5, -0.25]}
    token = {"token": "Hé", "logprob": -0.75, "bytes": [72, 195, 169]}
    assert of(Logprobs, whole(said={"logprobs": [item]}, content=[])) == [Logprobs([token])]
    delta = {**event("content-delta", 0, content={"text": "Hé"}), "logprobs": item}
    assert of(Logprobs, heard(delta, end())) == [Logprobs([token])]


def test_an_error_ends_a_stream():
    message = "your request resulted in an invalid tool generation"
    events = heard(
        event("tool-plan-delta", tool_plan="I"),
        end("ERROR", usage={}, error=message, error_type="INVALID_TOOL_GENERATION"),
    )
    assert isinstance(events[0], Reasoning)
    failure = broken(events).failure
    assert (failure.fault, failure.message) == (Fault.INBAND_ERROR, message)


@pytest.mark.parametrize(
    "said",
    [
        {"message": "too many tokens: shorten it", "error_type": "TOO_MANY_TOKENS"},
        {"id": "1", "error": "too many tokens: shorten it"},
    ],
)
def test_an_error_in_place_of_an_event_or_a_body_is_named(said: dict):
    (end_,) = decode(ADAPTER.decoder(), [f"data: {json.dumps(said)}\n\n".encode()])
    assert isinstance(end_, Broken)
    assert end_.failure.fault is Fault.CONTEXT_LENGTH
    with pytest.raises(UpstreamFailed) as caught:
        ADAPTER.whole(json.dumps(said).encode())
    assert caught.value.failure.fault is Fault.CONTEXT_LENGTH


def test_events_that_are_not_known_say_nothing():
    events = heard({"type": "debug", "message": "x"}, *says("Hi"), {"type": "new"}, end())
    assert text(events) == "Hi"
    assert broken(events) is None


@pytest.mark.parametrize("body", [b"{}", b'{"message":{}}', b'{"message":null}'])
def test_a_body_without_a_message_is_no_answer(body: bytes):
    with pytest.raises(UpstreamFailed) as caught:
        ADAPTER.whole(body)
    assert caught.value.failure.fault is Fault.EMPTY_CHOICES


def test_a_stream_without_an_end_was_cut():
    assert (
        broken(decode(ADAPTER.decoder(), [stream(*says("Hi"))])).failure.fault is Fault.STREAM_CUT
    )
    begun = stream(event("message-start", role="assistant"))
    assert broken(decode(ADAPTER.decoder(), [begun])).failure.fault is Fault.EMPTY_STREAM
    assert broken(decode(ADAPTER.decoder(), [b"data: {\n\n"])).failure.fault is Fault.BAD_EVENT
