"""Responses over a WebSocket: turns, what one goes on from, and what becomes of those that go wrong."""

import asyncio
import json
from typing import Any

import pytest
import websockets
from tests.api.caller import NARROW_KEY, Heard
from tests.api.responding import WEATHER, called, event_conforms, events_of, needs_schema, upstreams
from tests.api.socketing import sdk_socket, socket
from tests.api.test_responses_mirrored import FRAMES
from tests.api.upstream import Asked, Script, chunk, either, fault, frames, listening, stream
from tests.conftest import Gateway, Start


async def test_openais_client_hears_the_events_of_a_text(gateway: Gateway) -> None:
    async with sdk_socket(gateway) as connection:
        await connection.response.create(model="m1", input="Hi")
        text = ""
        async for event in connection:
            if event.type == "response.output_text.delta":
                text += event.delta
            if event.type == "response.completed":
                break
    assert text == "Hello"
    assert event.response.output_text == "Hello"
    assert event.response.usage is not None
    assert event.response.usage.total_tokens == 18


@needs_schema
async def test_every_event_is_one_that_openai_describes(gateway: Gateway) -> None:
    async with socket(gateway) as one:
        await one.create(input="Hi")
        for event in await one.turn():
            event_conforms(event)


@pytest.mark.parametrize("tools", [[], [WEATHER]])
async def test_the_events_are_those_of_a_stream(start: Start, tools: list[object]) -> None:
    def say(asked: Asked) -> Script:
        return stream(*called('{"city":', '"Oslo"}')) if tools else either(asked)

    gateway = await start(say)
    body = {"model": "m1", "input": "Hi", "tools": tools}
    streamed = events_of(await gateway.post("/v1/responses", {**body, "stream": True}))
    async with socket(gateway) as one:
        await one.create(**body)
        told = await one.turn()
    assert told[0].pop("headers")["x-gateway-provider"] == "one"
    assert _same(told) == _same(streamed)


def _same(events: list[Any]) -> str:
    """Return events with the ids and the times in them left out."""
    text = json.dumps(events)
    for event in events:
        made = event.get("response", {})
        for item in (*made.get("output", ()), made):
            for name in ("id", "created_at", "completed_at"):
                text = text.replace(json.dumps(item.get(name)), "0")
    return text


async def test_frames_of_an_upstream_that_speaks_responses_are_passed_on(start: Start) -> None:
    async with listening(lambda _: stream(*FRAMES)) as behind:
        gateway = await start(upstream=behind, **upstreams("one", behind.url, "responses"))
        body = {"model": "m1", "input": "Hi", "stream": True}
        streamed = _passed(await gateway.post("/v1/responses", body))
        async with socket(gateway) as one:
            await one.create(input="Hi")
            told = await one.turn()
    assert [event["type"] for event in told] == [event["type"] for event in streamed]
    assert told[5] == streamed[5]


def _passed(heard: Heard) -> list[Any]:
    """Return the events of a stream, numbered as their maker did."""
    datas = [frame.partition(b"data: ")[2] for frame in heard.frames]
    return [json.loads(data) for data in datas if data != b"[DONE]"]


@pytest.mark.parametrize("path", ["/v1", "", "/api/v1", "/openai/v1", "/openai"])
async def test_it_is_served_under_every_base_url(gateway: Gateway, path: str) -> None:
    async with socket(gateway, f"{path}/responses?api-version=preview") as one:
        assert (await one.made(input="Hi"))["status"] == "completed"


async def test_the_lane_of_a_turn_is_told_with_each_of_its_events(gateway: Gateway) -> None:
    async with socket(gateway) as one:
        await one.create(input="Hi", stream_id="agent_1")
        assert {event["stream_id"] for event in await one.turn()} == {"agent_1"}
        await one.create(input="", stream_id="agent_2")
        assert (await one.event())["stream_id"] == "agent_2"
        await one.create(input="Hi")
        assert all("stream_id" not in event for event in await one.turn())


async def test_two_requests_at_once_are_answered_one_after_the_other(start: Start) -> None:
    go = asyncio.Event()

    def say(asked: Asked) -> Script:
        first = b"first" in asked.body
        return stream(*frames("1")[:-2], go, *frames()[-2:]) if first else stream(*frames("2"))

    gateway = await start(say)
    async with socket(gateway) as one:
        await one.create(input="first")
        await one.create(input="second")
        begun = [await one.event() for _ in range(3)]
        assert len(gateway.upstream.asked) == 1
        go.set()
        first = [*begun, *await one.turn()]
        second = await one.turn()
    for events, text in ((first, "1"), (second, "2")):
        assert [event["sequence_number"] for event in events] == list(range(len(events)))
        assert events[-1]["response"]["output"][0]["content"][0]["text"] == text


