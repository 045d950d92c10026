"""An agent of pydantic-ai that works through a gateway, as JSON on standard output.

`python agent.py BASE_URL KEY`
"""

import asyncio
import json
import sys

from pydantic_ai import Agent
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

BASE, KEY = sys.argv[1:]
asked = []


def model(name, key=KEY):
    return OpenAIChatModel(name, provider=OpenAIProvider(base_url=f"{BASE}/v1", api_key=key))


weatherman = Agent(model("teller-agent"), system_prompt="You tell the weather.")


@weatherman.tool_plain
def weather(location: str) -> str:
    """Tell the weather at a location."""
    asked.append(location)
    return f"18 degrees in {location}"


async def streamed():
    async with weatherman.run_stream("And now?") as stream:
        return await stream.get_output()


async def refused():
    try:
        await Agent(model("teller-agent", "nobody-knows-this-key")).run("Hello?")
    except ModelHTTPError as error:
        return {"status": error.status_code, "code": error.body["code"]}
    return None


async def report():
    done = await weatherman.run("How is the weather in Tokyo?")
    usage = done.usage() if callable(done.usage) else done.usage
    return {
        "output": done.output,
        "asked": list(asked),
        "usage": [usage.requests, usage.input_tokens, usage.output_tokens],
        "streamed": await streamed(),
        "refused": await refused(),
    }


json.dump(asyncio.run(report()), sys.stdout)
