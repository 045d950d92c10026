"""What counts against limits and what is told of them, however a request ends."""

import asyncio
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.api.caller import BEARER, JSON, KEY, Headers, chat_body
from tests.api.limited import chats, limited, told
from tests.api.test_repeats import PATH, again, ask, ended, sharing
from tests.api.upstream import Asked, Script, whole
from tests.conftest import Gateway, Start
from tests.process.stores import locked

from infway.database.sqlite import SqliteDatabase
from infway.ledger.replays import Replays

GOOGLES: Headers = (("x-goog-api-key", KEY),)


async def repeating(start: Start, folder: Path, most: int, *says: object) -> Gateway:
    """Start a gateway that knows requests which come twice, and whose one key has a limit."""
    knows = sharing(folder / "replays.db")
    return await limited(start, *says, parts_of=knows, requests_per_minute=most)


async def left(gateway: Gateway) -> int:
    """Return how many requests may still be made."""
    _, remaining, _ = told(await gateway.get("/v1/models")) or (0, -1, 0)
    return remaining


async def test_a_reply_that_is_said_again_uses_no_limit_and_tells_of_it(
    start: Start, tmp_path: Path
) -> None:
    gateway = await repeating(start, tmp_path, 200)
    await ask(gateway, "a")
    first = await again(gateway, "a")
    before = await left(gateway)
    second = await ask(gateway, "a")
    assert second.header("idempotent-replayed") == "true"
    assert [(told(one) or ())[:2] for one in (first, second)] == [(200, before)] * 2
    assert await left(gateway) == before
    assert await chats(gateway, before + 1) == [200] * before + [429]
    assert (await ask(gateway, "a")).status == 200


async def test_refused_repeats_count_as_tries_and_are_refused_as_such(
    start: Start, tmp_path: Path
) -> None:
    gateway = await repeating(start, tmp_path, 200)
    await ask(gateway, "a")
    await again(gateway, "a")
    before = await left(gateway)
    other = await ask(gateway, "a", temperature=0.5)
    assert (other.status, (told(other) or ())[:2]) == (422, (200, before - 1))
    odd = await ask(gateway, "no name")
    assert (odd.status, (told(odd) or ())[:2]) == (400, (200, before - 2))
    await chats(gateway, before - 2)
    for refused in (await ask(gateway, "a", temperature=0.5), await ask(gateway, "no name")):
        assert (refused.status, (told(refused) or ())[:2]) == (429, (200, 0))


async def test_a_repeat_of_what_is_under_way_counts_as_a_try(start: Start, tmp_path: Path) -> None:
    go_on, begun = asyncio.Event(), asyncio.Event()

    def say(_: Asked) -> Script:
        begun.set()
        return Script([go_on, *whole().pieces])

    gateway = await repeating(start, tmp_path, 3, say)
    first = asyncio.create_task(ask(gateway, "a"))
    await begun.wait()
    heard = [await ask(gateway, "a") for _ in range(3)]
    go_on.set()
    assert (await first).status == 200
    assert [one.status for one in heard] == [409, 409, 429]
    assert [(told(one) or ())[1] for one in heard] == [1, 0, 0]


async def test_a_repeat_that_cannot_be_looked_up_counts_as_a_try(
    start: Start, tmp_path: Path
) -> None:
    with closing(SqliteDatabase(tmp_path / "replays.db", wait=0.05)) as hasty:
        hasty.open()
        gateway = await limited(
            start,
            requests_per_minute=2,
            parts_of=lambda built: replace(built, replays=Replays(hasty)),
        )
        with locked(tmp_path / "replays.db"):
            heard = [await ask(gateway, "a") for _ in range(3)]
    assert [one.status for one in heard] == [503, 503, 429]
    assert [(told(one) or ())[:2] for one in heard] == [(2, 1), (2, 0), (2, 0)]