async def test_a_tool_is_called_and_its_result_goes_on_from_the_call(start: Start) -> None:
    def say(asked: Asked) -> Script:
        return stream(*frames("Rain")) if b"tool_call_id" in asked.body else stream(*called("{}"))

    gateway = await start(say)
    async with sdk_socket(gateway) as connection:
        await connection.response.create(model="m1", input="Oslo?", store=False, tools=[WEATHER])  # type: ignore[list-item]
        async for event in connection:
            if event.type == "response.completed":
                break
        call = event.response.output[0]
        assert call.type == "function_call"
        result = {"type": "function_call_output", "call_id": call.call_id, "output": "wet"}
        await connection.response.create(
            model="m1",
            store=False,
            previous_response_id=event.response.id,
            input=[result],  # type: ignore[list-item]
        )
        async for event in connection:
            if event.type == "response.completed":
                break
    assert event.response.output_text == "Rain"
    messages: Any = gateway.upstream.asked[-1].json["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "tool"]


@pytest.mark.parametrize("message", ["{", "[]", "null", '"x"', "", "\u2028", b"\xff", "[" * 5000])
async def test_what_cannot_be_read_is_refused_and_the_connection_lives(
    gateway: Gateway, message: str | bytes
) -> None:
    async with socket(gateway) as one:
        await one.say(message)
        error = await one.error()
        assert error["status"] == 400
        assert error["code"] in ("invalid_request_body", "invalid_field")
        assert (await one.made(input="Hi"))["status"] == "completed"
    assert {row.outcome for row in await gateway.rows()} == {"ok"}


@pytest.mark.parametrize(
    ("message", "status", "code", "param"),
    [
        ({"input": None}, 400, "missing_required_field", "input"),
        ({"type": "response.steer"}, 400, "invalid_field", "type"),
        ({"type": None}, 400, "invalid_field", "type"),
        ({"type": 1}, 400, "invalid_field", "type"),
        ({"model": "nobody"}, 404, "model_not_found", "model"),
        ({"background": True}, 400, "invalid_field", "background"),
        ({"stream_id": "a b"}, 400, "invalid_field", "stream_id"),
        ({"temperature": 9}, 400, "invalid_field", "temperature"),
        ({"prompt": {"id": "p"}}, 400, "invalid_field", "prompt"),
    ],
)
async def test_a_wrong_request_is_refused_with_the_field(
    gateway: Gateway, message: dict[str, Any], status: int, code: str, param: str
) -> None:
    async with socket(gateway) as one:
        error = await one.refused(**{"input": "Hi", **message})
        assert (error["status"], error["code"], error["param"]) == (status, code, param)
        assert (await one.made(input="Hi"))["status"] == "completed"


async def test_an_upstreams_refusal_is_an_error_of_the_turn_alone(start: Start) -> None:
    def say(asked: Asked) -> Script:
        return fault(429, headers=("retry-after: 7",)) if b"no" in asked.body else either(asked)

    gateway = await start(say, attempts={"max": 1})
    async with socket(gateway) as one:
        error = await one.refused(input="no")
        assert (error["status"], error["code"]) == (429, "upstream_rate_limited")
        assert error["headers"]["retry-after"] == "7"
        assert error["headers"]["x-gateway-attempts"] == "one:rate_limited"


async def test_a_stream_that_breaks_ends_its_turn_with_one_event(start: Start) -> None:
    def say(asked: Asked) -> Script:
        cut = b"cut" in asked.body
        return stream(chunk({"content": "Hel"}), cut=True) if cut else either(asked)

    gateway = await start(say)
    async with socket(gateway) as one:
        await one.create(input="cut")
        failed = (await one.turn())[-1]
        assert failed["type"] == "response.failed"
        assert (await one.made(input="Hi"))["status"] == "completed"


@pytest.mark.parametrize(("key", "status"), [(None, 401), ("wrong", 401), ("", 401)])
async def test_without_its_key_nothing_is_opened(
    gateway: Gateway, caplog: pytest.LogCaptureFixture, key: str | None, status: int
) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with socket(gateway, key=key):
            pass
    reply = refused.value.response
    assert reply.status_code == status
    assert reply.headers["www-authenticate"] == "Bearer"
    assert reply.headers["x-request-id"]
    assert json.loads(reply.body or b"")["errors"][0]["code"].endswith(("api_key", "header"))
    assert caplog.records == []


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses/resp_1", "/nowhere", "/"])
async def test_no_other_path_opens_a_websocket(gateway: Gateway, path: str) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with socket(gateway, path):
            pass
    reply = refused.value.response
    assert reply.status_code == 404
    assert json.loads(reply.body or b"")["error"]["code"] == "endpoint_not_found"


async def test_a_key_uses_its_own_models_alone(gateway: Gateway) -> None:
    async with socket(gateway, key=NARROW_KEY) as one:
        error = await one.refused(input="Hi")
        assert (error["status"], error["code"]) == (403, "model_not_accessible")
        assert (await one.made(input="Hi", model="m2"))["model"] == "m2"


async def test_every_turn_is_settled_like_a_request(gateway: Gateway) -> None:
    async with socket(gateway) as one:
        made = [await one.made(input="Hi") for _ in range(2)]
    rows = [row for row in await gateway.rows() if row.attempt == 0]
    assert [(row.outcome, row.status, row.stream, row.prompt_tokens) for row in rows] == [
        ("ok", 200, 1, 11)
    ] * 2
    assert [f"resp_{row.request}" for row in rows] == [response["id"] for response in made]
