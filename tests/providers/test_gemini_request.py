"""Messages become Gemini's contents, and nothing of them is lost in silence."""

import json

import pytest
from tests.providers.gemini_asking import (
    HELLO,
    NEW,
    OLD,
    VERTEX,
    answered,
    body,
    call,
    called,
    calling,
    contents,
    dropped,
    refused,
    user,
)

PNG = "data:image/png;base64,iVBORw0="
SKIP = "skip_thought_signature_validator"


def said(role: str, *parts: dict) -> dict:
    return {"role": role, "parts": list(parts)}


def image(url: str, **more) -> dict:
    return {"type": "image_url", "image_url": {"url": url, **more}}


def file(**facts) -> dict:
    return {"type": "file", "file": facts}


def test_the_address_names_the_model_and_what_is_wanted():
    assert call(model="models/gemini-2.5-pro").url.endswith(
        "/models/gemini-2.5-pro:generateContent"
    )
    assert call(stream=True).url.endswith(f"/models/{NEW}:streamGenerateContent?alt=sse")
    assert call(model="a/b", url=VERTEX).url.endswith("/models/a%2Fb:generateContent")


def test_a_plain_request_is_one_content():
    assert body() == {"contents": [said("user", {"text": "Hello"})]}
    assert dropped() == ()


def test_system_messages_at_the_beginning_are_the_instruction():
    made = body({"role": "system", "content": "A"}, {"role": "developer", "content": "B"}, HELLO)
    assert made["systemInstruction"] == {"parts": [{"text": "A"}, {"text": "B"}]}
    assert made["contents"] == [said("user", {"text": "Hello"})]


def test_a_system_message_in_the_middle_stays_there_between_marks():
    talk = (HELLO, {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Go"})
    marked = {"text": "<system>Be brief.</system>"}
    assert contents(*talk) == [said("user", {"text": "Hello"}, marked, {"text": "Go"})]
    assert dropped(*talk) == ("messages[1].role",)


def test_a_lone_system_message_is_said_by_the_user():
    alone = {"role": "system", "content": "Speak."}
    assert body(alone) == {"contents": [said("user", {"text": "<system>Speak.</system>"})]}
    assert dropped(alone) == ("messages.role",)


def test_a_model_without_instructions_is_told_by_the_user():
    talk = ({"role": "system", "content": "A"}, HELLO)
    made = body(*talk, model="gemma-3-27b-it")
    assert "systemInstruction" not in made
    assert made["contents"][0] == said("user", {"text": "<system>A</system>"})
    assert dropped(*talk, model="gemma-3-27b-it") == ("messages.role",)


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (image(PNG), {"inlineData": {"mimeType": "image/png", "data": "iVBORw0="}}),
        (
            image("https://a.b/c.webp?d=e.f"),
            {"fileData": {"mimeType": "image/webp", "fileUri": "https://a.b/c.webp?d=e.f"}},
        ),
        (
            image("gs://bucket/picture"),
            {"fileData": {"mimeType": "image/jpeg", "fileUri": "gs://bucket/picture"}},
        ),
        (
            {"type": "video_url", "video_url": {"url": "https://youtu.be/x"}},
            {"fileData": {"mimeType": "video/mp4", "fileUri": "https://youtu.be/x"}},
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
            {"inlineData": {"mimeType": "audio/wav", "data": "UklG"}},
        ),
        (
            file(file_data="data:application/pdf;base64,JVBE"),
            {"inlineData": {"mimeType": "application/pdf", "data": "JVBE"}},
        ),
        (
            file(file_id="https://generativelanguage.googleapis.com/v1beta/files/x"),
            {
                "fileData": {
                    "mimeType": "application/pdf",
                    "fileUri": "https://generativelanguage.googleapis.com/v1beta/files/x",
                }
            },
        ),
    ],
)
def test_media_go_as_data_or_by_their_address(part: dict, expected: dict):
    assert contents(user("See:", part)) == [said("user", {"text": "See:"}, expected)]
    assert dropped(user("See:", part)) == ()


def test_what_gemini_cannot_fetch_is_refused():
    assert refused(user(file(file_id="file-abc"))) == "messages[0].content[0].file.file_id"
    assert refused(user(image("s3://bucket/x.png"))) == "messages[0].content[0].image_url"


def test_what_a_part_says_beside_its_medium_is_listed():
    cached = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}
    assert dropped(user(image(PNG, detail="high"))) == ("messages[0].content[0].image_url.detail",)
    assert dropped(user(image(PNG, detail="auto"))) == ()
    assert dropped(user(cached)) == ("messages[0].content[0].cache_control",)
    assert dropped({"role": "system", "content": [cached]}, HELLO) == dropped(user(cached))
    named = file(file_data="data:application/pdf;base64,JVBE", filename="a.pdf")
    assert dropped(user(named)) == ("messages[0].content[0].file.filename",)


def test_empty_texts_are_left_out():
    assert contents(user("", "x")) == [said("user", {"text": "x"})]
    assert contents(user("")) == [said("user", {"text": " "})]


def test_parallel_calls_and_their_results_are_one_content_each():
    talk = (
        HELLO,
        calling(called("c1", "look", '{"at":1}', "sig"), called("c2", "hear", "")),
        answered("c1", "red"),
        answered("c2", '{"a":1}'),
        {"role": "user", "content": "Go on"},
    )
    first = {"functionCall": {"id": "c1", "name": "look", "args": {"at": 1}}}
    second = {"functionCall": {"id": "c2", "name": "hear", "args": {}}}
    results = [
        {"functionResponse": {"id": id_, "name": name, "response": {"output": output}}}
        for id_, name, output in (("c1", "look", "red"), ("c2", "hear", '{"a":1}'))
    ]
    assert contents(*talk)[1:] == [
        said("model", first | {"thoughtSignature": "sig"}, second),
        said("user", *results),
        said("user", {"text": "Go on"}),
    ]
    assert dropped(*talk) == ()


