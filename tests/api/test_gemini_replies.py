"""What a reply of another vendor is in Google's words: sources, pictures, chances, several answers."""

import json
from typing import Any

import pytest
from google.genai import types
from tests.api.gemini_talking import USAGE, client, talking
from tests.api.test_gemini_refused import HELLO, said_no
from tests.api.upstream import DONE, Asked, Script, chunk, stream, whole
from tests.conftest import Start

PATH = "/v1beta/models/m1:generateContent"
TEXT = "Über Ulm: sunny."
SOURCE = {"type": "url_citation",
          "url_citation": {"url": "https://a.test", "title": "A", "start_index": 5, "end_index": 8}}  # fmt: skip
TOKENS = [{"token": "Ü", "logprob": -0.25, "bytes": None,
           "top_logprobs": [{"token": "Ü", "logprob": -0.25}, {"token": "O", "logprob": -2.0}]}]  # fmt: skip
MESSAGE = {"role": "assistant", "content": TEXT, "annotations": [SOURCE],
           "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}]}  # fmt: skip


def rich(asked: Asked) -> Script:
    """Two answers, the first of which has everything beside its words."""
    if b'"stream":true' in asked.body:
        frames = [chunk({**MESSAGE}), chunk({"content": "No"}, index=1)]
        ends = [chunk({}, "stop"), chunk({}, "length", index=1), chunk(None, usage=USAGE)]
        return stream(*frames, *ends, DONE)
    choices = [
        {"index": 0, "message": MESSAGE, "finish_reason": "stop", "logprobs": {"content": TOKENS}},
        {"index": 1, "message": {"role": "assistant", "content": None, "refusal": "No"},
         "finish_reason": "content_filter"},
    ]  # fmt: skip
    return whole(
        {"object": "chat.completion", "choices": choices, "usage": USAGE, "service_tier": "flex"}
    )


async def test_all_that_stands_beside_the_words_is_told(start: Start) -> None:
    async with talking(start, "openai", rich) as gateway:
        said = await client(gateway).aio.models.generate_content(
            model="m1", contents="Hello", config=types.GenerateContentConfig(candidate_count=2)
        )
        assert said.candidates is not None
        first, second = said.candidates
        assert (first.index, second.index) == (0, 1)
        assert second.finish_reason == types.FinishReason.SAFETY
        assert second.content is not None
        assert [part.text for part in second.content.parts or ()] == ["No"]
        picture = [part.inline_data for part in said.parts or () if part.inline_data]
        assert [(one.mime_type, one.data) for one in picture] == [("image/png", b"ABC")]
        grounding = first.grounding_metadata
        assert grounding is not None
        assert grounding.grounding_chunks is not None
        assert grounding.grounding_supports is not None
        web, segment = grounding.grounding_chunks[0].web, grounding.grounding_supports[0].segment
        assert web is not None
        assert segment is not None
        assert (web.uri, segment.start_index, segment.end_index) == ("https://a.test", 6, 9)
        assert segment.text == "Ulm"
        assert TEXT.encode()[6:9] == b"Ulm"
        chances = first.logprobs_result
        assert chances is not None
        assert [one.log_probability for one in chances.chosen_candidates or ()] == [-0.25]
        assert [len(one.candidates or ()) for one in chances.top_candidates or ()] == [2]


async def test_candidates_of_a_stream_end_together(start: Start) -> None:
    async with talking(start, "openai", rich) as gateway:
        heard = await gateway.post("/v1beta/models/m1:streamGenerateContent?alt=sse", HELLO)
        *said, last = heard.chunks
        assert [c["finishReason"] for c in last["candidates"]] == ["STOP", "MAX_TOKENS"]
        assert last["candidates"][0]["groundingMetadata"]["groundingChunks"]
        assert all("finishReason" not in c for one in said for c in one["candidates"])
        assert all("usageMetadata" not in one for one in said)


async def test_the_cost_is_told_where_it_is_wanted(start: Start) -> None:
    async with talking(start, "openai", rich) as gateway:
        plain = await gateway.post(PATH, HELLO)
        assert "cost" not in plain.json
        assert plain.json["usageMetadata"]["serviceTier"] == "flex"
        told = await gateway.post(PATH, {**HELLO, "usage": {"include": True}})
        assert told.json["cost"] > 0
        assert b"include" not in gateway.upstream.asked[-1].body


async def test_what_is_needed_of_google_is_asked_of_nobody_else(start: Start) -> None:
    body = {**HELLO, "tools": [{"googleSearch": {}}]}
    async with talking(start, "openai") as gateway:
        heard = await gateway.post(PATH, body)
        code, field = "unsupported_parameter", "tools[0].googleSearch"
        said_no(heard, 400, "INVALID_ARGUMENT", code, field)
        assert gateway.upstream.asked == []
    async with talking(start, "gemini") as gateway:
        assert (await gateway.post(PATH, body)).status == 200
        assert gateway.upstream.asked[0].json == body


async def test_what_is_lost_is_listed_in_a_header(start: Start) -> None:
    body = {**HELLO, "safetySettings": [{"category": "c", "threshold": "t"}]}
    for dialect, dropped in (("openai", "safetySettings"), ("gemini", None)):
        async with talking(start, dialect) as gateway:
            assert (await gateway.post(PATH, body)).header("x-gateway-dropped") == dropped


@pytest.mark.parametrize("wrapped", [False, True])
async def test_a_whole_request_is_counted(start: Start, wrapped: bool) -> None:
    prompt: dict[str, Any] = {
        "contents": [{"role": "user", "parts": [{"text": "How is the weather in Ulm?"}]}],
        "systemInstruction": {"parts": [{"text": "Answer in one short sentence."}]},
    }
    small = {"contents": prompt["contents"]}
    async with talking(start, "openai") as gateway:
        counts = []
        for body in (small, prompt):
            said = {"generateContentRequest": {"model": "models/m1", **body}} if wrapped else body
            heard = await gateway.post("/v1beta/models/m1:countTokens", said)
            assert heard.json.keys() == {"totalTokens"}
            counts.append(heard.json["totalTokens"])
        assert 5 < counts[0] < counts[1] < 40
        bad = await gateway.post("/v1beta/models/m1:countTokens", {"contents": [{"parts": 3}]})
        assert json.loads(bad.body)["error"]["code"] == 400
        none = await gateway.post("/v1beta/models/none:countTokens", small)
        said_no(none, 404, "NOT_FOUND", "model_not_found", "model")
