"""Text completions read by the real OpenAI SDK, over both kinds of upstreams."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai import AsyncAzureOpenAI, AsyncOpenAI
from openai.types import Completion
from tests.api.caller import KEY
from tests.api.completing import Kinds, continued, text_choice
from tests.api.upstream import whole
from tests.conftest import Gateway, Start

KINDS = [("native", " blue."), ("carried", "Hello")]


@pytest.fixture
async def kinds(start: Start) -> AsyncIterator[Kinds]:
    async with AsyncExitStack() as stack:
        yield Kinds(start, stack)


def client_of(gateway: Gateway) -> AsyncOpenAI:
    return AsyncOpenAI(api_key=KEY, base_url=f"{gateway.url}/v1", max_retries=0)


@pytest.mark.parametrize(("kind", "text"), KINDS)
async def test_the_sdk_reads_a_whole_completion(kinds: Kinds, kind: str, text: str):
    async with client_of(await getattr(kinds, kind)()) as client:
        reply = await client.completions.create(model="m1", prompt="The sky is", max_tokens=9)
    assert isinstance(reply, Completion)
    assert (reply.object, reply.model) == ("text_completion", "m1")
    assert reply.choices[0].text == text
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage is not None
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (11, 7)


@pytest.mark.parametrize(("kind", "text"), KINDS)
@pytest.mark.parametrize("tells_usage", [False, True])
async def test_the_sdk_reads_a_stream(kinds: Kinds, kind: str, text: str, tells_usage: bool):
    async with client_of(await getattr(kinds, kind)()) as client:
        stream = await client.completions.create(
            model="m1",
            prompt="The sky is",
            stream=True,
            echo=True,
            stream_options={"include_usage": tells_usage},
        )
        chunks = [chunk async for chunk in stream]
    choices = [choice for chunk in chunks for choice in chunk.choices]
    assert "".join(choice.text for choice in choices) == "The sky is" + text
    assert [choice.finish_reason for choice in choices if choice.finish_reason] == ["stop"]
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[-1].usage is not None
    assert (chunks[-1].choices == []) is tells_usage


async def test_the_sdk_reads_log_probabilities_and_several_choices(kinds: Kinds):
    lists = {
        "tokens": [" a"],
        "token_logprobs": [-0.5],
        "top_logprobs": [{" a": -0.5, " b": -1.5}],
        "text_offset": [0],
    }
    choices = [text_choice(" a", "length", index, logprobs=lists) for index in range(2)]
    gateway = await kinds.native(lambda _: whole(continued(*choices)))
    async with client_of(gateway) as client:
        reply = await client.completions.create(model="m1", prompt=["x", "y"], logprobs=2)
    assert [choice.index for choice in reply.choices] == [0, 1]
    told = reply.choices[1].logprobs
    assert told is not None
    assert told.top_logprobs == [{" a": -0.5, " b": -1.5}]
    assert (told.tokens, told.token_logprobs, told.text_offset) == ([" a"], [-0.5], [0])


async def test_the_sdk_raises_what_is_wrong(kinds: Kinds):
    async with client_of(await kinds.carried()) as client:
        with pytest.raises(openai.BadRequestError) as caught:
            await client.completions.create(model="m1", prompt=[1, 2])
        assert (caught.value.code, caught.value.param) == ("unsupported_parameter", "prompt")
        with pytest.raises(openai.NotFoundError) as missing:
            await client.completions.create(model="nobody", prompt="a")
        assert missing.value.code == "model_not_found"


async def test_azures_client_names_the_model_in_the_path(kinds: Kinds):
    gateway = await kinds.native()
    client = AsyncAzureOpenAI(
        api_key=KEY, azure_endpoint=gateway.url, api_version="2024-10-21", max_retries=0
    )
    async with client:
        reply = await client.completions.create(model="m2", prompt="a")
    assert reply.model == "m2"


async def test_who_asks_elsewhere_for_a_model_that_continues_texts_is_shown_the_way(kinds: Kinds):
    gateway = await kinds.native(dialect="completions")
    async with client_of(gateway) as client:
        assert (await client.completions.create(model="m1", prompt="a")).choices[0].text
        with pytest.raises(openai.NotFoundError) as caught:
            await client.chat.completions.create(
                model="m1", messages=[{"role": "user", "content": "a"}]
            )
        assert "/v1/completions" in caught.value.message
        with pytest.raises(openai.NotFoundError) as caught:
            await client.embeddings.create(model="m1", input="a")
        assert "/v1/completions" in caught.value.message


ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 200) | st.floats(-3, 3) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)
NAMES = st.sampled_from(
    [
        "prompt",
        "model",
        "suffix",
        "echo",
        "best_of",
        "logprobs",
        "n",
        "stream",
        "max_tokens",
        "stop",
        "messages",
        "tools",
        "logit_bias",
        "provider",
        "usage",
        "stream_options",
        "seed",
        "max_completion_tokens",
        "response_format",
        "fallback_models",
        "x",
    ]
)


@pytest.fixture
async def pair(kinds: Kinds) -> list[Gateway]:
    return [await kinds.native(), await kinds.carried()]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fields=st.dictionaries(NAMES, ANY, max_size=6))
async def test_no_body_makes_a_server_error(pair: list[Gateway], fields: dict):
    for gateway in pair:
        heard = await gateway.post("/v1/completions", {"model": "m1", "prompt": "a", **fields})
        assert heard.status < 500, (fields, heard)
