"""Messages as typed parts: what each spelling of clients means, and that nothing goes unlisted."""

import msgspec
import pytest
from tests.providers.conversing import HELLO, answered, called, calling, parts, talk, unplaced
from tests.wall.asking import ask, upstream

from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Fault
from infway.providers.conversation.parts import CallPart, ResultPart, TextPart, ThoughtPart
from infway.providers.conversation.reading import read

MARK = {"type": "ephemeral"}


def test_roles_are_four_and_places_are_those_of_the_request():
    said = talk(
        {"role": "developer", "content": "a"},
        {"role": "system", "content": "b"},
        HELLO,
        {"role": "assistant", "content": "c"},
        answered("d", tool_call_id="x"),
        {"role": "function", "name": "f", "content": "e"},
    ).messages
    assert [(one.role, one.place) for one in said] == [
        ("system", 0), ("system", 1), ("user", 2), ("assistant", 3), ("tool", 4), ("tool", 5),
    ]  # fmt: skip


@pytest.mark.parametrize("content", ["", None, []])
def test_an_empty_message_has_no_parts(content: object):
    assert parts({"role": "assistant", "content": content}) == [[]]


def test_text_keeps_its_cache_marker_wherever_it_stands():
    one = {"role": "user", "content": "a", "cache_control": MARK}
    two = {"role": "user", "content": [{"type": "text", "text": "b", "cache_control": MARK},
                                       {"type": "text", "text": "c"}]}  # fmt: skip
    three = {"role": "user", "content": [{"type": "text", "text": "d"}, {"type": "text", "text": "e"}],
             "cache_control": {**MARK, "ttl": "1h"}}  # fmt: skip
    assert parts(one, two, three) == [
        [TextPart("a", "5m")],
        [TextPart("b", "5m"), TextPart("c")],
        [TextPart("d"), TextPart("e", "1h")],
    ]


def test_an_empty_text_says_nothing_and_its_marker_is_listed():
    empty = {"type": "text", "text": ""}
    said = talk({"role": "user", "content": [{"type": "text", "text": "a"}, empty]})
    assert [[unplaced(part) for part in one.parts] for one in said.messages] == [[TextPart("a")]]
    assert said.dropped() == ()
    marked = talk({"role": "user", "content": [{**empty, "cache_control": MARK}]})
    assert marked.dropped() == ("messages[0].content[0].cache_control",)


def test_a_refusal_is_what_the_assistant_said():
    said = {"role": "assistant", "content": "a", "refusal": "No."}
    part = {"role": "assistant", "content": [{"type": "refusal", "refusal": "Never."}]}
    assert parts(said, part) == [[TextPart("a"), TextPart("No.")], [TextPart("Never.")]]


def test_a_name_is_kept_unless_it_only_repeats_that_of_the_call():
    said = talk(
        {**HELLO, "name": "Ada"},
        calling(called("add", id_="c1"), called("sub", id_="c2")),
        answered("1", tool_call_id="c1", name="add"),
        answered("2", tool_call_id="c2", name="other"),
    ).messages
    assert [one.name for one in said] == ["Ada", None, None, "other"]


def test_results_know_the_name_of_their_call():
    *_, last = parts(calling(called("add", id_="c1")), answered("5", tool_call_id="c1"))
    assert last == [ResultPart("c1", "add", (TextPart("5"),))]


def test_a_result_without_an_id_answers_the_first_open_call():
    read_ = parts(
        calling(called("old", id_="c0")),
        calling(called("add"), called("sub"), called("add")),
        answered("1"),
        answered("2"),
        answered("3", name="add"),
        answered("4"),
    )
    ids = [part.id for one in read_[1:2] for part in one]
    assert [part.id for one in read_[2:] for part in one] == [*ids, ""]
    assert len(set(ids)) == 3


def test_legacy_functions_are_calls_and_results():
    read_ = parts(
        {
            "role": "assistant",
            "content": None,
            "function_call": {"name": "f", "arguments": '{"a":1}'},
        },
        {"role": "function", "name": "f", "content": "one"},
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "two"},
    )
    assert read_[0] == [CallPart("legacy_0", "f", {"a": 1}, '{"a":1}')]
    assert read_[1] == [ResultPart("legacy_0", "f", (TextPart("one"),))]
    assert read_[3] == [ResultPart("legacy_2", "f", (TextPart("two"),))]


