"""`embedContent` and `batchEmbedContents`: vectors for Google's SDK, from an upstream of any dialect."""

import pytest
from google.genai import types
from tests.api.embedding import embedding, embeds, vector
from tests.api.gemini_talking import client, closing
from tests.api.test_gemini_refused import said_no
from tests.conftest import Start

PATH = "/v1beta/models/e1:embedContent"
BATCH = "/v1beta/models/e1:batchEmbedContents"


def content(text: str) -> dict[str, object]:
    """A content of one text."""
    return {"content": {"parts": [{"text": text}]}}


@pytest.mark.parametrize("texts", [["one"], ["one", "three", "fifteen"]])
async def test_the_sdk_gets_a_vector_for_each_text(start: Start, texts: list[str]) -> None:
    async with embedding(start, embeds) as gateway, closing(gateway):
        told = await client(gateway).aio.models.embed_content(
            model="e1",
            contents=texts,  # type: ignore[arg-type]
            config=types.EmbedContentConfig(output_dimensionality=3, task_type="RETRIEVAL_QUERY"),
        )
        assert [one.values for one in told.embeddings or ()] == [vector(text) for text in texts]
        asked = gateway.upstream.asked[0].json
        assert asked["dimensions"] == 3
        assert [row.outcome for row in await gateway.rows()][-1] == "ok"


async def test_one_content_has_one_vector(start: Start) -> None:
    async with embedding(start, embeds) as gateway:
        heard = await gateway.post(PATH, content("one") | {"model": "models/other"})
        assert heard.json["embedding"] == {"values": vector("one")}
        assert heard.json["usageMetadata"]["promptTokenCount"] == 2
        assert heard.header("x-gateway-provider") == "one"


async def test_a_wrong_batch_is_refused(start: Start) -> None:
    async with embedding(start, embeds) as gateway:
        bad = (
            ({}, "missing_required_field", "requests"),
            ({"requests": [content("a"), {}]}, "missing_required_field", "requests[1].content"),
            ({"requests": [content("a"), content("b") | {"taskType": "CLUSTERING"}]}, "invalid_field",
             "requests[1]"),
            ({"requests": [{"content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": ""}}]}}]},
             "invalid_field", "requests[0].content.parts[0]"),
            ({"requests": [content("a")] * 2049}, "invalid_field", "requests"),
        )  # fmt: skip
        for body, code, param in bad:
            said_no(await gateway.post(BATCH, body), 400, "INVALID_ARGUMENT", code, param)
        chat = await gateway.post("/v1beta/models/c1:embedContent", content("a"))
        said_no(chat, 404, "NOT_FOUND", "model_not_found", "model")
