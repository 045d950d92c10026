"""Responses that are made after their caller was answered."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import openai
import pytest
from openai.types.responses import Response
from tests.api.caller import refused
from tests.api.responding import events_of, sdk
from tests.api.serving import served
from tests.api.upstream import (
    Asked,
    Script,
    Upstream,
    answer,
    chunk,
    fault,
    frames,
    listening,
    stream,
    whole,
)
from tests.conftest import Start, settled, upstream_settings

from infway.app import App, parts
from infway.kernel.clock import Clock
from infway.ledger.responses import Kept
from infway.ledger.responses_sqlite import SqliteResponses
from infway.ledger.sqlite import SqliteLedger


async def _over(client: openai.AsyncOpenAI, id_: str) -> Response:
    async with asyncio.timeout(10):
        while (made := await client.responses.retrieve(id_)).status in ("queued", "in_progress"):
            await asyncio.sleep(0.02)
    return made


def waiting(event: asyncio.Event) -> "Script":
    """Answer `Hello` once an event has happened."""
    body = whole(answer()).pieces[0]
    return Script([b"", event, body][1:], kind="application/json")


async def test_a_background_response_is_there_at_once_and_made_later(start: Start) -> None:
    go = asyncio.Event()
    gateway = await start(lambda _: waiting(go))
    async with sdk(gateway) as client:
        begun = await client.responses.create(
            model="m1", input="Hi", background=True, metadata={"a": "b"}
        )
        assert (begun.status, begun.background, begun.output) == ("queued", True, [])
        await gateway.upstream.reached.wait()
        assert (await client.responses.retrieve(begun.id)).status == "in_progress"
        with pytest.raises(openai.BadRequestError, match="still being made"):
            await client.responses.create(model="m1", input="?", previous_response_id=begun.id)
        go.set()
        made = await _over(client, begun.id)
        assert (made.status, made.output_text) == ("completed", "Hello")
        assert (made.created_at, made.metadata) == (begun.created_at, {"a": "b"})
        follow = await client.responses.create(model="m1", input="?", previous_response_id=begun.id)
        assert follow.output_text == "Hello"
    assert {row.outcome for row in await gateway.rows()} == {"ok"}


async def test_a_cancelled_response_ends_its_request(start: Start) -> None:
    gateway = await start(lambda _: waiting(asyncio.Event()))
    async with sdk(gateway) as client:
        begun = await client.responses.create(model="m1", input="Hi", background=True)
        await gateway.upstream.reached.wait()
        assert (await client.responses.cancel(begun.id)).status == "cancelled"
        await gateway.upstream.gone.wait()
        assert (await client.responses.cancel(begun.id)).status == "cancelled"
        assert (await client.responses.retrieve(begun.id)).status == "cancelled"
    assert {row.outcome for row in await gateway.rows()} == {"client_gone"}


async def test_a_forgotten_response_ends_its_request(start: Start) -> None:
    gateway = await start(lambda _: waiting(asyncio.Event()))
    async with sdk(gateway) as client:
        begun = await client.responses.create(model="m1", input="Hi", background=True)
        await gateway.upstream.reached.wait()
        await client.responses.delete(begun.id)
        await asyncio.wait_for(gateway.upstream.gone.wait(), 10)
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(begun.id)


async def test_another_worker_can_cancel(start: Start, tmp_path: Path) -> None:
    def shared(built: object) -> object:
        return replace(built, responses=SqliteResponses(tmp_path / "r.db"))  # type: ignore[type-var]

    one = await start(lambda _: waiting(asyncio.Event()), parts_of=shared)
    two = await start(parts_of=shared)
    async with sdk(one) as client, sdk(two) as other:
        begun = await client.responses.create(model="m1", input="Hi", background=True)
        await one.upstream.reached.wait()
        assert (await other.responses.cancel(begun.id)).status == "cancelled"
        await asyncio.wait_for(one.upstream.gone.wait(), 10)
        assert (await client.responses.retrieve(begun.id)).status == "cancelled"


async def test_a_failure_is_kept_with_its_reason(start: Start) -> None:
    gateway = await start(lambda _: fault(400, "Too odd"))
    async with sdk(gateway) as client:
        begun = await client.responses.create(model="m1", input="Hi", background=True)
        made = await _over(client, begun.id)
    assert made.status == "failed"
    assert made.error is not None
    assert (made.error.code, made.error.message) == ("server_error", "Too odd")


async def test_only_what_is_made_in_the_background_can_be_cancelled(start: Start) -> None:
    gateway = await start()
    made = await gateway.post("/v1/responses", {"model": "m1", "input": "Hi"})
    heard = await gateway.send("POST", f"/v1/responses/{made.json['id']}/cancel")
    refused(heard, 400, "invalid_field", "response_id")


async def test_a_streamed_background_response_is_made_to_its_end_whoever_listens(
    start: Start,
) -> None:
    go = asyncio.Event()
    gateway = await start(lambda _: stream(chunk({"content": "Hel"}), go, *frames("lo")))
    async with sdk(gateway) as client:
        events = await client.responses.create(model="m1", input="Hi", background=True, stream=True)
        id_ = ""
        async for event in events:
            if event.type == "response.created":
                id_ = event.response.id
            if event.type == "response.output_text.delta":
                break
        await events.close()
        assert (await client.responses.retrieve(id_)).status == "in_progress"
        go.set()
        made = await _over(client, id_)
        assert (made.status, made.output_text) == ("completed", "Hello")
        heard = await gateway.post(
            "/v1/responses", {"model": "m1", "input": "Hi", "background": True, "stream": True}
        )
    assert events_of(heard)[-1]["response"]["status"] == "completed"


async def test_what_cannot_come_later_is_refused(start: Start) -> None:
    gateway = await start()
    body = {"model": "m1", "input": "Hi", "background": True, "store": False}
    refused(await gateway.post("/v1/responses", body), 400, "invalid_field", "store")
    gateway = await start(responses={"store": False})
    body = {"model": "m1", "input": "Hi", "background": True}
    refused(await gateway.post("/v1/responses", body), 400, "invalid_field", "background")


@asynccontextmanager
async def _stopping(tmp_path: Path, behind: Upstream, drain: float) -> AsyncIterator[str]:
    """Run a gateway that is asked for one response and stopped; yield the response's id."""
    tree = {
        "upstreams": [upstream_settings("one", behind, "m1", "m2")],
        "server": {"drain": drain},
    }
    store = SqliteResponses(tmp_path / "r.db")
    app = App(*settled(tree), parts(SqliteLedger(tmp_path / "l.db"), 7, store))
    async with served(app.front) as port:
        from tests.conftest import Gateway

        gateway = Gateway(app, port, tmp_path / "l.db", behind)
        async with sdk(gateway) as client:
            begun = await client.responses.create(model="m1", input="Hi", background=True)
            await behind.reached.wait()
    yield begun.id


