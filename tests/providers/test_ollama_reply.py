"""What Ollama's replies say, whole and line by line, and what its errors mean."""

import json

import pytest
from tests.providers.reading import broken, decode, finishes, pieces, text, usage

from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Finish, Image, Logprobs, Reasoning, ToolCall, Usage
from infway.kernel.faults import Fault
from infway.providers.ollama.adapter import Ollama

ADAPTER = Ollama()
WHEN = "2025-08-20T13:48:02.5Z"


def line(done: bool = False, message: dict | None = None, **said: object) -> dict:
    spoken = {"role": "assistant", "content": "", **(message or {})}
    return {"model": "m", "created_at": WHEN, "message": spoken, "done": done, **said}


def end(reason: str | None = "stop", **said: object) -> dict:
    return line(done=True, done_reason=reason, **said)


def stream(*lines: dict) -> bytes:
    return "".join(json.dumps(one) + "\n" for one in lines).encode()


def heard(*lines: dict, size: int = 10**6) -> list:
    return decode(ADAPTER.decoder(), pieces(stream(*lines), size))


def whole(one: dict) -> list:
    return ADAPTER.whole(json.dumps(one).encode())


def of(kind: type, events: list) -> list:
    return [one for one in events if isinstance(one, kind)]


def test_thoughts_are_reasoning_and_content_is_text():
    events = heard(
        line(message={"thinking": "Hm"}),
        line(message={"thinking": "."}),
        line(message={"content": "Hi"}),
        end(),
    )
    assert [one.text for one in of(Reasoning, events)] == ["Hm", "."]
    assert text(events) == "Hi"
    assert text(whole(end(message={"thinking": "Hm.", "content": "Hi"}))) == "Hi"


CALL = {"function": {"index": 0, "name": "w", "arguments": {"city": "Oslo", "days": 2.0}}}
SAID = '{"city":"Oslo","days":2.0}'


def test_calls_come_whole_and_end_the_turn():
    events = heard(
        line(message={"tool_calls": [{**CALL, "id": "call_a"}]}),
        line(message={"tool_calls": [{**CALL, "id": "call_b"}]}),
        end(),
    )
    assert of(ToolCall, events) == [
        ToolCall(0, SAID, "call_a", "w"),
        ToolCall(1, SAID, "call_b", "w"),
    ]
    assert finishes(events) == [Finish(0, "tool_calls", "stop")]


def test_calls_without_ids_get_the_same_ones_each_time_they_are_read():
    said = end(message={"tool_calls": [CALL, CALL]})
    ids = [one.id for one in of(ToolCall, whole(said))]
    assert len(set(ids)) == 2
    assert ids == [one.id for one in of(ToolCall, heard(said, size=3))]
    assert ids[0].startswith("call_0_2025")


@pytest.mark.parametrize(
    ("arguments", "said"), [(None, "{}"), ({}, "{}"), ('{"a": 1}', '{"a": 1}'), ("", "{}")]
)
def test_odd_arguments_are_an_object_all_the_same(arguments: object, said: str):
    call = {"function": {"name": "w", "arguments": arguments}}
    (found,) = of(ToolCall, whole(end(message={"tool_calls": [call]})))
    assert found.arguments == said


@pytest.mark.parametrize(
    ("native", "reason"),
    [("stop", "stop"), ("length", "length"), ("load", "stop"), ("unload", "stop"), (None, "stop")],
)
def test_every_end_has_a_reason_of_openais(native: str | None, reason: str):
    assert finishes(heard(line(message={"content": "Hi"}), end(native))) == [
        Finish(0, reason, native)
    ]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"prompt_eval_count": 30, "eval_count": 12}, Usage(30, 12, 42)),
        ({"eval_count": 12}, Usage(0, 12, 12)),
        ({"prompt_eval_count": "many", "eval_count": -1}, None),
        ({"prompt_eval_count": 10**12, "eval_count": True}, None),
        ({}, None),
    ],
)
def test_tokens_are_those_that_were_evaluated(counts: dict, expected: Usage | None):
    assert usage(whole(end(**counts))) == expected
    assert usage(heard(line(message={"content": "Hi"}), end(**counts))) == expected


