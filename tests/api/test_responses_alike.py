"""What one way of asking for a response refuses or tells, and the others do as well."""

import pytest
from tests.api.caller import Heard, refused
from tests.api.responding import WEATHER, called, upstreams
from tests.api.socketing import socket
from tests.api.test_responses_mirrored import mirroring, say
from tests.api.upstream import Asked, Script, either, listening, stream
from tests.conftest import Gateway, Start

PATH = "/v1/responses"
RESULT = {"type": "function_call_output", "call_id": "call_none", "output": "wet"}


@pytest.mark.parametrize("background", [False, True])
async def test_several_models_are_refused_now_and_later(gateway: Gateway, background: bool) -> None:
    body = {"model": {"imsn": 2}, "input": "Hi", "background": background}
    refused(await gateway.post(PATH, body), 400, "invalid_field", "model.imsn")
    assert gateway.upstream.asked == []


@pytest.mark.parametrize("path", [PATH, f"{PATH}/input_tokens"])
async def test_a_result_that_answers_no_call_before_it_is_refused(
    gateway: Gateway, path: str
) -> None:
    made = (await gateway.post(PATH, {"model": "m1", "input": "Hi"})).json
    body = {"model": "m1", "previous_response_id": made["id"], "input": [RESULT]}
    heard = await gateway.post(path, body)
    refused(heard, 400, "invalid_field", "input[0].call_id")
    said = "No tool call found for function call output with call_id call_none."
    assert heard.json["error"]["message"] == said
    async with socket(gateway) as one:
        error = await one.refused(**body)
        assert (error["message"], error["param"]) == (said, "input[0].call_id")


async def test_a_result_that_answers_a_call_before_it_goes_on(start: Start) -> None:
    def answer(asked: Asked) -> Script:
        calls = b"tool_call_id" not in asked.body
        return stream(*called("{}", id_="call_none")) if calls else either(asked)

    gateway = await start(answer)
    async with socket(gateway) as one:
        made = await one.made(input="Oslo?", tools=[WEATHER])
    body = {"model": "m1", "previous_response_id": made["id"], "input": [RESULT]}
    assert (await gateway.post(PATH, body)).status == 200


async def test_a_compacted_turn_may_hold_the_call_that_is_answered(start: Start) -> None:
    compacted = {"type": "compaction", "id": "cmp_1", "encrypted_content": "x"}
    async with listening(say) as behind:
        gateway = await mirroring(start, behind)
        made = (await gateway.post(PATH, {"model": "m1", "input": [compacted]})).json
        body = {"model": "m1", "previous_response_id": made["id"], "input": [RESULT]}
        assert (await gateway.post(PATH, body)).status == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [("input", [{"type": "wat"}]), ("tools", [{"type": "wat"}])],
)
async def test_what_no_upstream_of_the_model_takes_is_not_counted(
    gateway: Gateway, field: str, value: object
) -> None:
    body = {"model": "m1", "input": "Hi", field: value}
    made, counted = [await gateway.post(path, body) for path in (PATH, f"{PATH}/input_tokens")]
    for heard in (made, counted):
        refused(heard, 400, "unsupported_parameter", f"{field}[0].type")
    assert made.json["error"]["message"] == counted.json["error"]["message"]


async def test_a_request_that_is_too_long_for_its_model_is_counted(start: Start) -> None:
    gateway = await start(**upstreams("one", "http://127.0.0.1:1", "openai", context=100))
    body = {"model": "m1", "input": "many words " * 200}
    assert (await gateway.post(f"{PATH}/input_tokens", body)).json["input_tokens"] > 300


def _is_private(heard: Heard) -> bool:
    return heard.status == 200 and heard.header("cache-control") == "private, no-store"


async def test_no_cache_keeps_what_is_told_of_a_response(gateway: Gateway) -> None:
    made = await gateway.post(PATH, {"model": "m1", "input": "Hi"})
    later = await gateway.post(PATH, {"model": "m1", "input": "Hi", "background": True})
    path = f"{PATH}/{made.json['id']}"
    assert _is_private(made)
    assert _is_private(later)
    assert _is_private(await gateway.get(path))
    assert _is_private(await gateway.get(f"{path}/input_items"))
    assert _is_private(await gateway.send("POST", f"{PATH}/{later.json['id']}/cancel"))
    assert _is_private(await gateway.send("DELETE", path))


async def test_the_first_event_of_a_turn_tells_the_requests_id(gateway: Gateway) -> None:
    async with socket(gateway) as one:
        for fields in ({}, {"generate": False}):
            await one.create(input="Hi", **fields)
            first, *_, end = await one.turn()
            assert f"resp_{first['headers']['x-request-id']}" == end["response"]["id"]


async def test_a_refused_message_keeps_the_lane_of_its_turn(gateway: Gateway) -> None:
    async with socket(gateway) as one:
        await one.create(input="Hi", background=True, stream_id="agent_1")
        told = await one.event()
        assert (told["type"], told["stream_id"]) == ("error", "agent_1")
