"""The cases of Open Responses' compliance suite that go over a WebSocket, against every kind of upstream.

What each sends and looks for: the suite's `websocket-*` templates, of the specification of 2026-04-24.
"""

from typing import Any

import pytest
from tests.api.responding import upstreams
from tests.api.socketing import Event, Socket, socket
from tests.api.test_open_responses import EVENTS, UPSTREAMS, check_response
from tests.api.upstream import listening
from tests.conftest import Gateway, Start

NOT_FOUND = (400, "previous_response_not_found", "previous_response_id")


async def _turn(one: Socket, **fields: object) -> Event:
    """Return the response that a turn ends with, once all its events were looked at."""
    await one.create(**fields)
    events = await one.turn()
    for event in events:
        assert event["type"] in EVENTS
        assert not EVENTS[event["type"]] - event.keys()
        if "response" in event:
            check_response(event["response"])
    made: Event = events[-1]["response"]
    assert made["status"] == "completed"
    return made


async def _refused(one: Socket, **fields: object) -> tuple[int, str, str | None]:
    error = await one.refused(**fields)
    return error["status"], error["code"], error["param"]


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_websocket_response(start: Start, dialect: str) -> None:
    said = [{"type": "message", "role": "user", "content": "Count from 1 to 3."}]
    async with listening(UPSTREAMS[dialect]) as behind:
        gateway = await start(upstream=behind, **upstreams("one", behind.url, dialect))
        async with socket(gateway) as one:
            made = await _turn(one, input=said)
    assert [item["type"] for item in made["output"]] == ["message"]


async def test_websocket_sequential_responses(gateway: Gateway) -> None:
    async with socket(gateway) as one:
        ids = {(await _turn(one, store=False, input=word))["id"] for word in ("first", "second")}
    assert len(ids) == 2


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_websocket_continuation(start: Start, dialect: str) -> None:
    async with listening(UPSTREAMS[dialect]) as behind:
        gateway = await start(upstream=behind, **upstreams("one", behind.url, dialect))
        async with socket(gateway) as one:
            first = await _turn(one, store=False, input="Remember the code word: cobalt.")
            second = await _turn(
                one, store=False, previous_response_id=first["id"], input="What is the code word?"
            )
    assert second["previous_response_id"] == first["id"]
    assert b"cobalt" in behind.asked[-1].body


async def test_websocket_reconnect_store_false_recovery(gateway: Gateway) -> None:
    async with socket(gateway) as one:
        first = await _turn(one, store=False, input="Remember the code word: copper.")
    async with socket(gateway) as again:
        fields: dict[str, Any] = {"store": False, "previous_response_id": first["id"]}
        assert await _refused(again, **fields, input="Go on") == NOT_FOUND
        await _turn(again, store=False, input="Start anew")


async def test_websocket_previous_response_not_found(gateway: Gateway) -> None:
    async with socket(gateway) as one:
        missing = "resp_openresponses_missing_1"
        refused = await _refused(one, store=False, previous_response_id=missing, input="Go on")
    assert refused == NOT_FOUND


async def test_websocket_failed_continuation_evicts_cache(gateway: Gateway) -> None:
    async with socket(gateway) as one:
        first = await _turn(one, store=False, input="Remember the code word: ember.")
        fields: dict[str, Any] = {"store": False, "previous_response_id": first["id"]}
        result = {"type": "function_call_output", "call_id": "call_missing", "output": "No call"}
        assert await _refused(one, **fields, input=[result]) == (
            400, "invalid_field", "input[0].call_id",
        )  # fmt: skip
        assert await _refused(one, **fields, input="Go on") == NOT_FOUND


async def test_websocket_generate_false(gateway: Gateway) -> None:
    async with socket(gateway) as one:
        warm = await _turn(one, store=False, generate=False, input="Remember: slate.")
        assert warm["output"] == []
        assert gateway.upstream.asked == []
        await _turn(one, store=False, previous_response_id=warm["id"], input="What was it?")
    messages: Any = gateway.upstream.asked[-1].json["messages"]
    assert [message["content"] for message in messages] == ["Remember: slate.", "What was it?"]
