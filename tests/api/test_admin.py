"""What only admin keys may see."""

import asyncio
import json

import pytest
from tests.api.caller import ADMIN, BEARER, JSON, chat_body, refused
from tests.api.upstream import chunk, frames, stream
from tests.conftest import Gateway, Start

PATH = "/v1/chat/completions"
PATHS = ("/admin/decisions", "/admin/decisions/some", "/admin/decisions/live")


@pytest.mark.parametrize("path", PATHS)
async def test_decisions_are_for_admin_keys_only(gateway: Gateway, path: str) -> None:
    refused(await gateway.get(path, ()), 401, "missing_api_key")
    refused(await gateway.get(path, (BEARER,)), 403, "permission_denied")
    refused(await gateway.get(path, (("x-api-key", "wrong"),)), 401, "invalid_api_key")
    refused(await gateway.get(path, (ADMIN, ADMIN)), 400, "multiple_api_keys")


async def test_the_last_decisions_are_listed_newest_first(gateway: Gateway) -> None:
    ids = [(await gateway.chat()).header("x-request-id") for _ in range(3)]
    heard = await gateway.get("/admin/decisions?count=2", (ADMIN,))
    assert [one["id"] for one in heard.json["data"]] == [ids[2], ids[1]]
    newest = heard.json["data"][0]
    assert (newest["key"], newest["asked"], newest["outcome"], newest["status"]) == (
        "tests", "m1", "ok", 200,
    )  # fmt: skip
    assert newest["attempts"][0]["offer"] == "one/m1"


async def test_a_decision_is_explained_by_either_of_its_ids(gateway: Gateway) -> None:
    reply = await gateway.chat(model=None)
    for name in (reply.header("x-request-id"), reply.json["id"]):
        heard = await gateway.get(f"/admin/decisions/{name}", (ADMIN,))
        assert heard.json["id"] == reply.header("x-request-id")
        assert heard.json["decision"]
    refused(await gateway.get("/admin/decisions/none", (ADMIN,)), 404, "decision_not_found")


@pytest.mark.parametrize("count", ["0", "1001", "x", "", "1e3"])
async def test_a_wrong_count_is_named(gateway: Gateway, count: str) -> None:
    heard = await gateway.get(f"/admin/decisions?count={count}", (ADMIN,))
    refused(heard, 400, "invalid_field", "count")


async def test_the_live_feed_tells_also_of_a_request_that_was_running_before(start: Start) -> None:
    go = asyncio.Event()
    gateway = await start(lambda _: stream(chunk({"content": "a"}), go, *frames("b")[1:]))
    async with gateway.line() as line, gateway.line() as feed:
        line.send("POST", PATH, (BEARER, JSON), json.dumps(chat_body(stream=True)).encode())
        _, headers = await line.head()
        feed.send("GET", "/admin/decisions/live", (ADMIN,))
        await feed.head()
        go.set()
        event = (await asyncio.wait_for(feed.piece(), 5)).decode()
    assert dict(headers)["x-request-id"] in event


async def test_the_live_feed_tells_each_request_once_it_is_over(gateway: Gateway) -> None:
    await gateway.chat()
    async with gateway.line() as line:
        line.send("GET", "/admin/decisions/live", (ADMIN,))
        status, headers = await line.head()
        assert status == 200
        assert dict(headers)["content-type"].startswith("text/event-stream")
        reply = await gateway.chat(model="m2")
        event = (await asyncio.wait_for(line.piece(), 5)).decode()
    (data,) = [part[6:] for part in event.splitlines() if part.startswith("data: ")]
    told = json.loads(data)
    assert told["id"] == reply.header("x-request-id")
    assert told["asked"] == "m2"
