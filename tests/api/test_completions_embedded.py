"""Text completions of the embedded model: a real llama.cpp server, read by the real OpenAI SDK."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from openai import AsyncOpenAI, BadRequestError
from tests.api.beside import beside
from tests.api.caller import KEY
from tests.conftest import Gateway, Start

from infway.embedded import Embedded, available
from infway.kernel.clock import system_clock
from infway.serving import with_stand_in
from infway.settings import Settings

pytestmark = pytest.mark.skipif(
    not available(), reason="the packages of requirements/local.txt are not installed"
)
PROMPT = "1, 2, 3, 4, 5, 6,"


@asynccontextmanager
async def answering() -> AsyncIterator[str]:
    embedded = Embedded(system_clock())
    await embedded.start()
    yield embedded.base_url
    await embedded.stop()


@pytest.fixture(scope="module")
def model_url() -> Iterator[str]:
    with beside(answering()) as url:
        yield url


@pytest.fixture
async def gateway(start: Start, model_url: str) -> Gateway:
    (stand_in,) = with_stand_in(Settings()).upstreams
    row = stand_in.model_copy(update={"base_url": model_url})
    return await start(upstreams=[row.model_dump(exclude_unset=True)])


@pytest.fixture
async def client(gateway: Gateway) -> AsyncIterator[AsyncOpenAI]:
    client = AsyncOpenAI(api_key=KEY, base_url=f"{gateway.url}/v1", max_retries=0)
    async with client:
        yield client


async def counts(client: AsyncOpenAI, **said: object) -> tuple[int, int]:
    """Return the tokens of prompt and completion, as a whole reply tells them."""
    reply = await client.completions.create(**{"model": Embedded.model, "temperature": 0, **said})
    assert reply.usage is not None
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens
    return reply.usage.prompt_tokens, reply.usage.completion_tokens


async def streamed_counts(client: AsyncOpenAI, **said: object) -> tuple[int, int]:
    """Return the same of a stream."""
    said = {"model": Embedded.model, "temperature": 0, "stream": True, **said}
    stream = await client.completions.create(**said, stream_options={"include_usage": True})
    usages = [chunk.usage async for chunk in stream if chunk.usage is not None]
    assert len(usages) == 1
    return usages[0].prompt_tokens, usages[0].completion_tokens


async def test_the_embedded_model_continues_a_text_itself(client: AsyncOpenAI):
    said = {"model": Embedded.model, "prompt": PROMPT, "max_tokens": 8, "temperature": 0}
    raw = await client.completions.with_raw_response.create(**said)
    assert "x-gateway-carried" not in raw.headers
    whole = raw.parse()
    assert whole.choices[0].text.startswith(" 7,")
    assert whole.choices[0].finish_reason == "length"
    assert whole.usage is not None
    assert whole.usage.completion_tokens == 8
    stream = await client.completions.create(
        **said, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    texts = [choice.text for chunk in chunks for choice in chunk.choices]
    assert "".join(texts) == whole.choices[0].text
    assert len(texts) > 5
    assert chunks[-1].usage is not None
    assert {chunk.object for chunk in chunks} == {"text_completion"}


async def test_the_embedded_model_takes_several_prompts_and_token_ids(client: AsyncOpenAI):
    two = await client.completions.create(
        model=Embedded.model, prompt=[PROMPT, "a, b, c, d,"], max_tokens=4, temperature=0
    )
    assert [choice.index for choice in two.choices] == [0, 1]
    assert two.choices[0].text.startswith(" 7")
    ids = await client.completions.create(model=Embedded.model, prompt=[504, 2365], max_tokens=4)
    assert ids.usage is not None
    assert ids.usage.prompt_tokens == 2


TEXTS = [PROMPT, "a, b, c, d,"]


async def test_the_usage_of_a_stream_is_the_sum_of_all_prompts_and_choices(
    client: AsyncOpenAI, gateway: Gateway
):
    alone = [(await counts(client, prompt=text, max_tokens=3))[0] for text in TEXTS]
    assert await streamed_counts(client, prompt=TEXTS, max_tokens=3) == (sum(alone), 6)
    assert await streamed_counts(client, prompt=TEXTS, max_tokens=3, n=2) == (sum(alone), 12)
    assert await streamed_counts(client, prompt=PROMPT, max_tokens=3, n=2) == (alone[0], 6)
    assert not any(row.estimated for row in await gateway.rows())


async def test_the_usage_of_a_whole_reply_is_that_of_all_and_marked_as_an_estimate(
    client: AsyncOpenAI, gateway: Gateway
):
    alone = [(await counts(client, prompt=text, max_tokens=3))[0] for text in TEXTS]
    assert not any(row.estimated for row in await gateway.rows())
    prompt, completion = await counts(client, prompt=TEXTS, max_tokens=3)
    assert prompt == pytest.approx(sum(alone), rel=0.2)
    assert completion == 6
    ids = await counts(client, prompt=[[504, 2365], [504]], max_tokens=2, n=2)
    assert ids == (3, 8)
    rows = await gateway.rows()
    assert [row.estimated for row in rows[4:]] == [1, 1, 1, 1]


async def test_several_choices_of_a_chat_are_counted_all(client: AsyncOpenAI, gateway: Gateway):
    said = {"model": Embedded.model, "messages": [{"role": "user", "content": "Count to 9."}]}
    one = await client.chat.completions.create(**said, max_tokens=4)
    three = await client.chat.completions.create(**said, max_tokens=4, n=3)
    assert one.usage is not None
    assert three.usage is not None
    assert three.usage.prompt_tokens == one.usage.prompt_tokens
    assert one.usage.completion_tokens == 4
    assert 6 <= three.usage.completion_tokens <= 12  # a choice may have ended by itself
    assert [row.estimated for row in await gateway.rows()] == [0, 0, 1, 1]


async def test_no_token_at_all_is_an_empty_text_and_an_echo_the_prompt_alone(client: AsyncOpenAI):
    said = {"model": Embedded.model, "prompt": PROMPT, "max_tokens": 0}
    for echo, text in ((False, ""), (True, PROMPT)):
        raw = await client.completions.with_raw_response.create(**said, echo=echo)
        assert raw.headers.get("x-gateway-dropped") is None
        whole = raw.parse()
        assert [(one.text, one.finish_reason) for one in whole.choices] == [(text, "length")]
        assert whole.usage is not None
        assert (whole.usage.completion_tokens, whole.usage.prompt_tokens) == (0, 17)
        stream = await client.completions.create(**said, echo=echo, stream=True)
        texts = [choice.text async for chunk in stream for choice in chunk.choices]
        assert "".join(texts) == text
        assert await streamed_counts(client, **said, echo=echo) == (17, 0)


async def test_what_the_embedded_model_refuses_is_the_callers_mistake(client: AsyncOpenAI):
    with pytest.raises(BadRequestError):
        await client.completions.create(model=Embedded.model, prompt=[10**7], max_tokens=1)