async def test_a_stream_that_is_asked_for_twice_counts_twice(start: Start, tmp_path: Path) -> None:
    gateway = await repeating(start, tmp_path, 100)
    await ask(gateway, "a", stream=True)
    before = (told(await ended(gateway, "a", stream=True)) or (0, 0))[1]
    again_ = await ask(gateway, "a", stream=True)
    assert (again_.status, (told(again_) or ())[:2]) == (409, (100, before - 1))


async def test_a_key_in_the_address_is_of_no_use_where_only_googles_clients_have_it_there(
    start: Start, tmp_path: Path
) -> None:
    gateway = await repeating(start, tmp_path, 5)
    headers = (BEARER, JSON, ("Idempotency-Key", "a"))
    assert (await gateway.post(f"{PATH}?key=other", chat_body(), headers)).status == 200


async def test_a_request_without_a_model_counts_and_says_not_to_come_back(start: Start) -> None:
    gateway = await limited(start, requests_per_minute=1, more={"server": {"require_model": True}})
    body = {"messages": chat_body()["messages"]}
    wrong = await gateway.post(PATH, body)
    assert (wrong.status, wrong.code) == (400, "missing_required_field")
    assert wrong.header("x-should-retry") == "false"
    assert (told(wrong) or ())[:2] == (1, 0)
    assert (await gateway.post(PATH, body)).status == 429


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", PATH, (BEARER,), 405),
        ("PUT", "/v1/embeddings", (BEARER,), 405),
        ("GET", f"/v1beta/models/m1:generateContent?key={KEY}", (), 405),
        ("GET", f"/v1beta/models?key={KEY}", (), 200),
        ("GET", f"/v1/models?key={KEY}", (), 200),
        ("GET", "/v1/models?key=other", GOOGLES, 400),
        ("GET", f"/v1beta/models/none?key={KEY}", (), 404),
        ("GET", "/v1/models?token=x", GOOGLES, 200),
        ("GET", f"/v1/generation?id=x&key={KEY}", (BEARER,), 404),
        ("POST", "/v1/nothing", (BEARER,), 404),
    ],
)
async def test_whoever_is_known_hears_where_the_limits_stand(
    start: Start, method: str, path: str, headers: Headers, status: int
) -> None:
    gateway = await limited(start, requests_per_minute=5)
    heard = await gateway.send(method, path, headers)
    assert heard.status == status
    assert (told(heard) or ())[:2] == (() if status == 400 else (5, 5))


async def test_a_body_that_is_too_large_by_its_own_header_tells_where_the_limits_stand(
    start: Start,
) -> None:
    gateway = await limited(start, requests_per_minute=5, more={"server": {"body_limit": 1024}})
    heard = await gateway.post(PATH, b" " * 2048)
    assert (heard.status, (told(heard) or ())[:2]) == (413, (5, 5))


async def test_a_stranger_hears_of_no_limits(start: Start) -> None:
    gateway = await limited(start, requests_per_minute=5)
    for path in (PATH, "/v1beta/models", f"/v1/generation?id=x&key={KEY}"):
        assert told(await gateway.get(path, ())) is None


@pytest.mark.parametrize("stream", [False, True])
async def test_more_models_than_there_are_use_no_more_tokens(start: Start, stream: bool) -> None:
    gateway = await limited(start, tokens_per_minute=500)
    model = {"llms": ["m1", "m2"], "imsn": 1000}
    heard = await gateway.chat(model=model, max_tokens=200, stream=stream)
    assert heard.status == 200
    estimated = 500 - (told(heard, "tokens") or (0, 0))[1]
    assert (200 if stream else 400) < estimated < (300 if stream else 500)
    assert (await gateway.chat(model=model, max_tokens=300, stream=stream)).status == (
        200 if stream else 429
    )


async def test_what_no_model_can_answer_is_refused_by_the_line(start: Start) -> None:
    gateway = await limited(start, tokens_per_minute=500)
    model = {"llms": ["m1", "m2"], "exclude_llms": ["m1", "m2"], "imsn": 9}
    assert (await gateway.chat(model=model, max_tokens=200)).status in (400, 503)
