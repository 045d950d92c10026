"""Google's own SDK talks to upstreams of three dialects, and does not see which one it is."""

import pytest
from google.genai import types
from pydantic import BaseModel
from tests.api.caller import NARROW_KEY
from tests.api.gemini_talking import (
    CITY,
    DIALECTS,
    TEXT,
    THOUGHT,
    TOOL,
    client,
    talking,
    thoughtful,
)
from tests.conftest import Start


@pytest.mark.parametrize("version", ["v1", "v1beta"])
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_question_is_answered(start: Start, dialect: str, version: str) -> None:
    async with talking(start, dialect) as gateway:
        said = await client(gateway, api_version=version).aio.models.generate_content(
            model="m1", contents="Hello"
        )
        assert said.text == TEXT
        assert said.candidates is not None
        assert said.candidates[0].finish_reason == types.FinishReason.STOP
        usage = said.usage_metadata
        assert usage is not None
        assert (usage.prompt_token_count, usage.total_token_count) == (30, 42)
        assert usage.cached_content_token_count == 10
        thoughts = usage.thoughts_token_count or 0
        assert (usage.candidates_token_count or 0) + thoughts == 12
        assert said.response_id
        assert said.model_version == ("native-version" if dialect == "gemini" else "m1")
        rows = await gateway.rows()
        assert [(row.model, row.outcome) for row in rows if row.attempt is not None][:1]


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_stream_ends_with_its_reason_and_its_usage(start: Start, dialect: str) -> None:
    async with talking(start, dialect) as gateway:
        chunks = [
            chunk
            async for chunk in await client(gateway).aio.models.generate_content_stream(
                model="m1", contents="Hello"
            )
        ]
        assert "".join(chunk.text or "" for chunk in chunks) == TEXT
        assert len(chunks) >= 2
        last = chunks[-1]
        assert last.candidates is not None
        assert last.candidates[0].finish_reason == types.FinishReason.STOP
        assert last.usage_metadata is not None
        assert last.usage_metadata.prompt_token_count == 30
        assert all(c.candidates and not c.candidates[0].finish_reason for c in chunks[:-1])


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_thoughts_are_shown_to_those_who_asked(
    start: Start, dialect: str, streamed: bool
) -> None:
    async with talking(start, dialect) as gateway:
        for config, shown in ((thoughtful(), THOUGHT), (None, "")):
            models = client(gateway).aio.models
            if streamed:
                chunks = await models.generate_content_stream(
                    model="m1", contents="Hello", config=config
                )
                said = [chunk async for chunk in chunks]
            else:
                said = [await models.generate_content(model="m1", contents="Hello", config=config)]
            parts = [part for one in said for part in one.parts or ()]
            assert "".join(part.text or "" for part in parts if part.thought) == shown
            assert "".join(part.text or "" for part in parts if not part.thought) == TEXT


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_functions_are_called_by_the_sdk_itself(start: Start, dialect: str) -> None:
    asked_for: list[str] = []

    def weather(city: str) -> dict[str, object]:
        """Tell the weather of a city."""
        asked_for.append(city)
        return {"sky": "blue", "degrees": 21}

    async with talking(start, dialect) as gateway:
        config = thoughtful(tools=[weather])
        said = await client(gateway).aio.models.generate_content(
            model="m1", contents="How is it?", config=config
        )
        assert asked_for == [CITY]
        assert said.text == TEXT
        history = said.automatic_function_calling_history
        assert history is not None
        assert len(gateway.upstream.asked) == 2
        assert b"blue" in gateway.upstream.asked[1].body


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_streamed_call_comes_whole(start: Start, dialect: str) -> None:
    async with talking(start, dialect) as gateway:
        config = types.GenerateContentConfig(tools=[TOOL])
        calls = [
            call
            async for chunk in await client(gateway).aio.models.generate_content_stream(
                model="m1", contents="How is it?", config=config
            )
            for call in chunk.function_calls or ()
        ]
        assert [(call.name, call.args) for call in calls] == [("weather", {"city": CITY})]


class Weather(BaseModel):
    """What an answer in JSON must be."""

    city: str
    degrees: int


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
async def test_an_answer_in_json_is_asked_for_with_its_schema(start: Start, dialect: str) -> None:
    async with talking(start, dialect) as gateway:
        config = types.GenerateContentConfig(
            response_mime_type="application/json", response_schema=Weather
        )
        await client(gateway).aio.models.generate_content(
            model="m1", contents="How is it?", config=config
        )
        body = gateway.upstream.asked[0].body
        assert b'"type":"object"' in body
        assert b'"degrees":' in body
        assert b"STRING" not in body


@pytest.mark.parametrize("version", ["v1", "v1beta", "gemini/v1beta"])
async def test_models_are_listed_in_pages_and_described(start: Start, version: str) -> None:
    async with talking(start, "openai") as gateway:
        models = client(gateway, api_version=version).aio.models
        names = [model.name async for model in await models.list(config={"page_size": 1})]
        assert {"models/m1", "models/org/m3"} <= {*names}
        one = await models.get(model="org/m3")
        assert one.display_name == "org/m3"
        assert "generateContent" in (one.supported_actions or ())
        narrow = client(gateway, key=NARROW_KEY).aio.models
        assert "models/m1" not in [model.name async for model in await narrow.list()]


async def test_tokens_are_counted(start: Start) -> None:
    async with talking(start, "openai") as gateway:
        counted = await client(gateway).aio.models.count_tokens(model="m1", contents="Hello there")
        assert counted.total_tokens is not None
        assert 2 <= counted.total_tokens <= 12
        assert gateway.upstream.asked == []


async def test_the_paths_of_vertex_are_answered_too(start: Start) -> None:
    async with talking(start, "openai") as gateway:
        for model in ("m1", "org/m3"):
            said = await client(gateway, vertexai=True).aio.models.generate_content(
                model=model, contents="Hello"
            )
            assert said.text == TEXT
            assert said.model_version == model
        place = "/projects/p/locations/l/publishers/google/models/m1:generateContent"
        for start_of in ("/v1", "/v1beta1"):
            body = {"contents": {"role": "user", "parts": {"text": "Hello"}}}
            assert (await gateway.post(f"{start_of}{place}", body)).status == 200
