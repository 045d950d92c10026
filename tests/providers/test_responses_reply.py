"""What OpenAI Responses answers, whole and streamed, and however often it says the same."""

import json

import pytest
from tests.providers.reading import broken, finishes
from tests.providers.responses_saying import (
    ADAPTER,
    added,
    call,
    calls,
    delta,
    done,
    end,
    event,
    heard,
    kept,
    message,
    response,
    said,
    thinking,
    whole,
)

from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Image, Reasoning, Refusal
from infway.kernel.faults import Fault

CREATED = event("response.created", response={"id": "resp_12345678", "output": []})
REFUSED = {**message(), "content": [{"type": "refusal", "refusal": "I will not."}]}


def test_a_whole_reply_says_its_items_in_their_order():
    events = whole(thinking("Hm."), message("Wait."), call("look", '{"a":1}'), message("Now."))
    assert said(events) == "Wait.Now."
    assert said(events, Reasoning) == "Hm."
    assert calls(events) == [("call_1", "look", '{"a":1}')]
    assert [one.reason for one in finishes(events)] == ["tool_calls"]


def test_a_stream_of_pieces_says_everything_once():
    item, made = message("Hello"), call("look", '{"a":1}')
    events = heard(
        CREATED,
        added(item),
        delta("output_text", "Hel", content_index=0),
        delta("output_text", "lo", content_index=0),
        event("response.output_text.done", output_index=0, content_index=0, text="Hello"),
        done(item),
        added(made, 1),
        delta("function_call_arguments", '{"a"', 1),
        delta("function_call_arguments", ":1}", 1),
        event("response.function_call_arguments.done", output_index=1, arguments='{"a":1}'),
        done(made, 1),
        end(item, made),
    )
    assert said(events) == "Hello"
    assert calls(events) == [("call_1", "look", '{"a":1}')]
    assert broken(events) is None


ITEM = message("Hello")
TOLD = event("response.output_text.done", output_index=0, content_index=0, text="Hello")


@pytest.mark.parametrize(
    "frames",
    [
        [end(ITEM)],
        [added(ITEM), done(ITEM), end()],
        [added(ITEM), TOLD, end()],
        [added(ITEM), TOLD, done(ITEM), end(ITEM)],
        [TOLD, end(ITEM)],
        [delta("output_text", "Hel"), end(ITEM)],
        [delta("output_text", "Hel"), TOLD, end(ITEM)],
        [delta("output_text", "Hello", content_index=1), done(ITEM), end(ITEM)],
        [
            delta("output_text", "Hello", item_id="msg_9"),
            done(ITEM),
            end(message("Hello", id_="x")),
        ],
        [event("response.output_text.delta", delta="Hello"), end(ITEM)],
        [event("response.output_text.delta", delta="Hello", item_id="a"), end(ITEM)],
    ],
)
def test_a_text_is_said_once_however_the_server_says_it(frames: list[bytes]):
    events = heard(*frames)
    assert said(events) == "Hello"
    assert [one.reason for one in finishes(events)] == ["stop"]


MADE = call("look", '{"a":1}')
ARGUMENTS = event("response.function_call_arguments.done", output_index=0, arguments='{"a":1}')


@pytest.mark.parametrize(
    "frames",
    [
        [end(MADE)],
        [added(MADE), done(MADE), end()],
        [added(MADE), ARGUMENTS, end()],
        [added({**MADE, "name": ""}), ARGUMENTS, done(MADE), end(MADE)],
        [ARGUMENTS, done(MADE), end()],
        [added(MADE), delta("function_call_arguments", '{"a"'), end(MADE)],
        [added(MADE), added(MADE), delta("function_call_arguments", '{"a":1}'), end()],
        [added(MADE), delta("function_call_arguments", '{"a":1}'), done(MADE), end(MADE, ITEM)],
    ],
)
def test_a_call_is_made_once_however_the_server_says_it(frames: list[bytes]):
    events = heard(*frames)
    assert calls(events) == [("call_1", "look", '{"a":1}')]
    assert [one.reason for one in finishes(events)] == ["tool_calls"]


def test_what_contradicts_the_pieces_is_not_said_after_them():
    events = heard(delta("output_text", "Hello"), done(message("Good day")), end(message("Bye")))
    assert said(events) == "Hello"


def test_calls_count_from_nought_in_the_order_they_come():
    one, other = call("a", "{}", "c1"), call("b", "", "c2")
    events = heard(added(ITEM), done(ITEM), added(one, 1), added(other, 2), done(other, 2), end())
    assert calls(events) == [("c1", "a", "{}"), ("c2", "b", "{}")]


