"""What Gemini's replies say: text, thoughts, calls, sources, counts and ends."""

import json

import pytest
from tests.providers.gemini_asking import HELLO, contents
from tests.providers.gemini_saying import ADAPTER, both, only, reply, saying, stream, whole
from tests.providers.reading import finishes, text, usage

from infway.api.pieces import Message
from infway.kernel.events import (
    Detail,
    Facts,
    Finish,
    Image,
    Logprobs,
    Reasoning,
    Text,
    ToolCall,
    Usage,
)

OURS = {"format": "google-gemini-v1"}


def call(name: str = "look", args: object = None, **said) -> dict:
    return {"functionCall": {"name": name, **({} if args is None else {"args": args})}, **said}


def test_text_ends_with_a_finish_and_the_usage():
    assert both(reply(saying({"text": "Hi"}))) == [
        Text("Hi"),
        Finish(0, "stop", "STOP"),
        Usage(3, 2, 5),
    ]


def test_thoughts_are_reasoning_and_a_signed_block_is_an_item():
    thought = {"text": "Hm.", "thought": True}
    events = both(reply(saying(thought, {**thought, "thoughtSignature": "s"}, {"text": "Hi"})))
    item = {"type": "reasoning.text", "text": "Hm.Hm.", "signature": "s", **OURS}
    assert events[:4] == [Reasoning("Hm."), Reasoning("Hm."), Detail(item), Text("Hi")]
    unsigned = both(reply(saying(thought, {"text": "Hi"})))
    assert unsigned[:2] == [Reasoning("Hm."), Text("Hi")]


def test_the_signature_of_a_text_may_come_on_an_empty_one():
    hidden = Detail({"type": "reasoning.encrypted", "data": "s", **OURS})
    together = both(reply(saying({"text": "Hi", "thoughtSignature": "s"})))
    apart = both(reply(saying({"text": "Hi"}, {"text": "", "thoughtSignature": "s"})))
    assert together[:2] == apart[:2] == [Text("Hi"), hidden]


def test_calls_are_whole_and_numbered_and_have_ids():
    events = both(reply(saying(call(args={"at": 1.5}), call("hear"), call("look"))))
    calls = only(ToolCall, events)
    assert [(one.position, one.name, one.arguments) for one in calls] == [
        (0, "look", '{"at":1.5}'),
        (1, "hear", "{}"),
        (2, "look", "{}"),
    ]
    assert [one.id for one in calls] == ["call_0_r-1", "call_1_r-1", "call_2_r-1"]
    assert finishes(events) == [Finish(0, "tool_calls", "STOP")]


def test_an_id_that_gemini_gives_is_kept_and_an_odd_reply_id_makes_no_odd_id():
    [kept] = only(ToolCall, both(reply(saying({"functionCall": {"name": "f", "id": "x1"}}))))
    assert kept.id == "x1"
    [made] = only(ToolCall, both(reply(saying(call()), responseId='a"/\n' + "b" * 99)))
    assert made.id == "call_0_" + "b" * 40


def test_the_spelling_of_arguments_is_kept():
    raw = '{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{ "n": 1.50,\n'
    raw += '"big": 123456789012345678901234567890, "s": "a\\u0041 b" }}}]},"finishReason":"STOP"}]}'
    [one] = only(ToolCall, ADAPTER.whole(raw.encode()))
    assert one.arguments == '{"n":1.50,"big":123456789012345678901234567890,"s":"a\\u0041 b"}'


def test_calls_in_several_frames_go_on_counting():
    first = reply(saying(call("a"), finish=None))
    events = stream(first, reply(saying(call("b"))))
    assert [(one.position, one.name) for one in only(ToolCall, events)] == [(0, "a"), (1, "b")]


def test_the_signature_of_a_call_is_said_twice_for_two_kinds_of_clients():
    events = both(reply(saying(call(thoughtSignature="s"))))
    assert only(ToolCall, events)[0].signature == "s"
    item = {"type": "reasoning.encrypted", "data": "s", "id": "call_0_r-1", **OURS}
    assert only(Detail, events) == [Detail(item)]


def test_what_a_reply_says_can_be_given_back_as_it_was():
    parts = [
        {"text": "Hm.", "thought": True, "thoughtSignature": "s1"},
        {"text": "Let me look.", "thoughtSignature": "s2"},
        {"functionCall": {"id": "c1", "name": "look", "args": {"at": 1}}, "thoughtSignature": "s3"},
        {"functionCall": {"id": "c2", "name": "look", "args": {"at": 2}}},
    ]
    message = Message()
    for event in both(reply(saying(*parts))):
        if not isinstance(event, Usage):
            message.add(event)
    answers = [{"role": "tool", "tool_call_id": id_, "content": "x"} for id_ in ("c1", "c2")]
    given = message.object()
    assert contents(HELLO, given, *answers)[1] == {"role": "model", "parts": parts}
    for call_ in given["tool_calls"]:
        call_.pop("extra_content", None)
    assert contents(HELLO, given, *answers)[1] == {"role": "model", "parts": parts}


def test_googles_own_tools_are_neither_text_nor_calls():
    used = [
        {"executableCode": {"language": "PYTHON", "code": "1+1"}, "thoughtSignature": "s"},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "2\n"}},
        {"toolCall": {"id": "t", "toolType": "GOOGLE_SEARCH_WEB"}},
        {"toolResponse": {"id": "t", "response": {}}},
    ]
    events = both(reply(saying(*used, {"text": "2"})))
    assert text(events) == "2"
    assert only(ToolCall, events) == []
    assert [json.loads(one.item["data"]) for one in only(Detail, events)] == used
    assert finishes(events)[0].reason == "stop"


