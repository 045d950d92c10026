"""Where responses are served, to whom, and what becomes of those that go wrong."""

import json

import openai
import pytest
from tests.api.caller import BEARER, JSON, NARROW_KEY, refused
from tests.api.responding import events_of, sdk
from tests.api.upstream import Asked, Script, chunk, either, stream, whole
from tests.conftest import Start


async def test_a_stream_that_breaks_fails_and_raises_in_the_sdk(start: Start) -> None:
    gateway = await start(lambda _: stream(chunk({"content": "Hel"}), cut=True))
    body = {"model": "m1", "input": "Hi", "stream": True}
    *_, failed, error = events_of(await gateway.post("/v1/responses", body))
    assert failed["type"] == "response.failed"
    assert failed["response"]["error"]["code"] == "server_error"
    assert failed["response"]["output"][0]["content"][0]["text"] == "Hel"
    assert (error["type"], error["code"]) == ("error", "upstream_disconnected")
    async with sdk(gateway) as client:
        with pytest.raises(openai.APIError, match="broke off"):
            async for _ in await client.responses.create(model="m1", input="Hi", stream=True):
                pass


async def test_an_error_before_the_first_byte_keeps_its_status(start: Start) -> None:
    gateway = await start(lambda _: whole({"error": {"message": "no"}}, status=400))
    heard = await gateway.post("/v1/responses", {"model": "m1", "input": "Hi", "stream": True})
    assert (heard.status, heard.code) == (400, "upstream_rejected")


async def test_a_key_uses_its_own_models_alone(start: Start) -> None:
    gateway = await start()
    headers = (("Authorization", f"Bearer {NARROW_KEY}"),)
    body = {"model": "m1", "input": "Hi"}
    refused(
        await gateway.post("/v1/responses", body, headers), 403, "model_not_accessible", "model"
    )
    heard = await gateway.post("/v1/responses", {**body, "model": "m2"}, headers)
    assert heard.status == 200


@pytest.mark.parametrize("path", ["/v1", "", "/api/v1", "/openai/v1", "/openai"])
async def test_it_is_served_under_every_base_url(start: Start, path: str) -> None:
    gateway = await start()
    made = await gateway.post(
        f"{path}/responses?api-version=preview", {"model": "m1", "input": "Hi"}
    )
    assert made.status == 200
    heard = await gateway.get(f"{path}/responses/{made.json['id']}")
    assert heard.json == made.json


async def test_the_cost_is_told_where_it_was_asked_for(start: Start) -> None:
    gateway = await start()
    body = {"model": "m1", "input": "Hi", "usage": {"include": True}}
    heard = await gateway.post("/v1/responses", body)
    assert heard.json["cost"] == pytest.approx((11 * 2.5 + 7 * 10) / 1e6)


async def test_a_client_that_leaves_ends_its_request(start: Start) -> None:
    def say(asked: Asked) -> Script:
        return stream(chunk({"content": "Hel"}), 20.0) if asked.body else either(asked)

    gateway = await start(say)
    async with gateway.line() as line:
        body = json.dumps({"model": "m1", "input": "Hi", "stream": True}).encode()
        line.send("POST", "/v1/responses", (BEARER, JSON), body)
        await line.head()
        await line.piece()
        line.hang_up()
    await gateway.upstream.gone.wait()