def test_a_call_without_an_id_gets_one_of_its_own():
    nameless = {"type": "function_call", "name": "look", "arguments": {"a": 1}}
    assert calls(whole(nameless, nameless)) == [
        ("call_0_12345678", "look", '{"a":1}'),
        ("call_1_12345678", "look", '{"a":1}'),
    ]
    assert calls(heard(CREATED, added(nameless), end()))[0][0] == "call_0_12345678"
    assert calls(whole({**nameless, "id": "fc_1"}))[0][0] == "fc_1"


def test_free_text_for_a_tool_is_an_object_with_one_key():
    item = {"type": "custom_tool_call", "call_id": "c", "name": "sum", "input": '4 + "4"'}
    expected = [("c", "sum", '{"input":"4 + \\"4\\""}')]
    assert calls(whole(item)) == expected
    pieces = [delta("custom_tool_call_input", "4 +"), done(item)]
    assert calls(heard(added({**item, "input": ""}), *pieces, end(item))) == expected


@pytest.mark.parametrize(
    "kind", ["web_search_call", "code_interpreter_call", "mcp_call", "computer_call", "unheard_of"]
)
def test_what_the_servers_own_tools_do_is_neither_text_nor_a_call(kind: str):
    item = {"type": kind, "id": "x", "name": "n", "arguments": "{}", "code": "1", "result": "r"}
    other = delta("mcp_call_arguments", "{}") + delta("code_interpreter_call_code", "1")
    for events in (whole(item, ITEM), heard(added(item), other, done(item), end(item, ITEM))):
        assert said(events) == "Hello"
        assert calls(events) == []
        assert [one.reason for one in finishes(events)] == ["stop"]


def test_a_picture_is_passed_on():
    item = {"type": "image_generation_call", "id": "ig", "result": "aGk=", "output_format": "webp"}
    expected = [Image("data:image/webp;base64,aGk=")]
    for events in (whole(item), heard(added(item), done(item), end(item))):
        assert [one for one in events if isinstance(one, Image)] == expected


def test_a_refusal_is_no_text():
    streamed = heard(delta("refusal", "I will "), delta("refusal", "not."), end(REFUSED))
    for events in (whole(REFUSED), streamed):
        assert said(events, Refusal) == "I will not."
        assert said(events) == ""
        assert [one.reason for one in finishes(events)] == ["stop"]


def test_reasoning_is_said_in_paragraphs_and_kept_for_the_next_turn():
    item = thinking("One.", "Two.", encrypted_content="gAAA")
    streamed = heard(
        added(item),
        delta("reasoning_summary_text", "On", summary_index=0),
        delta("reasoning_summary_text", "e.", summary_index=0),
        delta("reasoning_summary_text", "Two.", summary_index=1),
        done(item),
        end(item, ITEM),
    )
    for events in (whole(item, ITEM), streamed):
        assert said(events, Reasoning) == "One.\n\nTwo."
        known = {"format": "openai-responses-v1", "id": "rs_1"}
        assert kept(events) == [
            {"type": "reasoning.summary", "summary": "One.", **known},
            {"type": "reasoning.summary", "summary": "Two.", **known},
            {"type": "reasoning.encrypted", "data": "gAAA", **known},
        ]


def test_the_reasoning_of_an_open_model_is_said_and_its_summary_is_not_said_beside_it():
    item = thinking("Short.", content=[{"type": "reasoning_text", "text": "Long."}])
    streamed = heard(
        added(item), delta("reasoning_text", "Long.", content_index=0), done(item), end()
    )
    for events in (whole(item), streamed):
        assert said(events, Reasoning) == "Long."
        assert [one["type"] for one in kept(events)] == ["reasoning.summary", "reasoning.text"]


def test_events_without_names_or_types_are_known_by_the_other():
    named = heard(added(ITEM), delta("output_text", "Hello"), done(ITEM), end(ITEM))
    bare = b"".join([added(ITEM), delta("output_text", "Hello"), done(ITEM), end(ITEM)])
    only_data = b"".join(line + b"\n\n" for line in bare.split(b"\n") if line.startswith(b"data"))
    assert heard(only_data) == named
    plain = json.dumps({"output_index": 0, "delta": "Hello"}).encode()
    typeless = b"event: response.output_text.delta\ndata: " + plain + b"\n\n"
    assert said(heard(typeless, end(ITEM))) == "Hello"


def test_a_reply_without_any_item_is_none():
    with pytest.raises(UpstreamFailed) as caught:
        whole()
    assert caught.value.failure.fault is Fault.EMPTY_CHOICES
    last = broken(heard(CREATED, end()))
    assert last is not None
    assert last.failure.fault is Fault.EMPTY_CHOICES


def test_a_body_of_another_kind_is_no_reply():
    for body in (b'{"choices": [{}]}', json.dumps({**response(), "output": "x"}).encode()):
        with pytest.raises(UpstreamFailed):
            ADAPTER.whole(body)
