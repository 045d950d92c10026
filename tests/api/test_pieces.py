"""Translated replies: the same events as a stream and as one body, in OpenAI's words."""

import json

from tests.wall.asking import offer

from infway.api.encode_json import whole_body
from infway.api.encode_sse import SseEncoder
from infway.api.stamp import Stamp
from infway.kernel.events import (
    Annotation,
    Detail,
    Event,
    Facts,
    Finish,
    Image,
    Logprobs,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Usage,
)

STAMP = Stamp("chatcmpl-1", 17, offer(model="m"), 1, text=False, start=5)
PLAIN_STAMP = STAMP._replace(text=True)
THOUGHT = {"type": "reasoning.text", "text": "Hm.", "signature": "s1", "format": "f"}
SOURCE = {"type": "url_citation", "url_citation": {"url": "https://a.example", "title": "A"}}
TOKEN = {"token": "Hi", "logprob": -0.5, "bytes": None, "top_logprobs": []}
USAGE = Usage(9, 4, 13, cached=3, cache_write=2, reasoning=1, audio_input=1)
EVENTS: list[Event] = [
    Facts({"service_tier": "standard"}),
    Reasoning("H"),
    Reasoning("m."),
    Detail(THOUGHT),
    Text("Hi \u2028"),
    Text("!\n"),
    Logprobs([TOKEN]),
    Annotation(SOURCE),
    Image("data:image/png;base64,AAAA"),
    ToolCall(0, "", "c1", "f", signature="g1"),
    ToolCall(0, '{"a":'),
    ToolCall(1, "{}", "c2", "g"),
    ToolCall(0, "1}"),
    Finish(0, "tool_calls", "tool_use"),
    USAGE,
]


def chunks(*events: Event, stamp: Stamp = STAMP, usage_chunk: bool = True) -> list[dict]:
    encoder = SseEncoder(stamp, lambda: 8, flat=False, usage_chunk=usage_chunk)
    data = b"".join(encoder.encode([event]) for event in events) + encoder.close(USAGE, {})
    blocks = data.decode().split("\n\n")
    assert blocks[-2:] == ["data: [DONE]", ""]
    return [json.loads(block.removeprefix("data: ")) for block in blocks[:-2]]


def whole(*events: Event, stamp: Stamp = STAMP) -> dict:
    return json.loads(whole_body(events, stamp, USAGE, 8, flat=False, extras={}))


def added(found: list[dict], name: str) -> list:
    deltas = [choice["delta"] for one in found for choice in one["choices"]]
    return [delta[name] for delta in deltas if name in delta]


def test_a_body_says_everything_the_events_say():
    reply = whole(*EVENTS)
    (choice,) = reply["choices"]
    assert choice["message"] == {
        "role": "assistant",
        "content": "Hi \u2028!\n",
        "reasoning": "Hm.",
        "reasoning_content": "Hm.",
        "reasoning_details": [THOUGHT],
        "annotations": [SOURCE],
        "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}],
        "tool_calls": [
            {
                "id": "c1",
                "type": "function",
                "function": {"name": "f", "arguments": '{"a":1}'},
                "extra_content": {"google": {"thought_signature": "g1"}},
            },
            {"id": "c2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
        ],
    }
    assert choice["logprobs"] == {"content": [TOKEN], "refusal": None}
    assert (choice["finish_reason"], choice["native_finish_reason"]) == ("tool_calls", "tool_use")
    assert (reply["id"], reply["model"], reply["service_tier"]) == ("chatcmpl-1", "m", "standard")


def test_a_stream_adds_up_to_the_body():
    found = chunks(*EVENTS)
    message = whole(*EVENTS)["choices"][0]["message"]
    assert "".join(added(found, "content")) == message["content"]
    assert "".join(added(found, "reasoning")) == message["reasoning"]
    assert added(found, "reasoning") == added(found, "reasoning_content")
    for name in ("reasoning_details", "annotations", "images"):
        assert [item for items in added(found, name) for item in items] == message[name]
    calls: dict[int, dict] = {}
    for piece in [call for pieces in added(found, "tool_calls") for call in pieces]:
        call = calls.setdefault(piece.pop("index"), {"function": {"arguments": ""}})
        function = piece.pop("function")
        call["function"]["arguments"] += function.pop("arguments")
        call["function"] |= function
        call |= piece
    assert list(calls.values()) == message["tool_calls"]
    assert added(found, "role") == ["assistant"]


def test_every_chunk_of_a_stream_carries_the_same_root():
    roots = [
        {k: v for k, v in one.items() if k not in ("choices", "usage")} for one in chunks(*EVENTS)
    ]
    assert roots[0] == {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 17,
        "model": "m",
        "service_tier": "standard",
    }
    assert all(root == roots[0] for root in roots)


def test_facts_that_come_late_stand_in_what_follows():
    found = chunks(Text("a"), Text("b"), Facts({"service_tier": "flex"}), Text("c"))
    assert ["service_tier" in one for one in found] == [False, False, True, True]


def test_log_probabilities_stand_beside_an_empty_delta():
    (first, *_) = chunks(Logprobs([TOKEN]))
    assert first["choices"][0]["logprobs"] == {"content": [TOKEN], "refusal": None}


def test_usage_tells_its_parts_in_openais_words():
    assert chunks(*EVENTS)[-1]["usage"] == whole(*EVENTS)["usage"] == {
        "prompt_tokens": 9,
        "completion_tokens": 4,
        "total_tokens": 13,
        "prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2, "audio_tokens": 1},
        "completion_tokens_details": {"reasoning_tokens": 1},
    }  # fmt: skip


def test_usage_comes_with_the_finish_where_no_chunk_of_its_own_was_asked_for():
    found = chunks(*EVENTS, usage_chunk=False)
    assert found[-1]["choices"][0]["finish_reason"] == "tool_calls"
    assert found[-1]["usage"]["total_tokens"] == 13


def test_choices_are_told_apart():
    events = [
        Text("a"),
        Text("b", 1),
        Finish(1, "length", "MAX"),
        Text("c"),
        Finish(0, "stop", "X"),
    ]
    reply = whole(*events)
    said = [
        (one["index"], one["message"]["content"], one["finish_reason"]) for one in reply["choices"]
    ]
    assert said == [(0, "ac", "stop"), (1, "b", "length")]
    told: dict[int, str] = {}
    for one in chunks(*events):
        for choice in one["choices"]:
            index = choice["index"]
            told[index] = told.get(index, "") + choice["delta"].get("content", "")
    assert told == {0: "ac", 1: "b"}


def test_a_refusal_has_no_content_and_nothing_at_all_is_an_empty_text():
    refused = whole(Refusal("I will "), Refusal("not."), Finish(0, "stop", "end"))
    message = refused["choices"][0]["message"]
    assert (message["content"], message["refusal"]) == (None, "I will not.")
    assert whole(Finish(0, "stop", "end"))["choices"][0]["message"]["content"] == ""
    assert "".join(added(chunks(Refusal("No"), Refusal(".")), "refusal")) == "No."


def test_callers_who_sent_a_prompt_read_plain_text():
    found = chunks(Text("a"), Text("b"), Finish(0, "stop", "end"), stamp=PLAIN_STAMP)
    assert [choice["text"] for one in found for choice in one["choices"]] == ["a", "b", ""]
    assert whole(Text("a"), Text("b"), stamp=PLAIN_STAMP)["choices"][0]["text"] == "ab"