async def _kept(tmp_path: Path, id_: str) -> Kept:
    store = SqliteResponses(tmp_path / "r.db")
    store.open()
    try:
        found = store.find(id_, "tests")
    finally:
        store.close()
    assert found is not None
    return found


async def test_a_stop_waits_for_what_is_being_made(tmp_path: Path) -> None:
    def say(_: Asked) -> Script:
        return Script([0.3, whole(answer()).pieces[0]], kind="application/json")

    async with listening(say) as behind, _stopping(tmp_path, behind, 10.0) as id_:
        assert (await _kept(tmp_path, id_)).status == "completed"


async def test_a_stop_that_waited_long_enough_fails_the_rest(tmp_path: Path) -> None:
    async with (
        listening(lambda _: waiting(asyncio.Event())) as behind,
        _stopping(tmp_path, behind, 0.1) as id_,
    ):
        kept = await _kept(tmp_path, id_)
    assert kept.status == "failed"
    assert b"The gateway stopped" in kept.response


async def test_a_response_that_nobody_makes_any_more_has_failed(
    start: Start, tmp_path: Path
) -> None:
    store = SqliteResponses(tmp_path / "r.db")
    gateway = await start(parts_of=lambda built: replace(built, responses=store))
    now = _clock().wall()
    body = b'{"id":"resp_x","object":"response","status":"in_progress","background":true}'
    dead = Kept("resp_x", "tests", now - 100, now - 61, "in_progress", None, body, b"[]")
    await gateway.app.background.keeper.begin(dead)
    heard = await gateway.get("/v1/responses/resp_x")
    assert (heard.json["status"], heard.json["error"]["code"]) == ("failed", "server_error")


def _clock() -> Clock:
    from infway.kernel.clock import system_clock

    return system_clock()
