"""A past request is found again by its id, with what the ledger knows, by whoever made it."""

import asyncio
import json
import threading
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.api.caller import ADMIN, BEARER, JSON, NARROW_KEY, Heard, chat_body, refused
from tests.api.embedding import embedding
from tests.api.serving import served
from tests.api.upstream import either, fault, frames, listening, stream
from tests.conftest import Gateway, Start, settled, upstream_settings

from infway.app import App, Parts, parts
from infway.ledger.opening import LedgerError
from infway.ledger.rows import Row
from infway.ledger.sqlite import SqliteLedger

NARROW = ("Authorization", f"Bearer {NARROW_KEY}")
COST = "0.0000975"  # 11 tokens at 2.5 and 7 at 10 USD per million
PATHS = ("/v1/generation", "/generation", "/api/v1/generation")

# What the published schema of OpenRouter's endpoint says must be there.
DEMANDED = {
    *("id", "upstream_id", "created_at", "model", "app_id", "provider_name", "origin", "is_byok"),
    *("total_cost", "usage", "cache_discount", "upstream_inference_cost", "streamed", "cancelled"),
    *("latency", "moderation_latency", "generation_time", "finish_reason", "native_finish_reason"),
    *("tokens_prompt", "tokens_completion", "native_tokens_prompt", "native_tokens_completion"),
    *("native_tokens_completion_images", "native_tokens_reasoning", "native_tokens_cached"),
    *("num_media_prompt", "num_input_audio_prompt", "num_media_completion", "num_search_results"),
    *("external_user", "api_type"),
}


async def look_up(gateway: Gateway, name: str | None, path: str = PATHS[0]) -> dict:
    heard = await gateway.get(f"{path}?id={quote(name or '')}")
    assert heard.status == 200, heard
    return heard.json["data"]


def request_id(heard: Heard) -> str:
    name = heard.header("x-request-id")
    assert name
    return name


@pytest.mark.parametrize("path", PATHS)
async def test_a_request_that_has_just_ended_is_found(gateway: Gateway, path: str) -> None:
    reply = await gateway.chat()
    found = await look_up(gateway, reply.json["id"], path)
    assert found.keys() >= DEMANDED
    assert (found["id"], found["request_id"]) == (reply.json["id"], request_id(reply))
    assert (found["model"], found["provider_name"], found["outcome"]) == ("m1", "one", "ok")
    assert (found["status"], found["streamed"], found["cancelled"]) == (200, False, False)
    assert (found["tokens_prompt"], found["tokens_completion"]) == (11, 7)
    assert (found["native_tokens_prompt"], found["native_tokens_completion"]) == (11, 7)
    assert 0 <= found["latency"] <= found["generation_time"]
    (attempt,) = found["attempts"]
    assert (attempt["upstream"], attempt["model"], attempt["outcome"]) == ("one", "m1", "ok")


async def test_money_is_an_exact_decimal(gateway: Gateway) -> None:
    reply = await gateway.chat(usage={"include": True})
    heard = await gateway.get(f"/v1/generation?id={reply.json['id']}")
    for name in ("total_cost", "usage", "cost"):
        assert f'"{name}":{COST}'.encode() in heard.body
    assert f'"cost":{COST}'.encode() in reply.body


async def test_it_is_found_again_once_its_rows_are_written(gateway: Gateway) -> None:
    reply = await gateway.chat()
    waiting = await look_up(gateway, request_id(reply))
    assert await gateway.rows()
    assert await look_up(gateway, request_id(reply)) == waiting


@pytest.mark.parametrize(
    "prefix", ["", "chatcmpl-", "cmpl-", "resp_", "msg_", "gen-", "embd-", "a-b_c-"]
)
async def test_an_id_may_have_the_prefix_of_any_reply(gateway: Gateway, prefix: str) -> None:
    name = request_id(await gateway.chat())
    found = await look_up(gateway, prefix + name)
    assert (found["id"], found["request_id"]) == (prefix + name, name)


async def test_a_stream_is_found_as_soon_as_its_last_byte_is_here(gateway: Gateway) -> None:
    reply = await gateway.chat(stream=True)
    found = await look_up(gateway, reply.chunks[0]["id"])
    assert (found["streamed"], found["outcome"], found["total_cost"]) == (True, "ok", float(COST))


async def test_every_attempt_is_told(start: Start) -> None:
    async with listening(lambda _: fault(500)) as bad, listening() as good:
        upstreams = [upstream_settings("bad", bad, "m1"), upstream_settings("good", good, "m1")]
        gateway = await start(upstreams=upstreams)
        reply = await gateway.chat(provider={"order": ["bad", "good"]})
        found = await look_up(gateway, reply.json["id"])
    tried = [(one["upstream"], one["outcome"], one["status"]) for one in found["attempts"]]
    assert tried == [("bad", "http_500", 500), ("good", "ok", 200)]
    assert [one["cost"] for one in found["attempts"]] == [0, float(COST)]
    assert [one["provider_name"] for one in found["provider_responses"]] == ["bad", "good"]
    assert (found["provider_name"], found["status"]) == ("good", 200)


async def test_a_request_that_failed_is_found(start: Start) -> None:
    gateway = await start(lambda _: fault(400, "no such thing"))
    reply = await gateway.chat()
    found = await look_up(gateway, request_id(reply))
    assert (found["outcome"], found["status"], found["total_cost"]) == ("upstream_4xx", 400, 0)
    assert found["latency"] is None


