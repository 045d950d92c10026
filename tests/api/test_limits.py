"""Limits at the edge: what is counted, what is said, and when a place is free again."""

import asyncio
import json

import pytest
from tests.api.caller import BEARER, JSON, KEY, chat_body
from tests.api.limited import chats, limited, told
from tests.api.responding import sdk
from tests.api.socketing import socket
from tests.api.upstream import Asked, Script, either, fault, frames, stream, whole
from tests.conftest import Start, settled, upstream_settings

from infway.api.operations import OPERATIONS
from infway.kernel.clock import system_clock

CHAT = "/v1/chat/completions"
STREAMED = json.dumps(chat_body(stream=True)).encode()
wall = system_clock().wall


async def test_a_key_without_limits_hears_of_none(start: Start) -> None:
    gateway = await start()
    assert told(await gateway.chat()) is None


async def test_the_first_request_beyond_a_limit_is_refused_and_told_when_to_come_back(
    start: Start,
) -> None:
    gateway = await limited(start, requests_per_minute=3)
    assert await chats(gateway, 3) == [200, 200, 200]
    refused = await gateway.chat()
    assert (refused.status, refused.code) == (429, "rate_limit_exceeded")
    assert refused.json["error"]["type"] == "rate_limit_error"
    assert refused.json["errors"][0]["code"] == "rate_limit_exceeded"
    assert 1 <= int(refused.header("retry-after") or "") <= 61
    assert refused.header("x-should-retry") is None
    assert len(gateway.upstream.asked) == 3


async def test_every_reply_tells_where_the_limits_stand(start: Start) -> None:
    gateway = await limited(start, requests_per_minute=5, tokens_per_minute=10_000)
    now = wall()
    whole_one = await gateway.chat(max_tokens=50)
    streamed = await gateway.chat(stream=True, max_tokens=50)
    wrong = await gateway.chat(model="none")
    for left, heard in ((4, whole_one), (3, streamed), (2, wrong)):
        limit, remaining, reset = told(heard) or (0, 0, 0)
        assert (limit, remaining) == (5, left)
        assert now + 59 <= reset <= wall() + 62
        assert (told(heard, "tokens") or (0,))[0] == 10_000
    assert wrong.status == 404


async def test_the_tightest_of_several_windows_is_told(start: Start) -> None:
    gateway = await limited(start, requests_per_minute=100, requests_per_hour=4)
    assert (told(await gateway.chat()) or ())[:2] == (4, 3)


@pytest.mark.parametrize(
    "path", [one.family for one in OPERATIONS], ids=[one.word for one in OPERATIONS]
)
async def test_tries_count_and_are_refused_before_their_body_is_looked_at(
    start: Start, path
) -> None:
    gateway = await limited(start, requests_per_minute=2)
    way = next(iter(sorted(path.paths)), "") or path.templates()[0].format(model="m1")
    heard = [await gateway.post(way, b"{") for _ in range(3)]
    assert [one.status for one in heard[:2]] in ([400, 400], [415, 415])
    assert heard[2].status == 429
    assert [(told(one) or ())[:2] for one in heard] == [(2, 1), (2, 0), (2, 0)]


async def test_a_wrong_type_is_answered_429_as_well(start: Start) -> None:
    gateway = await limited(start, requests_per_minute=1)
    headers = (BEARER, ("Content-Type", "text/plain"))
    assert (await gateway.post(CHAT, b"x", headers)).status == 415
    assert (await gateway.post(CHAT, b"x", headers)).status == 429


async def test_refused_tries_count(start: Start) -> None:
    gateway = await limited(start, requests_per_minute=2, requests_per_hour=4)
    assert await chats(gateway, 4) == [200, 200, 429, 429]
    refused = await gateway.chat()
    assert int(refused.header("retry-after") or "") > 3000  # the hour is full of tries too


