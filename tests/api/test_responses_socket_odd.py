"""Odd values in every field of a WebSocket's messages: never a fault of infway, and the connection lives."""

import pytest
from msgspec.structs import fields
from tests.api.socketing import socket
from tests.conftest import Gateway

from infway.api.responses.schema import ResponsesBody
from infway.api.responses.socket import CreateEvent

ODD = (
    None, True, -1, 0, 2**70, 1e308, "", "\u0000", "x" * 300, [], {}, [None], [[]], [{}], {"type": 1},
    [{"type": "message"}], [{"type": "function_call_output", "call_id": [], "output": 1}],
    [{"type": "function_call", "call_id": {}, "name": "f", "arguments": "{}"}],
)  # fmt: skip
NAMES = sorted({one.name for kind in (ResponsesBody, CreateEvent) for one in fields(kind)})


@pytest.mark.parametrize("name", [*NAMES, "new"])
async def test_no_odd_value_of_a_field_makes_a_turn_fail(gateway: Gateway, name: str) -> None:
    async with socket(gateway) as one:
        for value in ODD:
            await one.create(**{"input": "Hi", name: value})
            end = (await one.turn())[-1]
            if end["type"] == "error":
                assert 400 <= end["status"] < 500, (value, end)
            else:
                assert end["type"] == "response.completed", (value, end)
        assert (await one.made(input="Hi"))["status"] == "completed"


async def test_an_odd_result_after_a_turn_is_refused(gateway: Gateway) -> None:
    async with socket(gateway) as one:
        for id_ in ([], {}, None, 1, ["x"]):
            made = await one.made(input="Hi", store=False)
            result = {"type": "function_call_output", "call_id": id_, "output": "x"}
            error = await one.refused(input=[result], previous_response_id=made["id"])
            assert (error["status"], error["param"]) == (400, "input[0].call_id")