async def test_a_stream_that_was_cut_is_found(start: Start) -> None:
    gateway = await start(lambda _: stream(*frames("Hel", "lo")[:3], cut=True))
    reply = await gateway.chat(stream=True)
    found = await look_up(gateway, request_id(reply))
    assert (found["outcome"], found["cancelled"]) == ("stream_cut", False)
    assert found["estimated"] is True


async def test_a_caller_who_left_is_told(start: Start) -> None:
    never = asyncio.Event()
    gateway = await start(lambda _: stream(*frames("a")[:2], never))
    async with gateway.line() as line:
        body = json.dumps(chat_body(stream=True)).encode()
        line.send("POST", "/v1/chat/completions", (BEARER, JSON), body)
        _, headers = await line.head()
        name = dict(headers)["x-request-id"]
        refused(await gateway.get(f"/v1/generation?id={name}"), 404, "generation_not_found", "id")
        line.hang_up()
    await asyncio.wait_for(gateway.upstream.gone.wait(), 5)
    assert (await look_up(gateway, name))["cancelled"] is True


async def test_embeddings_are_found(start: Start) -> None:
    async with embedding(start) as gateway:
        heard = await gateway.post("/v1/embeddings", {"model": "e1", "input": ["a", "b"]})
        found = await look_up(gateway, request_id(heard))
    assert (found["model"], found["tokens_prompt"], found["status"]) == ("e1", 4, 200)


async def test_only_who_made_a_request_and_admins_may_see_it(gateway: Gateway) -> None:
    path = f"/v1/generation?id={(await gateway.chat()).json['id']}"
    refused(await gateway.get(path, (NARROW,)), 404, "generation_not_found", "id")
    assert (await gateway.get(path, (ADMIN,))).json == (await gateway.get(path)).json
    refused(await gateway.get(path, ()), 401, "missing_api_key")
    refused(await gateway.get(path, (("x-api-key", "wrong"),)), 401, "invalid_api_key")


@pytest.mark.parametrize("query", ["", "?id=", "?ID=chatcmpl-a-1"])
async def test_an_id_is_needed(gateway: Gateway, query: str) -> None:
    refused(await gateway.get(f"/v1/generation{query}"), 400, "missing_required_field", "id")


@pytest.mark.parametrize(
    "name",
    ["a-1", "chatcmpl-", "%00", "%FF%FE", "a-1%0A", "' OR 1=1 --", "x" * 5000 + "-1", "a-1-"],
)
async def test_an_id_of_no_request_is_not_found(gateway: Gateway, name: str) -> None:
    await gateway.chat()
    heard = await gateway.get(f"/v1/generation?id={quote(name, safe='%')}")
    refused(heard, 404, "generation_not_found", "id")


async def test_a_request_that_was_never_ranked_has_left_nothing(gateway: Gateway) -> None:
    name = request_id(await gateway.chat(model="none"))
    refused(await gateway.get(f"/v1/generation?id={name}"), 404, "generation_not_found", "id")


async def test_a_worker_finds_what_another_served(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(listening(either))
        tree = {
            "upstreams": [upstream_settings("one", upstream, "m1")],
            "server": {"workers": 2},
        }
        path = tmp_path / "a ledger? #1.db"
        workers: list[Gateway] = []
        for seed in (1, 2):
            app = App(*settled(tree), parts(SqliteLedger(path), seed))
            port = await stack.enter_async_context(served(app.front))
            workers.append(Gateway(app, port, path, upstream))
        for fields in ({}, {"stream": True}):
            reply = await workers[0].chat(**fields)
            found = await look_up(workers[1], request_id(reply))
            assert (found["outcome"], found["total_cost"]) == ("ok", float(COST))
        heard = await workers[1].get("/v1/generation?id=none-1")
        refused(heard, 404, "generation_not_found", "id")


class Slow(SqliteLedger):
    """A ledger on a disk that takes its time to read."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked, self.go = threading.Event(), threading.Event()

    def rows_of(self, request: str) -> Sequence[Row]:
        self.asked.set()
        assert self.go.wait(10)
        return super().rows_of(request)


async def test_a_slow_ledger_holds_nobody_up_but_who_asks_it(start: Start, tmp_path: Path) -> None:
    slow = Slow(tmp_path / "slow.db")
    gateway = await start(parts_of=lambda built: replace(built, ledger=slow))
    name = request_id(await gateway.chat())
    await gateway.app.settler.flush()
    looking = asyncio.create_task(look_up(gateway, name))
    assert await asyncio.to_thread(slow.asked.wait, 10)
    assert (await gateway.chat()).status == 200
    assert not looking.done()
    slow.go.set()
    assert (await looking)["request_id"] == name


class Unreadable(SqliteLedger):
    """A ledger that cannot be read."""

    def rows_of(self, request: str) -> Sequence[Row]:
        raise LedgerError(f"the disk is gone, and with it {request}")


async def test_a_ledger_that_cannot_be_read_is_no_fault_of_the_caller(
    start: Start, tmp_path: Path
) -> None:
    def broken(built: Parts) -> Parts:
        return replace(built, ledger=Unreadable(tmp_path / "broken.db"))

    gateway = await start(parts_of=broken)
    heard = await gateway.get("/v1/generation?id=a-1")
    refused(heard, 503, "accounting_unavailable")
    assert b"disk" not in heard.body