async def test_a_prompt_and_its_longest_answer_count_before_and_what_was_used_after(
    start: Start,
) -> None:
    gateway = await limited(start, tokens_per_minute=1000)
    first = await gateway.chat(max_tokens=900)
    assert (told(first, "tokens") or ())[1] < 100
    second = await gateway.chat(max_tokens=900)  # the first one used 18 tokens
    assert second.status == 200
    third = await gateway.chat(max_tokens=980)
    assert (third.status, third.code) == (429, "tokens_per_minute_exceeded")


async def test_what_failed_uses_no_tokens(start: Start) -> None:
    gateway = await limited(start, lambda _: fault(400), tokens_per_minute=1000)
    assert await chats(gateway, 3, max_tokens=900) == [400, 400, 400]


async def test_a_request_larger_than_the_limit_is_told_not_to_come_back(start: Start) -> None:
    gateway = await limited(start, tokens_per_minute=100)
    refused = await gateway.chat(max_tokens=101)
    assert (refused.status, refused.header("x-should-retry")) == (429, "false")
    assert refused.json["error"]["message"] == (
        "The request may use 107 tokens (its prompt and its longest answer, 256 where that is not"
        " said), and this key may use 100 in 60 s."
    )


@pytest.mark.parametrize(
    ("limits", "code", "said"),
    [
        ({"characters_per_minute": 3}, "rate_limit_exceeded", "has 5 characters, and this key"),
        ({"requests_per_hour": 0}, "rate_limit_exceeded", "This key may send no request"),
        (
            {"concurrent_requests": 0},
            "concurrent_requests_exceeded",
            "This key may send no request",
        ),
        ({"tokens_per_minute": 200}, "tokens_per_minute_exceeded", "this key may use 200 in 60 s"),
    ],
)
async def test_what_can_never_pass_is_told_by_how_much(start: Start, limits, code, said) -> None:
    gateway = await limited(start, **limits)
    body = chat_body(messages=[{"role": "user", "content": "Hello"}])
    refused = await gateway.post(CHAT, body)
    assert (refused.code, refused.header("x-should-retry")) == (code, "false")
    assert said in refused.json["error"]["message"]


async def test_every_choice_counts(start: Start) -> None:
    gateway = await limited(start, tokens_per_minute=1000)
    assert (await gateway.chat(n=2, max_tokens=600)).status == 429


async def test_characters_are_code_points_of_texts(start: Start) -> None:
    gateway = await limited(start, characters_per_minute=10)
    for text, status in (("åß∂ƒ©", 200), ("12345", 200), ("1", 429)):
        heard = await gateway.post(CHAT, chat_body(messages=[{"role": "user", "content": text}]))
        assert heard.status == status
    assert heard.code == "rate_limit_exceeded"


async def test_a_stream_keeps_its_place_until_it_ends(start: Start) -> None:
    go = asyncio.Event()
    head, *rest = frames("Hel", "lo")

    def say(asked: Asked) -> Script:
        return stream(head, go, *rest) if asked.json.get("stream") else whole()

    gateway = await limited(start, say, concurrent_requests=1)
    async with gateway.line() as line:
        line.send("POST", CHAT, (BEARER, JSON), STREAMED)
        await gateway.upstream.reached.wait()
        refused = await gateway.chat()
        assert (refused.status, refused.code) == (429, "concurrent_requests_exceeded")
        assert refused.header("retry-after") == "1"
        go.set()
        assert (await line.hear()).status == 200
    assert await chats(gateway, 3) == [200, 200, 200]


async def test_a_client_that_leaves_gives_its_place_back(start: Start) -> None:
    gateway = await limited(start, lambda _: stream(frames("x")[0], 60.0), concurrent_requests=1)
    async with gateway.line() as line:
        line.send("POST", CHAT, (BEARER, JSON), STREAMED)
        await gateway.upstream.reached.wait()
        line.hang_up()
    await gateway.upstream.gone.wait()
    gateway.upstream.say = either
    async with asyncio.timeout(5):
        while (await gateway.chat()).status != 200:
            await asyncio.sleep(0.01)