def test_results_hold_parts_and_markers():
    image = {"type": "image_url", "image_url": {"url": "https://x/y.png"}}
    said = answered([{"type": "text", "text": "see"}, image], tool_call_id="c", cache_control=MARK)
    ((result,),) = parts(said)
    assert isinstance(result, ResultPart)
    assert [type(part).__name__ for part in result.parts] == ["TextPart", "MediaPart"]
    assert [part.cache for part in result.parts] == [None, None]
    assert result.cache == "5m"


@pytest.mark.parametrize(
    ("sent", "arguments"),
    [("", {}), ("  ", {}), ("{}", {}), ('{"a": [1, "ü"]}', {"a": [1, "ü"]})],
)
def test_arguments_are_read_as_an_object(sent: str, arguments: dict):
    ((call,),) = parts(calling(called("f", sent, "c")))
    assert isinstance(call, CallPart)
    assert (call.arguments, call.is_odd) == (arguments, False)
    assert call.raw == (sent or "{}")


@pytest.mark.parametrize(
    ("sent", "value"),
    [("{", "{"), ("[1]", [1]), ("null", "null"), ('"x"', "x"), ('{"a":1} x', '{"a":1} x'),
     ("[" * 5000, "[" * 5000), ("1e999", "1e999")],
)  # fmt: skip
def test_arguments_that_are_no_object_are_odd_and_kept(sent: str, value: object):
    ((call,),) = parts(calling(called("f", sent, "c")))
    assert isinstance(call, CallPart)
    assert (call.arguments, call.raw, call.is_odd) == ({"arguments": value}, sent, True)


def test_signatures_of_calls_are_found_in_both_spellings():
    google = {"google": {"thought_signature": "one"}}
    details = [{"type": "reasoning.encrypted", "data": "two", "id": "c2", "format": "google-gemini-v1"},
               {"type": "reasoning.encrypted", "data": "no", "id": "c3", "format": "other"}]  # fmt: skip
    calls = [{**called("f", id_="c1"), "extra_content": google}, called("f", id_="c2"),
             called("f", id_="c3")]  # fmt: skip
    ((*_, first, second, third),) = parts(calling(*calls, reasoning_details=details))
    assert [getattr(one, "signature", "") for one in (first, second, third)] == ["one", "two", None]


def test_a_call_that_is_no_functions_cannot_be_said():
    with pytest.raises(UpstreamFailed) as caught:
        talk(calling({"id": "c", "type": "custom", "custom": {"name": "x", "input": "y"}}))
    assert caught.value.failure.fault is Fault.UNTRANSLATABLE
    assert caught.value.failure.param == "messages[0].tool_calls[0].type"


def test_reasoning_comes_back_from_every_spelling():
    text = {
        "type": "reasoning.text",
        "text": "hm",
        "signature": "s",
        "format": "anthropic-claude-v1",
    }
    hidden = {
        "type": "reasoning.encrypted",
        "data": "d",
        "id": "i",
        "format": "openai-responses-v1",
    }
    short = {"type": "reasoning.summary", "summary": "in short"}
    blocks = [{"type": "thinking", "thinking": "hm", "signature": "s"},
              {"type": "redacted_thinking", "data": "d"}]  # fmt: skip
    mistral = {"type": "thinking", "thinking": [{"type": "text", "text": "h"}, {"text": "m"}]}
    signed = ThoughtPart("text", "hm", "s", format="anthropic-claude-v1")
    sealed = ThoughtPart("encrypted", data="d", format="anthropic-claude-v1")
    bot = {"role": "assistant", "content": None}
    assert parts(
        {**bot, "reasoning_details": [text, hidden, short], "reasoning": "hm"},
        {**bot, "thinking_blocks": blocks, "reasoning_content": "hm"},
        {**bot, "content": [*blocks, {"type": "text", "text": "a"}]},
        {**bot, "content": [mistral]},
        {**bot, "reasoning_content": "plain"},
        {**bot, "reasoning": "plain"},
    ) == [
        [signed, ThoughtPart("encrypted", data="d", id="i", format="openai-responses-v1"),
         ThoughtPart("summary", "in short")],
        [signed, sealed],
        [signed, sealed, TextPart("a")],
        [ThoughtPart("text", "hm")],
        [ThoughtPart("text", "plain")],
        [ThoughtPart("text", "plain")],
    ]  # fmt: skip


