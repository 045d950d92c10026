"""Kept responses: read, followed, listed, forgotten; each key has its own."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import openai
import pytest
from tests.api.caller import ADMIN_KEY, refused
from tests.api.responding import WEATHER, conforms, needs_schema, sdk
from tests.conftest import Gateway, Start

from infway.app import Parts
from infway.ledger.responses_sqlite import SqliteResponses


async def test_a_response_is_read_and_forgotten(start: Start) -> None:
    gateway = await start()
    async with sdk(gateway) as client:
        made = await client.responses.create(model="m1", input="Hi")
        assert await client.responses.retrieve(made.id) == made
        await client.responses.delete(made.id)
        with pytest.raises(openai.NotFoundError, match="not found"):
            await client.responses.retrieve(made.id)
        with pytest.raises(openai.NotFoundError):
            await client.responses.delete(made.id)


async def test_a_streamed_response_is_kept_as_it_ended(start: Start) -> None:
    gateway = await start()
    async with sdk(gateway) as client:
        async with client.responses.stream(model="m1", input="Hi") as events:
            async for _ in events:
                pass
            final = await events.get_final_response()
        kept = await client.responses.retrieve(final.id)
    assert (kept.output_text, kept.usage) == ("Hello", final.usage)


async def test_what_is_not_to_be_kept_is_not(start: Start) -> None:
    gateway = await start()
    made = await gateway.post("/v1/responses", {"model": "m1", "input": "Hi", "store": False})
    assert made.json["store"] is False
    heard = await gateway.get(f"/v1/responses/{made.json['id']}")
    refused(heard, 404, "response_not_found", "response_id")
    gateway = await start(responses={"store": False})
    made = await gateway.post("/v1/responses", {"model": "m1", "input": "Hi", "store": True})
    assert made.json["store"] is False


async def test_another_keys_response_is_none(start: Start) -> None:
    gateway = await start()
    made = await gateway.post("/v1/responses", {"model": "m1", "input": "Hi"})
    other = (("Authorization", f"Bearer {ADMIN_KEY}"),)
    path = f"/v1/responses/{made.json['id']}"
    for method, below in (
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/cancel"),
        ("GET", "/input_items"),
    ):
        heard = await gateway.send(method, path + below, other)
        refused(heard, 404, "response_not_found", "response_id")
    follow = {"model": "m1", "input": "Hi", "previous_response_id": made.json["id"]}
    heard = await gateway.post("/v1/responses", follow, other)
    refused(heard, 400, "previous_response_not_found", "previous_response_id")
    assert (await gateway.get(path)).status == 200


async def test_a_conversation_is_followed_back_to_its_beginning(start: Start) -> None:
    gateway = await start()
    async with sdk(gateway) as client:
        previous: str | None = None
        for turn in ("one", "two", "three"):
            made = await client.responses.create(
                model="m1", input=turn, previous_response_id=previous, instructions=f"For {turn}"
            )
            previous = made.id
    sent: Any = gateway.upstream.asked[-1].json["messages"]
    assert [message["content"] for message in sent] == [
        "For three",
        "one",
        "Hello",
        "two",
        "Hello",
        "three",
    ]


async def test_a_conversation_that_lost_a_turn_cannot_go_on(start: Start) -> None:
    gateway = await start()
    async with sdk(gateway) as client:
        first = await client.responses.create(model="m1", input="one")
        second = await client.responses.create(
            model="m1", input="two", previous_response_id=first.id
        )
        await client.responses.delete(first.id)
        with pytest.raises(openai.BadRequestError) as refusal:
            await client.responses.create(model="m1", input="3", previous_response_id=second.id)
    assert refusal.value.code == "previous_response_not_found"


async def test_an_item_is_given_by_its_id_alone(start: Start) -> None:
    gateway = await start()
    async with sdk(gateway) as client:
        made = await client.responses.create(model="m1", input="Hi")
        reference: Any = {"type": "item_reference", "id": made.output[0].id}
        await client.responses.create(
            model="m1", input=[reference, {"role": "user", "content": "?"}]
        )
        assert gateway.upstream.asked[-1].json["messages"] == [
            {"role": "assistant", "content": "Hello"},
            {"role": "user", "content": "?"},
        ]
        unknown: Any = {"type": "item_reference", "id": "msg_none"}
        with pytest.raises(openai.NotFoundError, match="msg_none"):
            await client.responses.create(model="m1", input=[unknown])


@needs_schema
async def test_the_input_is_listed_page_by_page(start: Start) -> None:
    gateway = await start()
    items: Any = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "two"},
        {"type": "function_call", "call_id": "c", "name": "weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "Rain"},
    ]
    async with sdk(gateway) as client:
        made = await client.responses.create(model="m1", input=items, tools=[WEATHER])  # type: ignore[list-item]
        found = [item async for item in client.responses.input_items.list(made.id, limit=3)]
        assert [item.type for item in found] == [
            "function_call_output",
            "function_call",
            "message",
            "message",
        ]
        page = await client.responses.input_items.list(made.id, limit=2, order="asc")
    assert page.has_more
    heard = await gateway.get(f"/v1/responses/{made.id}/input_items")
    conforms(heard.json, "ResponseItemList")
    heard = await gateway.get(f"/v1/responses/{made.id}/input_items?after=nobody")
    refused(heard, 400, "invalid_field", "after")


async def test_a_kept_response_is_not_streamed_again(start: Start) -> None:
    gateway = await start()
    made = await gateway.post("/v1/responses", {"model": "m1", "input": "Hi"})
    heard = await gateway.get(f"/v1/responses/{made.json['id']}?stream=true")
    refused(heard, 400, "invalid_field", "stream")


async def test_without_a_key_there_is_nothing_to_read(start: Start) -> None:
    gateway = await start()
    refused(await gateway.get("/v1/responses/resp_1", ()), 401, "missing_api_key")


def sharing(path: Path) -> Any:
    """Build gateways that keep their responses in one file."""

    def parts_of(built: Parts) -> Parts:
        return replace(built, responses=SqliteResponses(path))

    return parts_of


async def test_another_worker_finds_what_one_has_kept(start: Start, tmp_path: Path) -> None:
    shared = sharing(tmp_path / "responses.db")
    workers = {"workers": 2}
    one: Gateway = await start(parts_of=shared, server=workers)
    two: Gateway = await start(parts_of=shared, server=workers)
    made = await one.post("/v1/responses", {"model": "m1", "input": "Hi"})
    heard = await two.get(f"/v1/responses/{made.json['id']}")
    assert heard.json == made.json
    follow = {"model": "m1", "input": "?", "previous_response_id": made.json["id"]}
    assert (await two.post("/v1/responses", follow)).status == 200
    assert len(two.upstream.asked[0].json["messages"]) == 3  # type: ignore[arg-type]