async def test_a_response_that_is_made_later_keeps_its_place_until_it_is_made(start: Start) -> None:
    go = asyncio.Event()
    body = whole().pieces[0]
    gateway = await limited(start, lambda _: Script([go, body]), concurrent_requests=1)
    async with sdk(gateway) as client:
        begun = await client.responses.create(model="m1", input="Hi", background=True)
        assert (await gateway.chat()).code == "concurrent_requests_exceeded"
        go.set()
        async with asyncio.timeout(10):
            while (await client.responses.retrieve(begun.id)).status != "completed":
                await asyncio.sleep(0.02)
    gateway.upstream.say = either
    assert (await gateway.chat()).status == 200


async def test_every_turn_of_a_socket_counts(start: Start) -> None:
    gateway = await limited(start, requests_per_minute=2, concurrent_requests=1)
    async with socket(gateway) as one:
        await one.create(input="Hi")
        first = (await one.turn())[0]
        assert first["headers"]["x-ratelimit-remaining-requests"] == "1"
        await one.create(input="Hi")
        await one.turn()
        refused = await one.refused(input="Hi")
        assert refused["code"] == "rate_limit_exceeded"
    assert (await gateway.chat()).status == 429


async def test_keys_of_one_project_share_its_limit(start: Start) -> None:
    keys = [{"name": name, "key": f"{KEY}-{name}", "project": "p"} for name in ("a", "b")]
    more = {"keys": keys, "projects": [{"name": "p", "plan": "small"}]}
    gateway = await limited(start, requests_per_minute=2, more=more)

    async def ask(name: str) -> int:
        headers = (("Authorization", f"Bearer {KEY}-{name}"), JSON)
        return (await gateway.post(CHAT, chat_body(), headers)).status

    assert [await ask(name) for name in "aba"] == [200, 200, 429]


async def test_a_key_beyond_its_own_limit_uses_up_nothing_of_its_project(start: Start) -> None:
    keys = [
        {"name": "a", "key": f"{KEY}-a", "project": "p", "plan": "small"},
        {"name": "b", "key": f"{KEY}-b", "project": "p"},
    ]
    plans = {"small": {"requests_per_minute": 1}, "large": {"requests_per_minute": 3}}
    more = {"keys": keys, "plans": plans, "projects": [{"name": "p", "plan": "large"}]}
    gateway = await start(**more)

    async def ask(name: str) -> int:
        headers = (("Authorization", f"Bearer {KEY}-{name}"), JSON)
        return (await gateway.post(CHAT, chat_body(), headers)).status

    assert [await ask(name) for name in "aaaaabbb"] == [200, 429, 429, 429, 429, 200, 200, 429]


async def test_replies_that_use_no_limit_tell_where_it_stands(start: Start) -> None:
    gateway = await limited(start, requests_per_minute=5)
    await gateway.chat()
    for path in ("/v1/models", "/v1/models/m1", "/v1/generation?id=x", "/v1/models/none"):
        assert (told(await gateway.get(path)) or ())[:2] == (5, 4), path
    stranger = await gateway.get("/v1/models", (("Authorization", "Bearer nobody"),))
    assert (stranger.status, told(stranger)) == (401, None)


async def test_workers_without_a_store_hold_to_their_shares(start: Start) -> None:
    gateway = await limited(start, requests_per_minute=5, more={"server": {"workers": 2}})
    assert await chats(gateway, 3) == [200, 200, 429]


async def test_other_limits_hold_from_a_reload_on_and_what_was_used_still_counts(
    start: Start,
) -> None:
    gateway = await limited(start, requests_per_minute=9)
    assert await chats(gateway, 2) == [200, 200]
    upstreams = [upstream_settings("one", gateway.upstream, "m1", "m2")]
    keys = [{"name": "tests", "key": KEY, "plan": "small"}]
    plans = {"small": {"requests_per_minute": 3}}
    gateway.app.swap(*settled({"upstreams": upstreams, "keys": keys, "plans": plans}))
    assert await chats(gateway, 2) == [200, 429]