def test_probabilities_are_passed_on():
    tops = [{"token": "H", "logprob": -0.1}, {"token": "é", "logprob": -2}]
    said = [{"token": "H", "logprob": -0.1, "top_logprobs": tops}]
    (found,) = of(Logprobs, heard(line(message={"content": "H"}, logprobs=said), end()))
    assert found.tokens == [
        {
            "token": "H",
            "logprob": -0.1,
            "bytes": [72],
            "top_logprobs": [
                {"token": "H", "logprob": -0.1, "bytes": [72]},
                {"token": "é", "logprob": -2, "bytes": [195, 169]},
            ],
        }
    ]


def test_pictures_are_data_uris():
    found = of(Image, whole(end(message={"images": ["iVBORw0K", "/9j/4AAQ"]})))
    assert [one.url for one in found] == [
        "data:image/png;base64,iVBORw0K",
        "data:image/jpeg;base64,/9j/4AAQ",
    ]


def test_a_last_line_without_its_end_is_read_all_the_same():
    data = stream(line(message={"content": "Hi"}), end()).rstrip()
    for size in (1, 9, 1000):
        events = decode(ADAPTER.decoder(), pieces(data, size))
        assert text(events) == "Hi"
        assert broken(events) is None


def test_an_error_ends_a_stream():
    events = heard(line(message={"content": "Hi"}), {"error": "the runner has stopped"}, end())
    assert text(events) == "Hi"
    failure = broken(events).failure
    assert (failure.fault, failure.message) == (Fault.INBAND_ERROR, "the runner has stopped")


def test_an_error_in_place_of_a_reply_is_named():
    said = {"error": {"message": "prompt too long; exceeded max context length by 6 tokens"}}
    assert broken(heard(said)).failure.fault is Fault.CONTEXT_LENGTH
    unended = decode(ADAPTER.decoder(), [json.dumps(said).encode()])
    assert broken(unended).failure.fault is Fault.CONTEXT_LENGTH
    with pytest.raises(UpstreamFailed) as caught:
        whole(said)
    assert caught.value.failure.fault is Fault.CONTEXT_LENGTH


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (stream(line(message={"content": "Hi"})), Fault.STREAM_CUT),
        (stream(line(message={"content": "Hi"})).rstrip(), Fault.STREAM_CUT),
        (stream(line()), Fault.EMPTY_STREAM),
        (b"", Fault.EMPTY_STREAM),
        (b"{]\n", Fault.BAD_EVENT),
        (b'{"message":{"content":"\xff"}}\n', Fault.BAD_EVENT),
        (b'{"message":{"tool_calls":[{"function":{"arguments":[]}}]}}\n', Fault.BAD_EVENT),
        (b"x" * 5_000_000, Fault.TOO_LARGE),
    ],
)
def test_a_stream_that_is_none_is_named(data: bytes, expected: Fault):
    assert broken(decode(ADAPTER.decoder(), [data] if data else [])).failure.fault is expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{}", Fault.EMPTY_CHOICES),
        (b'{"done":true}', Fault.EMPTY_CHOICES),
        (stream(line(message={"content": "Hi"})), Fault.EMPTY_CHOICES),
        (stream(line(), end()), Fault.INVALID_JSON),
        (
            b'{"message":{"tool_calls":[{"function":{"arguments":{"a":"\xff"}}}]}}',
            Fault.INVALID_JSON,
        ),
    ],
)
def test_a_body_that_is_no_whole_reply_is_named(body: bytes, expected: Fault):
    with pytest.raises(UpstreamFailed) as caught:
        ADAPTER.whole(body)
    assert caught.value.failure.fault is expected
