"""OpenAI's Agents SDK through a gateway, over chats and over Responses."""

import asyncio

from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI

MODEL = "teller-frameworks"
QUESTION = "How is the weather in Tokyo?"


@function_tool
def weather(location: str) -> str:
    """Tell the weather at a location."""
    return f"18 degrees in {location}"


async def told(model) -> dict[str, object]:
    agent = Agent(name="weatherman", instructions="Tell it.", tools=[weather], model=model)
    done = await Runner.run(agent, QUESTION)
    streamed = Runner.run_streamed(agent, QUESTION)
    deltas = [
        event.data.delta
        async for event in streamed.stream_events()
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta"
    ]
    usage = done.context_wrapper.usage
    return {
        "output": done.final_output,
        "streamed": streamed.final_output,
        "deltas": "".join(deltas),
        "usage": [usage.requests, usage.input_tokens, usage.output_tokens],
    }


async def _report(base: str, key: str) -> dict[str, object]:
    set_tracing_disabled(disabled=True)
    client = AsyncOpenAI(base_url=f"{base}/v1", api_key=key, max_retries=0)
    return {
        "chat": await told(OpenAIChatCompletionsModel(MODEL, client)),
        "responses": await told(OpenAIResponsesModel(MODEL, client)),
    }


def report(base: str, key: str) -> dict[str, object]:
    return asyncio.run(_report(base, key))
