"""How a WebSocket of Responses lives: what it remembers, how much it takes, and how it ends."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
import websockets
from tests.api.caller import KEY
from tests.api.serving import served
from tests.api.socketing import Socket, socket
from tests.api.upstream import chunk, frames, listening, stream
from tests.conftest import Gateway, Start, settled, upstream_settings

from infway.app import App, Parts, parts
from infway.kernel.clock import Clock
from infway.kernel.errors import StoppedError
from infway.ledger.sqlite import SqliteLedger


def _messages(gateway: Gateway) -> list[Any]:
    messages: Any = gateway.upstream.asked[-1].json["messages"]
    return [message["content"] for message in messages]


@pytest.mark.parametrize("store", [True, False])
async def test_a_conversation_goes_on_over_many_turns(gateway: Gateway, store: bool) -> None:
    async with socket(gateway) as one:
        last = None
        for word in ("one", "two", "three"):
            last = (await one.made(input=word, store=store, previous_response_id=last))["id"]
    assert _messages(gateway) == ["one", "Hello", "two", "Hello", "three"]


async def test_a_turn_may_go_on_from_one_that_was_asked_for_otherwise(gateway: Gateway) -> None:
    made = (await gateway.post("/v1/responses", {"model": "m1", "input": "kept"})).json
    async with socket(gateway) as one:
        local = await one.made(input="local", store=False, previous_response_id=made["id"])
        stored = await one.made(input="stored", previous_response_id=local["id"])
    assert _messages(gateway) == ["kept", "Hello", "local", "Hello", "stored"]
    heard = await gateway.get(f"/v1/responses/{stored['id']}")
    assert heard.json["previous_response_id"] == local["id"]
    assert (await gateway.get(f"/v1/responses/{local['id']}")).status == 404


async def test_a_stored_turn_that_follows_unstored_ones_is_gone_on_from(gateway: Gateway) -> None:
    async with socket(gateway) as one:
        last: str | None = None
        for word, store in (("A", False), ("B", False), ("C", True), ("D", True), ("E", False)):
            last = (await one.made(input=word, store=store, previous_response_id=last))["id"]
        await one.made(input="F", previous_response_id=last)
    asked = [word for word in _messages(gateway) if word != "Hello"]
    assert asked == ["A", "B", "C", "D", "E", "F"]


async def test_what_is_not_to_be_stored_is_known_to_its_own_connection_alone(
    gateway: Gateway,
) -> None:
    async with socket(gateway) as one:
        local = await one.made(input="local", store=False)
        stored = await one.made(input="stored", previous_response_id=local["id"])
        async with socket(gateway) as other:
            error = await other.refused(input="Hi", previous_response_id=stored["id"])
            assert (error["code"], error["param"]) == (
                "previous_response_not_found", "previous_response_id",
            )  # fmt: skip
            assert local["id"] in error["message"]
            assert "was not stored" in error["message"]
        forgotten = await gateway.send("DELETE", f"/v1/responses/{stored['id']}")
        assert forgotten.status == 200
        error = await one.refused(input="Hi", previous_response_id=stored["id"])
        assert error["code"] == "previous_response_not_found"


async def test_items_of_earlier_turns_may_be_given_by_their_id(gateway: Gateway) -> None:
    async with socket(gateway) as one:
        made = await one.made(input="one", store=False)
        again = {"type": "item_reference", "id": made["output"][0]["id"]}
        await one.made(input=[again, {"role": "user", "content": "two"}], store=False)
    assert _messages(gateway) == ["Hello", "two"]


async def test_where_nothing_is_kept_a_connection_still_remembers(start: Start) -> None:
    gateway = await start(responses={"store": False})
    async with socket(gateway) as one:
        made = await one.made(input="one")
        assert made["store"] is False
        await one.made(input="two", previous_response_id=made["id"])
    assert _messages(gateway) == ["one", "Hello", "two"]


async def test_a_warming_turn_needs_no_input_and_a_model_that_is_there(gateway: Gateway) -> None:
    async with socket(gateway) as one:
        warm = await one.made(generate=False, input=[], instructions="Be brief", store=False)
        assert warm["usage"]["total_tokens"] == 0
        await one.made(input="Hi", previous_response_id=warm["id"], instructions="Be brief")
        assert (await one.refused(generate=False, model="nobody"))["code"] == "model_not_found"
    assert _messages(gateway) == ["Be brief", "Hi"]
    assert len(await gateway.rows()) == 2


async def test_what_is_remembered_has_a_limit(start: Start) -> None:
    gateway = await start(server={"body_limit": 4096})
    async with socket(gateway) as one:
        first = await one.made(input="x" * 2000, store=False)
        await one.made(input="y" * 2000, store=False)
        error = await one.refused(input="Hi", store=False, previous_response_id=first["id"])
        assert error["code"] == "previous_response_not_found"


async def test_a_message_beyond_the_limit_is_refused(start: Start) -> None:
    gateway = await start(server={"body_limit": 2048})
    async with socket(gateway) as one:
        error = await one.refused(input="ü" * 1500)
        assert (error["status"], error["code"]) == (413, "payload_too_large")
        await one.made(input="ü" * 300)


async def test_more_requests_than_may_wait_are_refused(start: Start) -> None:
    go = asyncio.Event()
    gateway = await start(lambda _: stream(*frames("1")[:-2], go, *frames()[-2:]))
    async with socket(gateway) as one:
        await one.create(input="Hi")
        await gateway.upstream.reached.wait()
        for place in range(66):
            await one.create(input="Hi", stream_id=f"lane_{place}")
        await one.say("{ no JSON")
        await one.wire.ping()
        go.set()
        ended = [(await one.turn())[-1]["type"] for _ in range(65)]
        refused = [await one.event() for _ in range(3)]
    assert set(ended) == {"response.completed"}
    assert [told.get("stream_id") for told in refused] == ["lane_64", "lane_65", None]
    for told in refused:
        assert (told["status"], told["error"]["code"]) == (429, "concurrent_requests_exceeded")


async def test_more_refusals_than_may_wait_are_all_told_in_the_end(start: Start) -> None:
    go = asyncio.Event()
    gateway = await start(lambda _: stream(*frames("1")[:-2], go, *frames()[-2:]))
    async with socket(gateway) as one:
        await one.create(input="Hi")
        await gateway.upstream.reached.wait()
        for _ in range(200):
            await one.create(input="Hi")
        go.set()
        ended = [(await one.turn())[-1]["type"] for _ in range(201)]
    assert ended.count("response.completed") + ended.count("error") == 201
    assert ended[:65] == ["response.completed"] * 65


async def test_pings_are_answered_while_an_answer_is_made(start: Start) -> None:
    gateway = await start(lambda _: stream(chunk({"content": "Hel"}), 20.0))
    async with socket(gateway) as one:
        await one.create(input="Hi")
        await one.event()
        await asyncio.wait_for(await one.wire.ping(), 10)


async def test_a_connection_on_which_nothing_is_asked_is_closed(start: Start) -> None:
    gateway = await start(server={"socket_idle": 0.05})
    async with socket(gateway) as one:
        assert await one.closed() == (1001, "idle")


async def test_an_answer_may_take_longer_than_a_connection_may_be_idle(start: Start) -> None:
    gateway = await start(
        lambda _: stream(*frames("1")[:-2], 2.0, *frames()[-2:]), server={"socket_idle": 1.0}
    )
    async with socket(gateway) as one:
        await one.made(input="Hi")


async def test_a_connection_takes_no_more_after_an_hour(start: Start) -> None:
    shift = 0.0

    def late(built: Parts) -> Parts:
        clock = built.clock
        return replace(built, clock=Clock(lambda: clock.monotonic() + shift, clock.wall))

    gateway = await start(parts_of=late)
    async with socket(gateway) as one:
        await one.made(input="Hi")
        shift = 3601.0
        error = await one.refused(input="Hi")
        assert error["code"] == "websocket_connection_limit_reached"
        assert await one.closed() == (1001, "too old")


async def test_a_key_that_is_taken_back_asks_no_more(gateway: Gateway) -> None:
    async with socket(gateway) as one:
        await one.made(input="Hi")
        keys = [{"name": "new", "key": "another-key-0123456789"}]
        tree = {"upstreams": [upstream_settings("one", gateway.upstream, "m1")], "keys": keys}
        gateway.app.swap(*settled(tree))
        assert (await one.refused(input="Hi"))["code"] == "invalid_api_key"


async def test_a_client_that_leaves_ends_its_turn_and_those_that_wait(start: Start) -> None:
    gateway = await start(lambda _: stream(chunk({"content": "Hel"}), 20.0))
    async with socket(gateway) as one:
        await one.create(input="Hi")
        await one.create(input="one that waits")
        while (await one.event())["type"] != "response.output_text.delta":
            pass
        one.wire.transport.abort()
    await asyncio.wait_for(gateway.upstream.gone.wait(), 10)
    assert len(gateway.upstream.asked) == 1
    rows = await gateway.rows()
    assert [(row.attempt, row.outcome) for row in rows] == [(0, "client_gone"), (1, "client_gone")]


async def test_at_a_stop_an_answer_is_ended_before_its_connection(tmp_path: Any) -> None:
    go = asyncio.Event()
    headers = {"Authorization": f"Bearer {KEY}"}
    async with listening(lambda _: stream(*frames("1")[:-2], go, *frames()[-2:])) as behind:
        tree = {"upstreams": [upstream_settings("one", behind, "m1")]}
        app = App(*settled(tree), parts(SqliteLedger(tmp_path / "one.db"), 7))
        server = served(app.front)
        url = f"ws://127.0.0.1:{await server.__aenter__()}/v1/responses"
        idle = Socket(await websockets.connect(url, additional_headers=headers))
        busy = Socket(await websockets.connect(url, additional_headers=headers))
        await busy.create(input="Hi")
        await behind.reached.wait()
        stopping = asyncio.create_task(server.__aexit__(None, None, None))
        assert await idle.closed() == (1012, "the gateway stops")
        go.set()
        assert (await busy.turn())[-1]["type"] == "response.completed"
        assert await busy.closed() == (1012, "the gateway stops")
        await stopping


async def test_an_answer_that_may_not_end_is_ended_with_an_event_and_settled(start: Start) -> None:
    def stopped() -> StoppedError:
        return StoppedError(503, "service_unavailable", "infway stops.", retry_after=1)

    gateway = await start(lambda _: stream(chunk({"content": "Hel"}), 20.0))
    async with socket(gateway) as idle, socket(gateway) as busy:
        await busy.create(input="Hi")
        while (await busy.event())["type"] != "response.output_text.delta":
            pass
        assert gateway.app.front.intake.end_all(stopped) == 2
        assert (await busy.turn())[-1]["type"] == "response.failed"
        assert await idle.closed() == (1012, "the gateway stops")
    rows = await gateway.rows()
    assert [(row.attempt, row.outcome) for row in rows] == [(0, "stopped"), (1, "stopped")]


async def test_an_upgrade_that_is_none_is_refused(gateway: Gateway) -> None:
    upgrade = (("Connection", "Upgrade"), ("Upgrade", "websocket"))
    for method in ("GET", "POST"):
        heard = await gateway.send(method, "/v1/responses", upgrade, b"")
        assert heard.status in (400, 405, 426)
    assert (await gateway.chat()).status == 200
    assert json.loads((await gateway.chat()).body)["object"] == "chat.completion"
