"""Text completions of the embedded model: a real llama.cpp server, read by the real OpenAI SDK."""

from collections.abc import AsyncIterator

import pytest
from openai import AsyncOpenAI, BadRequestError
from tests.api.caller import KEY
from tests.conftest import Start

from infway.embedded import Embedded, available
from infway.kernel.clock import system_clock
from infway.serving import with_stand_in
from infway.settings import Settings

pytestmark = pytest.mark.skipif(
    not available(), reason="the packages of requirements/local.txt are not installed"
)
PROMPT = "1, 2, 3, 4, 5, 6,"


@pytest.fixture
async def client(start: Start) -> AsyncIterator[AsyncOpenAI]:
    embedded = Embedded(system_clock())
    await embedded.start()
    (stand_in,) = with_stand_in(Settings()).upstreams
    row = stand_in.model_copy(update={"base_url": embedded.base_url})
    gateway = await start(upstreams=[row.model_dump(exclude_unset=True)])
    client = AsyncOpenAI(api_key=KEY, base_url=f"{gateway.url}/v1", max_retries=0)
    async with client:
        yield client
    await embedded.stop()


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


async def test_what_the_embedded_model_refuses_is_the_callers_mistake(client: AsyncOpenAI):
    with pytest.raises(BadRequestError):
        await client.completions.create(model=Embedded.model, prompt=[10**7], max_tokens=1)
