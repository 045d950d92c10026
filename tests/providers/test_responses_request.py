"""Messages of chat requests as the input of OpenAI Responses."""

import json

import pytest
from tests.providers.responses_asking import (
    HELLO,
    answered,
    asked,
    body,
    called,
    dropped,
    items,
    kept,
)
from tests.providers.responses_saying import ADAPTER, response, thinking
from tests.wall.asking import upstream

from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Detail
from infway.kernel.faults import Fault

PNG = "data:image/png;base64,aGVsbG8="


def user(*parts: dict) -> dict:
    return {"role": "user", "content": list(parts)}


def refused(*messages: dict, **said) -> str | None:
    with pytest.raises(UpstreamFailed) as caught:
        asked(*messages, **said)
    assert caught.value.failure.fault is Fault.UNTRANSLATABLE
    return caught.value.failure.param


def test_a_plain_request_is_said_without_loss():
    call = asked(HELLO, temperature=0.5)
    assert json.loads(call.body) == {
        "model": "gpt-5.5",
        "input": [{"role": "user", "content": "Hello"}],
        "store": False,
        "temperature": 0.5,
        "include": ["reasoning.encrypted_content"],
    }
    assert call.dropped == ()


def test_only_a_stream_is_asked_for_as_one():
    assert body(stream=True)["stream"] is True
    assert "stream" not in body(stream=False)


def test_every_message_keeps_its_place_and_its_role():
    said = [
        {"role": "system", "content": "Be brief."},
        HELLO,
        {"role": "assistant", "content": "Hi."},
        {"role": "developer", "content": [{"type": "text", "text": "Now sing."}]},
        {"role": "user", "content": ""},
    ]
    assert items(*said) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi."},
        {"role": "system", "content": "Now sing."},
        {"role": "user", "content": ""},
    ]
    assert dropped(*said) == ()


def test_parts_stay_parts():
    said = user({"type": "text", "text": "a"}, {"type": "text", "text": "b"})
    assert items(said)[0]["content"] == [
        {"type": "input_text", "text": "a"},
        {"type": "input_text", "text": "b"},
    ]
    parts = [{"type": "text", "text": "a"}, {"type": "refusal", "refusal": "no"}]
    assert items(HELLO, {"role": "assistant", "content": parts})[1:] == [
        {"role": "assistant", "content": "a"},
        {"role": "assistant", "content": "no"},
    ]


@pytest.mark.parametrize("url", [PNG, "https://example.org/a.png"])
@pytest.mark.parametrize("detail", [None, "low", "high"])
def test_an_image_is_said_by_its_address_or_its_data(url: str, detail: str | None):
    said = {"url": url} if detail is None else {"url": url, "detail": detail}
    part = {"type": "image_url", "image_url": said}
    expected = {"type": "input_image", "image_url": url, "detail": detail or "auto"}
    assert items(user(part))[0]["content"] == [expected]
    assert dropped(user(part)) == ()


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ({"file_id": "file-1"}, {"file_id": "file-1"}),
        (
            {"file_data": "data:application/pdf;base64,JVBE", "filename": "a.pdf"},
            {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"},
        ),
        ({"file_data": "JVBE"}, {"filename": "file.pdf", "file_data": "data:application/pdf;base64,JVBE"}),
        ({"file_data": "https://example.org/a.pdf"}, {"file_url": "https://example.org/a.pdf"}),
    ],
)  # fmt: skip
def test_a_file_is_said_by_its_id_its_data_or_its_address(file: dict, expected: dict):
    part = {"type": "file", "file": file}
    assert items(user(part))[0]["content"] == [{"type": "input_file", **expected}]
    assert dropped(user(part)) == ()


def test_a_file_that_is_not_sent_has_no_name():
    part = {"type": "file", "file": {"file_id": "file-1", "filename": "a.pdf"}}
    assert dropped(user(part)) == ("messages[0].content[0].file.filename",)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "mp3"}},
        {"type": "video_url", "video_url": {"url": "https://example.org/a.mp4"}},
        {"type": "image_url", "image_url": {"url": "gs://bucket/a.png"}},
    ],
)
def test_what_the_dialect_has_no_words_for_is_refused(part: dict):
    assert refused(user(part)) == f"messages[0].content[0].{part['type']}"


def test_an_answer_can_hold_no_image():
    part = {"type": "image_url", "image_url": {"url": PNG}}
    assert refused(HELLO, {"role": "assistant", "content": [part]}) == "messages[1].content"


def test_a_speakers_name_is_listed():
    assert dropped({**HELLO, "name": "Ann"}) == ("messages[0].name",)