def test_pictures_are_data_uris_and_drafts_and_sounds_are_left_out():
    png = {"inlineData": {"mimeType": "image/png", "data": "iVBO"}}
    sound = {"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": "AAAA"}}
    stored = {"fileData": {"mimeType": "image/png", "fileUri": "gs://b/x.png"}}
    events = both(reply(saying({**png, "thought": True}, sound, png, stored)))
    assert events[:2] == [Image("data:image/png;base64,iVBO"), Image("gs://b/x.png")]
    assert not only(Detail, events)


def test_several_candidates_are_several_choices():
    first = saying({"text": "a"})
    events = both(reply(first, saying({"text": "b"}, finish="MAX_TOKENS", index=1)))
    assert (text(events, 0), text(events, 1)) == ("a", "b")
    assert finishes(events) == [Finish(0, "stop", "STOP"), Finish(1, "length", "MAX_TOKENS")]
    unnumbered = both(reply(first, saying(call()), saying({"text": "c"}, index=0)))
    assert (text(unnumbered, 1), text(unnumbered, 0)) == ("a", "c")
    assert [one.index for one in only(ToolCall, unnumbered)] == [2]


def test_choices_of_a_stream_come_in_any_order():
    def piece(word: str, index: int, finish: str | None) -> dict:
        return reply(saying({"text": word}, finish=finish, index=index))

    events = stream(piece("a", 1, None), piece("b", 0, "STOP"), piece("c", 1, "STOP"))
    assert (text(events, 0), text(events, 1)) == ("b", "ac")
    assert [one.index for one in finishes(events)] == [0, 1]


def test_probabilities_of_tokens_are_told():
    result = {
        "chosenCandidates": [{"token": "é", "tokenId": 1, "logProbability": -0.5}, {"token": "!"}],
        "topCandidates": [{"candidates": [{"token": "e", "logProbability": -2}]}],
    }
    [probable] = only(Logprobs, both(reply(saying({"text": "é!"}, logprobsResult=result))))
    other = {"token": "e", "logprob": -2, "bytes": [101]}
    assert probable.tokens == [
        {"token": "é", "logprob": -0.5, "bytes": [195, 169], "top_logprobs": [other]},
        {"token": "!", "logprob": 0.0, "bytes": [33], "top_logprobs": []},
    ]


def test_usage_has_all_its_parts():
    counted = {
        "promptTokenCount": 100, "cachedContentTokenCount": 40, "toolUsePromptTokenCount": 11,
        "candidatesTokenCount": 20, "thoughtsTokenCount": 30, "totalTokenCount": 161,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": 93}, {"modality": "AUDIO", "tokenCount": 7},
        ],
        "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 5}],
    }  # fmt: skip
    assert usage(both(reply(saying(), usage=counted))) == Usage(
        111, 50, 161, cached=40, reasoning=30, audio_input=7, audio_output=5
    )


@pytest.mark.parametrize(
    "counted", [{"promptTokenCount": 10**12}, {"trafficType": "ON_DEMAND"}, {}, None]
)
def test_counts_that_say_nothing_are_none(counted: dict | None):
    assert usage(both(reply(saying({"text": "x"}), usage=counted))) is None


def test_counts_that_make_no_sense_do_no_harm():
    odd = {"promptTokenCount": -5, "candidatesTokenCount": "x", "promptTokensDetails": [1, {}]}
    assert usage(both(reply(saying({"text": "x"}), usage=odd))) == Usage(0, 0, 0)


def test_the_last_counts_are_right():
    early, late = {"promptTokenCount": 3, "totalTokenCount": 3}, {"trafficType": "ON_DEMAND"}
    events = stream(
        reply(saying({"text": "a"}, finish=None), usage=early),
        reply(saying({"text": "b"})),
        reply(usage=late),
    )
    assert usage(events) == Usage(3, 2, 5)
    assert events[-1] == Usage(3, 2, 5)


@pytest.mark.parametrize(
    ("counted", "tier"),
    [
        ({"serviceTier": "standard"}, "default"),
        ({"serviceTier": "priority"}, "priority"),
        ({"trafficType": "ON_DEMAND_FLEX"}, "flex"),
        ({"trafficType": "PROVISIONED_THROUGHPUT"}, "scale"),
    ],
)
def test_the_tier_is_told_once(counted: dict, tier: str):
    frames = [reply(saying({"text": "x"}, finish=end), usage=counted) for end in (None, "STOP")]
    for events in (whole(frames[1]), stream(*frames)):
        assert only(Facts, events) == [Facts({"service_tier": tier})]


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("STOP", "stop"), (1, "stop"), ("MAX_TOKENS", "length"), ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"), ("PROHIBITED_CONTENT", "content_filter"),
        ("IMAGE_SAFETY", "content_filter"), ("OTHER", "error"), ("UNHEARD_OF", "stop"),
        ("MALFORMED_FUNCTION_CALL", "error"), ("TOO_MANY_TOOL_CALLS", "error"),
    ],
)  # fmt: skip
def test_every_end_has_a_reason(word: str | int, reason: str):
    assert finishes(both(reply({"finishReason": word}))) == [Finish(0, reason, str(word))]


def test_a_call_cut_short_is_no_call_to_make():
    assert finishes(both(reply(saying(call(), finish="MAX_TOKENS"))))[0].reason == "length"
    assert finishes(both(reply(saying(call(), finish="UNEXPECTED_TOOL_CALL"))))[0].reason == "error"
