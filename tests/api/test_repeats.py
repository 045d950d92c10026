"""Requests that are delivered twice: one answer, one bill (fault matrix, row 81)."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from openai import AsyncOpenAI
from tests.api.caller import ADMIN, BEARER, JSON, KEY, Headers, Heard, chat_body
from tests.api.upstream import Asked, Script, fault, frames, stream, whole
from tests.conftest import Gateway, Start

from infway.app import Parts
from infway.database.opening import database_at
from infway.ledger.replays import Once, Replays

PATH = "/v1/chat/completions"


def sharing(path: Path) -> Callable[[Parts], Parts]:
    """Build an app that keeps its replies in one file with others."""
    database = database_at(path)
    database.open()
    return lambda built: replace(built, replays=Replays(database))


@pytest.fixture
async def gateway(start: Start, tmp_path: Path) -> Gateway:
    """A gateway that knows requests that come twice."""
    return await start(parts_of=sharing(tmp_path / "replays.db"))


async def ask(
    gateway: Gateway, name: str, path: str = PATH, who: tuple[str, str] = BEARER, **fields: object
) -> Heard:
    """Ask for a chat under a name."""
    headers: Headers = (who, JSON, ("Idempotency-Key", name))
    return await gateway.post(path, chat_body(**fields), headers)


async def test_a_second_delivery_gets_the_first_reply_and_costs_nothing(gateway: Gateway) -> None:
    first = await ask(gateway, "a")
    second = await again(gateway, "a")
    assert (first.status, second.status) == (200, 200)
    assert second.body == first.body
    assert second.header("idempotent-replayed") == "true"
    assert first.header("idempotent-replayed") is None
    assert second.header("x-request-id") != first.header("x-request-id")
    assert len(gateway.upstream.asked) == 1
    assert len({row.request for row in await gateway.rows()}) == 1


async def test_names_belong_to_a_caller_and_a_path(gateway: Gateway) -> None:
    await ask(gateway, "a")
    await ask(gateway, "a", who=ADMIN)
    await ask(gateway, "a", path="/chat/completions")
    await ask(gateway, "b")
    assert len(gateway.upstream.asked) == 4


async def test_another_body_under_the_same_name_is_refused(gateway: Gateway) -> None:
    await ask(gateway, "a")
    heard = await again(gateway, "a", temperature=0.5)
    assert (heard.status, heard.code) == (422, "idempotency_key_reused")
    assert heard.json["error"]["param"] == "Idempotency-Key"
    assert heard.header("x-should-retry") == "false"


async def test_a_request_under_way_is_not_made_a_second_time(start: Start, tmp_path: Path) -> None:
    go_on = asyncio.Event()
    begun = asyncio.Event()

    def say(_: Asked) -> Script:
        begun.set()
        return Script([go_on, *whole().pieces])

    gateway = await start(say, parts_of=sharing(tmp_path / "replays.db"))
    first = asyncio.create_task(ask(gateway, "a"))
    await begun.wait()
    heard = await ask(gateway, "a")
    assert (heard.status, heard.code) == (409, "request_in_progress")
    go_on.set()
    assert (await first).status == 200
    assert (await again(gateway, "a")).status == 200
    assert len(gateway.upstream.asked) == 1


async def test_what_failed_may_be_sent_again(start: Start, tmp_path: Path) -> None:
    says = iter([fault(400), whole()])
    gateway = await start(lambda _: next(says), parts_of=sharing(tmp_path / "replays.db"))
    assert (await ask(gateway, "a")).status == 400
    while (heard := await ask(gateway, "a")).status == 409:
        await asyncio.sleep(0)
    assert heard.status == 200


async def test_a_stream_is_not_told_twice(gateway: Gateway) -> None:
    first = await ask(gateway, "a", stream=True)
    assert first.frames[-1] == b"data: [DONE]"
    second = await ended(gateway, "a", stream=True)
    assert (second.status, second.code) == (409, "idempotency_key_used")
    assert len(gateway.upstream.asked) == 1


@pytest.mark.parametrize("name", ["", " ", "x" * 256, "a b", "ä"])
async def test_odd_names_are_refused(gateway: Gateway, name: str) -> None:
    heard = await ask(gateway, name)
    assert (heard.status, heard.code) == (400, "invalid_field")
    assert not gateway.upstream.asked


async def test_whoever_has_no_key_claims_nothing(gateway: Gateway) -> None:
    heard = await ask(gateway, "a", who=("Authorization", "Bearer nobody-knows-this-key"))
    assert heard.status == 401
    assert (await ask(gateway, "a")).status == 200


async def test_replicas_know_what_the_others_answered(start: Start, tmp_path: Path) -> None:
    one = await start(parts_of=sharing(tmp_path / "replays.db"))
    other = await start(parts_of=sharing(tmp_path / "replays.db"))
    await asyncio.gather(*(ask(gateway, "a") for gateway in (one, other) * 4))
    heard = [await again(one, "a"), await again(other, "a")]
    assert heard[0].body == heard[1].body
    assert len(one.upstream.asked) + len(other.upstream.asked) == 1


async def test_what_a_dead_process_had_begun_may_be_sent_again(tmp_path: Path) -> None:
    database = database_at(tmp_path / "replays.db")
    database.open()
    replays, once = Replays(database), Once("tests", "a /v1", b"digest")
    replays.open()
    assert replays.claim(once, "dead", 0.0) is None
    assert replays.claim(once, "alive", 1.0) is not None
    replays.release("dead")
    assert replays.claim(once, "alive", 2.0) is None
    day = 86_400.0
    assert replays.sweep(2.0 + day, 10) == 0  # it may be under way
    assert replays.claim(once, "third", 4.0) is not None
    assert replays.sweep(3.0 + day, 10) == 1  # nobody can be at it any more
    assert replays.claim(once, "third", 4.0) is None
    database.close()


async def test_the_openai_sdk_sends_a_request_twice_and_is_billed_once(gateway: Gateway) -> None:
    async with AsyncOpenAI(api_key=KEY, base_url=f"http://127.0.0.1:{gateway.port}/v1") as client:
        replies = [
            await client.chat.completions.create(
                model="m1",
                messages=[{"role": "user", "content": "Hello?"}],
                extra_headers={"Idempotency-Key": "a"},
            )
            for _ in range(2)
        ]
    assert replies[0] == replies[1]
    assert len(gateway.upstream.asked) == 1


async def again(gateway: Gateway, name: str, **fields: object) -> Heard:
    """Ask until the first reply is kept: it is written behind the reply."""
    while (heard := await ask(gateway, name, **fields)).status == 409:
        assert heard.code == "request_in_progress"
        await asyncio.sleep(0)
    return heard


async def ended(gateway: Gateway, name: str, **fields: object) -> Heard:
    """Ask until the first request is known to have ended."""
    while (heard := await ask(gateway, name, **fields)).code == "request_in_progress":
        await asyncio.sleep(0)
    return heard


async def test_a_stream_that_broke_off_may_be_sent_again(start: Start, tmp_path: Path) -> None:
    says = iter([stream(*frames("Hel")[:2], cut=True), stream(*frames("Hello"))])
    rules = {"rescue": False, "max": 1}
    gateway = await start(
        lambda _: next(says), parts_of=sharing(tmp_path / "replays.db"), attempts=rules
    )
    first = await ask(gateway, "a", stream=True)
    assert b'"error"' in first.body
    second = await again(gateway, "a", stream=True)
    assert second.status == 200
    assert b'"error"' not in second.body