def test_what_no_part_holds_is_listed():
    said = talk(
        {"role": "assistant", "content": "a", "audio": {"id": "x"}, "annotations": [{}],
         "tool_calls": [{**called("f", id_="c"), "cache_control": MARK}]},
        {"role": "user", "content": [
            {"type": "text", "text": "b", "mood": "good"},
            {"type": "image_url", "image_url": {"url": "https://x/y.png", "format": "png"}},
            {"type": "file", "file": {"file_id": "f", "format": "pdf"}}]},
        {"role": "user", "content": "c", "images": ["x"]},
        {"role": "assistant", "content": "", "cache_control": MARK},
        tools=[{"type": "function", "function": {"name": "f", "returns": {"a": 1}}, "group": "g"}],
        functions=[{"name": "f", "rank": 1}],
        reasoning={"effort": "low", "exclude": True},
        thinking={"type": "enabled", "clear_thinking": True},
        response_format={"type": "json_object", "depth": 3},
    )  # fmt: skip
    assert said.dropped() == (
        "functions[0].rank",
        "messages[0].annotations",
        "messages[0].audio",
        "messages[0].tool_calls[0].cache_control",
        "messages[1].content[0].mood",
        "messages[1].content[1].image_url.format",
        "messages[1].content[2].file.format",
        "messages[2].images",
        "messages[3].cache_control",
        "reasoning.exclude",
        "response_format.depth",
        "thinking.clear_thinking",
        "tools[0].function.returns",
        "tools[0].group",
    )


@pytest.mark.parametrize(
    ("said", "lost"),
    [
        ({"reasoning_details": "deep"}, "reasoning_details"),
        ({"reasoning_details": [{"type": "reasoning.text", "text": "a"}, 7]}, "reasoning_details[1]"),
        ({"thinking_blocks": {"type": "thinking"}}, "thinking_blocks"),
        ({"reasoning_content": ["a"]}, "reasoning_content"),
        ({"cache_control": "ephemeral"}, "cache_control"),
        ({"cache_control": {"type": "ephemeral", "ttl": 300}}, "cache_control.ttl"),
        ({"content": [{"type": "text", "text": "a", "cache_control": True}]},
         "content[0].cache_control"),
        ({"tool_calls": [{**called("f", id_="c"), "extra_content": "x"}]},
         "tool_calls[0].extra_content"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_of_a_wrong_kind_is_listed(said: dict, lost: str):
    talked = talk(HELLO, {"role": "assistant", "content": "a", **said})
    assert talked.dropped() == (f"messages[1].{lost}",)


@pytest.mark.parametrize(
    ("said", "lost"),
    [({"description": 7}, "description"), ({"parameters": []}, None), ({"strict": "yes"}, "strict"),
     ({"parameters": "{}"}, "parameters"), ({"cache_control": 1}, "cache_control")],
    ids=str,
)  # fmt: skip
def test_a_function_whose_words_are_of_a_wrong_kind_is_listed(said: dict, lost: str | None):
    function = {"name": "f", **said}
    talked = talk(tools=[{"type": "function", "function": function}], functions=[function])
    paths = [] if lost is None else [f"functions[0].{lost}", f"tools[0].function.{lost}"]
    assert talked.dropped() == tuple(paths)


def test_what_says_nothing_is_not_listed():
    said = {"role": "assistant", "content": "a", "annotations": [], "audio": None, "images": [],
            "prefix": True, "tool_calls": []}  # fmt: skip
    assert (
        talk(HELLO, said, tools=[{"type": "function", "function": {"name": "f"}}]).dropped() == ()
    )


def test_fields_nobody_takes_are_dropped_and_so_is_what_the_row_drops():
    said = talk(seed=1, top_k=2, source=upstream(drop=frozenset({"seed", "user"})))
    assert said.dropped() == ("seed", "top_k")
    assert said.take("seed") is None
    assert said.take("top_k") == 2
    assert said.dropped() == ("seed",)


@pytest.mark.parametrize("value", [b"1e999", b"[1e999]"])
def test_a_field_no_reader_can_hold_is_dropped(value: bytes):
    fields = {"messages": [HELLO], "odd": msgspec.Raw(value)}
    assert read(ask(fields=fields), upstream()).dropped() == ("odd",)


def test_messages_no_reader_can_hold_are_refused():
    fields = {"messages": msgspec.Raw(b'[{"role":"user","content":"x","n":1e999}]')}
    with pytest.raises(UpstreamFailed) as caught:
        read(ask(fields=fields), upstream())
    assert caught.value.failure.fault is Fault.UNTRANSLATABLE