def test_a_call_whose_signature_is_lost_gets_the_documented_stand_in():
    talk = (HELLO, calling(called("a"), called("b")), answered("a", "1"), answered("b", "2"))
    calls = contents(*talk)[1]["parts"]
    assert [part.get("thoughtSignature") for part in calls] == [SKIP, None]
    calls = contents(*talk, model=OLD)[1]["parts"]
    assert [part.get("thoughtSignature") for part in calls] == [None, None]


def test_a_signature_comes_back_from_the_items_of_reasoning_too():
    item = {"type": "reasoning.encrypted", "data": "sig", "format": "google-gemini-v1", "id": "a"}
    talk = (HELLO, calling(called("a"), reasoning_details=[item]), answered("a", "1"))
    assert contents(*talk)[1]["parts"][0]["thoughtSignature"] == "sig"
    assert dropped(*talk) == ()
    lost = (HELLO, calling(called("b"), reasoning_details=[item]), answered("b", "1"))
    assert dropped(*lost) == ("messages[1].reasoning_details",)


def test_thoughts_and_the_signatures_of_texts_come_back():
    ours = {"format": "google-gemini-v1"}
    thought = {"type": "reasoning.text", "text": "Hm.", "signature": "s1", **ours}
    hidden = {"type": "reasoning.encrypted", "data": "s2", **ours}
    talk = (HELLO, {"role": "assistant", "content": "Hi", "reasoning_details": [thought, hidden]})
    assert contents(*talk, HELLO)[1] == said(
        "model",
        {"text": "Hm.", "thought": True, "thoughtSignature": "s1"},
        {"text": "Hi", "thoughtSignature": "s2"},
    )
    assert dropped(*talk, HELLO) == ()


@pytest.mark.parametrize(
    "item",
    [
        {
            "type": "reasoning.text",
            "text": "Hm.",
            "signature": "s",
            "format": "anthropic-claude-v1",
        },
        {"type": "reasoning.encrypted", "data": "s", "format": "openai-responses-v1"},
        {"type": "reasoning.text", "text": "Hm."},
    ],
)
def test_the_thoughts_of_others_are_said_nowhere_and_listed(item: dict):
    talk = (HELLO, {"role": "assistant", "content": "Hi", "reasoning_details": [item]}, HELLO)
    assert contents(*talk)[1] == said("model", {"text": "Hi"})
    assert dropped(*talk) == ("messages[1].reasoning_details",)


def test_parts_of_googles_own_tools_come_back_while_the_tools_are_there():
    part = {"toolCall": {"toolType": "GOOGLE_SEARCH_WEB", "id": "x"}, "thoughtSignature": "s"}
    item = {"type": "reasoning.encrypted", "data": json.dumps(part), "format": "google-gemini-v1"}
    talk = (HELLO, {"role": "assistant", "content": "Hi", "reasoning_details": [item]}, HELLO)
    search = {"tools": [{"googleSearch": {}}]}
    assert contents(*talk, **search)[1] == said("model", part, {"text": "Hi"})
    for lost in ({}, {**search, "url": VERTEX}):
        assert contents(*talk, **lost)[1] == said("model", {"text": "Hi"})
        assert dropped(*talk, **lost) == ("messages[1].reasoning_details",)


def test_media_of_a_result_stand_inside_it_where_the_model_knows_that():
    talk = (HELLO, calling(called("a")), answered("a", [{"type": "text", "text": "x"}, image(PNG)]))
    media = {"inlineData": {"mimeType": "image/png", "data": "iVBORw0="}}
    [inside] = contents(*talk)[2:]
    response = inside["parts"][0]["functionResponse"]
    assert response["response"] == {"output": "x"}
    assert response["parts"] == [media]
    result, beside = contents(*talk, model=OLD)[2:]
    assert "parts" not in result["parts"][0]["functionResponse"]
    tag = {"text": '<result of="look" id="a">'}
    assert beside == said("user", tag, media, {"text": "</result>"})


def test_a_result_of_several_texts_is_a_list_and_one_of_nothing_is_empty():
    two = [{"type": "text", "text": "x"}, {"type": "text", "text": "y"}]
    talk = (HELLO, calling(called("a"), called("b")), answered("a", two), answered("b", ""))
    results = [part["functionResponse"]["response"] for part in contents(*talk)[2]["parts"]]
    assert results == [{"output": ["x", "y"]}, {"output": ""}]


def test_arguments_that_are_no_object_are_said_as_they_are_and_listed():
    talk = (HELLO, calling(called("a", arguments="[1")), answered("a", "x"))
    assert contents(*talk)[1]["parts"][0]["functionCall"]["args"] == {"arguments": "[1"}
    assert dropped(*talk) == ("messages[1].tool_calls[0].arguments",)


def test_an_answer_that_was_begun_is_the_last_content():
    begun = {"role": "assistant", "content": "Once"}
    assert contents(HELLO, begun)[-1] == said("model", {"text": "Once"})
    for model in (
        "gemini-3.6-flash",
        "gemini-3.5-flash-lite",
        "gemini-4-argon",
        "gemini-pro-latest",
    ):
        assert refused(HELLO, begun, model=model) == "messages[1]"


def test_a_conversation_begins_with_the_user():
    talk = ({"role": "assistant", "content": "Hi"}, HELLO)
    assert [one["role"] for one in contents(*talk)] == ["user", "model", "user"]


def test_names_of_speakers_and_unknown_fields_are_listed():
    assert dropped({**HELLO, "name": "Ann"}, user="u", metadata={"a": "b"}) == (
        "messages[0].name",
        "metadata",
        "user",
    )