def test_calls_and_their_results_are_items():
    arguments = '{"city": "Oslo"}'
    said = items(HELLO, {**called("weather", arguments), "content": "Wait."}, answered("Rain"))
    assert said[1:] == [
        {"role": "assistant", "content": "Wait."},
        {
            "type": "function_call",
            "call_id": "call_1",
            "name": "weather",
            "arguments": arguments,
        },
        {"type": "function_call_output", "call_id": "call_1", "output": "Rain"},
    ]


def test_arguments_that_are_no_object_are_said_as_they_came():
    assert items(HELLO, called("weather", "Oslo"), answered("Rain"))[1]["arguments"] == "Oslo"
    assert items(HELLO, called("weather", ""), answered("Rain"))[1]["arguments"] == "{}"


def test_a_result_may_hold_images():
    parts = [{"type": "text", "text": "See:"}, {"type": "image_url", "image_url": {"url": PNG}}]
    said = items(HELLO, called("look"), answered(parts))
    assert said[-1]["output"] == [
        {"type": "input_text", "text": "See:"},
        {"type": "input_image", "image_url": PNG, "detail": "auto"},
    ]
    assert items(HELLO, called("look"), answered([]))[-1]["output"] == ""


def test_an_id_that_is_too_long_is_shortened_in_call_and_result_alike():
    long = "toolu_" + "x" * 90
    _, call, result = items(HELLO, called("look", id_=long), answered("ok", long))
    assert call["call_id"] == result["call_id"]
    assert len(call["call_id"]) <= 64
    other = items(HELLO, called("look", id_=long + "y"), answered("ok", long + "y"))
    assert other[1]["call_id"] != call["call_id"]


def test_reasoning_goes_back_as_it_came():
    item = thinking("First.", "Then.", encrypted_content="gAAA")
    events = ADAPTER.whole(json.dumps(response(item)).encode())
    details = [one.item for one in events if isinstance(one, Detail)]
    said = items(HELLO, {"role": "assistant", "content": "Hi.", "reasoning_details": details})
    assert said[1:] == [item, {"role": "assistant", "content": "Hi."}]


def test_reasoning_of_several_items_goes_back_as_several():
    details = [
        kept("encrypted", None, data="a"),
        kept("encrypted", None, data="b"),
        kept("summary", "rs_2", summary="s"),
        kept("encrypted", "rs_2", data="c"),
    ]
    message = {**called("weather"), "reasoning_details": details}
    said = json.loads(asked(HELLO, message, answered("Rain")).body)["input"]
    assert said[1:4] == [
        {"type": "reasoning", "summary": [], "encrypted_content": "a"},
        {"type": "reasoning", "summary": [], "encrypted_content": "b"},
        {
            "type": "reasoning",
            "id": "rs_2",
            "summary": [{"type": "summary_text", "text": "s"}],
            "encrypted_content": "c",
        },
    ]


def test_open_models_read_their_reasoning_as_text():
    message = {
        "role": "assistant",
        "content": "Hi.",
        "reasoning_details": [kept("text", text="Hm.")],
    }
    said = items(HELLO, message, native="deepseek-v4")
    assert said[1] == {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "Hm."}],
    }
    assert items(HELLO, message, native="openai/gpt-oss-20b")[1] == said[1]
    assert dropped(HELLO, message, native="gpt-5.5") == ("messages[1].reasoning_details",)


def test_where_answers_are_stored_an_id_would_ask_for_the_ids_of_what_follows():
    message = {
        "role": "assistant",
        "content": "Hi.",
        "reasoning_details": [kept("encrypted", data="a")],
    }
    said = json.loads(asked(HELLO, message, store=True).body)
    assert said["store"] is True
    assert said["input"][1] == {"type": "reasoning", "summary": [], "encrypted_content": "a"}


@pytest.mark.parametrize(
    "detail",
    [
        kept("encrypted", form="anthropic-claude-v1", data="a"),
        kept("encrypted"),
        kept("summary", summary="of what the server forgot"),
        kept("server_tool", data="a"),
    ],
)
def test_reasoning_that_nobody_there_can_read_is_listed(detail: dict):
    message = {"role": "assistant", "content": "Hi.", "reasoning_details": [detail]}
    assert items(HELLO, message)[1:] == [{"role": "assistant", "content": "Hi."}]
    assert dropped(HELLO, message) == ("messages[1].reasoning_details",)


def test_reasoning_that_nothing_follows_is_listed():
    message = {
        "role": "assistant",
        "content": None,
        "reasoning_details": [kept("encrypted", data="a")],
    }
    assert len(items(HELLO, message, HELLO)) == 2
    assert dropped(HELLO, message, HELLO) == ("messages[1].reasoning_details",)


def test_the_models_name_stands_in_an_address_that_asks_for_it():
    source = upstream(dialect="responses")
    call = asked(source=source)
    assert call.url == source.chat_url
    assert call.headers == {"content-type": "application/json"}
