"""Tokens of a response's input: counted here, with the turns before it, and billed to nobody."""

import openai
import pytest
from tests.api.caller import NARROW_KEY, refused
from tests.api.responding import WEATHER, sdk
from tests.conftest import Gateway, Start

from infway.kernel.chat import ChatRequest, Feature, Selection
from infway.providers.counting import count_chat

PATH = "/v1/responses/input_tokens"


def _counted(*messages: dict[str, object], **more: object) -> int:
    """Return the tokens of a chat that says the same."""
    fields: dict[str, object] = {"messages": list(messages), **more}
    ask = ChatRequest("id", fields, False, Selection(), Feature(0), 0, 0, None, None)
    return count_chat(ask, "m1").tokens


async def test_openais_client_counts(gateway: Gateway) -> None:
    async with sdk(gateway) as client:
        reply = await client.responses.input_tokens.count(
            model="m1",
            instructions="Be brief",
            input="How are you?",
            tools=[WEATHER],  # type: ignore[list-item]
        )
    function = {name: WEATHER[name] for name in ("name", "description", "parameters", "strict")}
    assert reply.object == "response.input_tokens"
    assert reply.input_tokens == _counted(
        {"role": "system", "content": "Be brief"},
        {"role": "user", "content": "How are you?"},
        tools=[{"type": "function", "function": function}],
    )
    assert gateway.upstream.asked == []
    assert await gateway.rows() == []


async def test_the_turns_before_it_count(gateway: Gateway) -> None:
    made = (await gateway.post("/v1/responses", {"model": "m1", "input": "Hi"})).json
    body = {"model": "m1", "input": "And now?", "previous_response_id": made["id"]}
    heard = await gateway.post(PATH, body)
    assert heard.json["input_tokens"] == _counted(
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "And now?"},
    )
    missing = {**body, "previous_response_id": "resp_none"}
    refused(
        await gateway.post(PATH, missing), 400, "previous_response_not_found", "previous_response_id"
    )  # fmt: skip


async def test_instructions_alone_may_be_counted_and_nothing_may_not(gateway: Gateway) -> None:
    heard = await gateway.post(PATH, {"model": "m1", "instructions": "Be brief"})
    assert heard.json["input_tokens"] == _counted({"role": "system", "content": "Be brief"})
    refused(await gateway.post(PATH, {"model": "m1"}), 400, "missing_required_field", "input")


@pytest.mark.parametrize("path", ["/v1", "", "/api/v1", "/openai/v1", "/openai"])
async def test_it_is_served_under_every_base_url(gateway: Gateway, path: str) -> None:
    heard = await gateway.post(f"{path}/responses/input_tokens", {"model": "m1", "input": "Hi"})
    assert heard.status == 200
    assert heard.header("x-request-id")


async def test_what_is_wrong_is_refused(start: Start) -> None:
    gateway = await start(server={"require_model": True})
    body = {"model": "m1", "input": "Hi"}
    refused(await gateway.post(PATH, {"input": "Hi"}), 400, "missing_required_field", "model")
    refused(await gateway.post(PATH, {**body, "model": "x"}), 404, "model_not_found", "model")
    narrow = (("Authorization", f"Bearer {NARROW_KEY}"),)
    refused(await gateway.post(PATH, body, narrow), 403, "model_not_accessible", "model")
    refused(await gateway.post(PATH, body, ()), 401, "missing_api_key")
    refused(await gateway.get(PATH), 405, "method_not_allowed")


async def test_a_wrong_field_is_an_error_of_openais_client(gateway: Gateway) -> None:
    async with sdk(gateway) as client:
        with pytest.raises(openai.BadRequestError, match="truncation"):
            await client.responses.input_tokens.count(
                model="m1",
                input="Hi",
                truncation="never",  # type: ignore[arg-type]
            )
