"""What administrators ask of the ledger, over the wire and over either database."""

import json
from collections.abc import AsyncIterator

import pytest
from tests.api.accounted import OTHER, Accounted, accounted
from tests.api.caller import JSON, chat_body, refused
from tests.conftest import Start

from infway.database import Database
from infway.ledger.questions import NAMES

COST = 0.0000975  # 11 tokens at 2.5 and 7 at 10 USD per million
KEPT = {"ledger": {"contents": {"store": True, "size": 64}}}


@pytest.fixture
async def admin(start: Start, database: Database) -> AsyncIterator[Accounted]:
    """The first administrator of a gateway that was asked twice by one key, once by another."""
    async with accounted(start, database, **KEPT) as one:
        await one.gateway.chat()
        await one.gateway.chat(model="m2")
        await one.gateway.post("/v1/chat/completions", chat_body(), (OTHER, JSON))
        await one.written()
        yield one


async def asked(admin: Accounted, query: str = "") -> list[dict]:
    heard = await admin.get(f"/usage{query}")
    assert heard.status == 200, heard
    return heard.json["data"]


async def test_usage_is_summed_by_what_is_asked_for(admin: Accounted) -> None:
    (everything,) = await asked(admin)
    assert (everything["requests"], everything["prompt_tokens"]) == (3, 33)
    assert everything["cost"] == pytest.approx(3 * COST)
    by = await asked(admin, "?by=key&by=model")
    assert [(one["key"], one["model"], one["requests"]) for one in by] == [
        ("other", "m1", 1), ("tests", "m1", 1), ("tests", "m2", 1),
    ]  # fmt: skip
    for name in NAMES:
        assert await asked(admin, f"?by={name}")
    assert {one["tag"] for one in await asked(admin, "?by=tag")} == {"a", "=b"}


async def test_usage_is_limited_by_values_and_times(admin: Accounted) -> None:
    (one,) = await asked(admin, "?key=tests&model=m2&model=m3")
    assert one["requests"] == 1
    assert await asked(admin, "?until=2020-01-01T00:00:00Z") == []
    assert await asked(admin, "?since=4102444800") == []
    assert await asked(admin, "?key=nobody") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("by=colour", "by[0]"),
        ("by=key&by=key", "by"),
        ("by=key&by=day&by=tag", "by"),
        ("since=yesterday", "since"),
        ("since=2020-01-01T00:00:00", "since"),
        ("colour=red", "colour"),
        ("key=a&key=%00", "key[1]"),
    ],
)
async def test_a_wrong_question_names_its_field(admin: Accounted, query: str, field: str) -> None:
    refused(await admin.get(f"/usage?{query}"), 400, "invalid_field", field)


async def test_whoever_is_limited_to_an_organisation_sees_its_own_alone(admin: Accounted) -> None:
    theirs = await admin.limited()
    (one,) = await asked(theirs)
    assert one["requests"] == 2
    assert await asked(theirs, "?organisation=other") == []
    assert (await asked(theirs, "?organisation=acme&organisation=x"))[0]["requests"] == 2
    budgets = (await theirs.get("/budgets")).json["data"]
    assert {one["organisation"] for one in budgets} == {"acme"}


async def test_nothing_is_told_without_the_capability(admin: Accounted) -> None:
    key = (await admin.made("/admins", {"capabilities": ["keys:read"]}))["key"]
    nobody = Accounted(admin.gateway, admin.port, key)
    for path in ("/usage", "/budgets", "/requests/r-1"):
        refused(await nobody.get(path), 403, "permission_denied")


async def test_budgets_tell_what_is_spent_and_left(admin: Accounted) -> None:
    found = {
        (one["kind"], one["name"], one["per"]): one
        for one in (await admin.get("/budgets")).json["data"]
    }
    assert set(found) == {
        ("organisation", "acme", "month"), ("key", "tests", "total"), ("key", "tests", "day"),
    }  # fmt: skip
    total = found["key", "tests", "total"]
    assert (total["limit"], total["spent"], total["left"]) == (10, 2 * COST, 10 - 2 * COST)
    assert (total["period"], total["resets_at"]) == ("total", None)
    assert 0 <= total["granted"] <= total["left"]
    assert found["key", "tests", "day"]["resets_at"].endswith("T00:00:00+00:00")


async def test_a_budget_of_a_key_that_was_made_since_is_told(admin: Accounted) -> None:
    await admin.made("/keys", {"name": "anna", "budgets": [{"usd": "2"}]})
    await admin.made("/keys", {"name": "gone", "budgets": [{"usd": "2"}]})
    await admin.post("/keys/gone/revoke")
    names = {one["name"] for one in (await admin.get("/budgets")).json["data"]}
    assert names == {"acme", "tests", "anna"}


async def test_a_request_is_told_with_what_was_asked_and_answered(admin: Accounted) -> None:
    body = json.dumps(chat_body()).encode()
    reply = await admin.gateway.chat()
    await admin.written()
    found = (await admin.get(f"/requests/{reply.json['id']}")).json
    assert (found["key"], found["project"], found["organisation"]) == ("tests", "chat", "acme")
    assert (found["tags"], found["outcome"], len(found["attempts"])) == (["=b", "a"], "ok", 1)
    asked, answered = found["content"]["asked"], found["content"]["answered"]
    assert (asked["size"], asked["text"]) == (len(body), body[:64].decode())
    assert (answered["size"], answered["cut"]) == (len(reply.body), True)
    assert answered["text"] == reply.body[:64].decode()


async def test_contents_need_a_capability_of_their_own(admin: Accounted) -> None:
    reply = await admin.gateway.chat()
    await admin.written()
    key = (await admin.made("/admins", {"capabilities": ["usage:read"]}))["key"]
    other = Accounted(admin.gateway, admin.port, key)
    found = (await other.get(f"/requests/{reply.header('x-request-id')}")).json
    assert found["outcome"] == "ok"
    assert "content" not in found


async def test_requests_of_others_are_as_unknown_as_those_that_never_were(admin: Accounted) -> None:
    reply = await admin.gateway.post("/v1/chat/completions", chat_body(), (OTHER, JSON))
    await admin.written()
    theirs, name = await admin.limited(), reply.header("x-request-id")
    assert (await admin.get(f"/requests/{name}")).status == 200
    for path in (f"/requests/{name}", "/requests/0-1", "/requests/nothing", f"/requests/{9**300}"):
        refused(await theirs.get(path), 404, "request_not_found", "request")


async def test_what_was_refused_and_streamed_is_kept_as_it_went(admin: Accounted) -> None:
    wrong = await admin.gateway.chat(model="none")
    stream = await admin.gateway.chat(stream=True)
    await admin.written()
    for heard in (wrong, stream):
        found = (await admin.get(f"/requests/{heard.header('x-request-id')}")).json["content"]
        assert found["answered"]["text"] == heard.body[:64].decode()
        assert found["answered"]["size"] == len(heard.body)


async def test_contents_of_strangers_are_not_kept(admin: Accounted, database: Database) -> None:
    stranger = ("Authorization", "Bearer sk-nobody")
    heard = await admin.gateway.post("/v1/chat/completions", chat_body(), (stranger, JSON))
    await admin.written()
    heard = await admin.get(f"/requests/{heard.header('x-request-id')}")
    refused(heard, 404, "request_not_found", "request")
    assert {key for (key,) in database.read("SELECT key FROM contents")} == {"tests", "other"}


async def test_bytes_that_are_no_text_are_told_as_base64(admin: Accounted) -> None:
    heard = await admin.gateway.post("/v1/chat/completions", b"\xff\xfe")
    await admin.written()
    found = (await admin.get(f"/requests/{heard.header('x-request-id')}")).json["content"]
    assert found["asked"] == {"size": 2, "cut": False, "text": None, "base64": "//4="}


async def test_rows_and_contents_are_forgotten_in_time_and_sums_stay(
    admin: Accounted, database: Database
) -> None:
    retention = admin.gateway.app.records.retention
    await retention.look()
    assert len(database.read("SELECT request FROM contents")) == 3
    retention.rows.seconds = retention.contents.seconds = 0.0
    await retention.look()
    assert database.read("SELECT request FROM contents") == []
    assert database.read("SELECT request FROM entries") == []
    assert (await asked(admin))[0]["requests"] == 3


async def test_nothing_is_kept_unless_it_is_switched_on(start: Start, database: Database) -> None:
    async with accounted(start, database) as admin:
        reply = await admin.gateway.chat()
        await admin.written()
        found = (await admin.get(f"/requests/{reply.json['id']}")).json
        assert found["content"] is None
        assert database.read("SELECT request FROM contents") == []


async def test_the_endpoints_are_described(admin: Accounted) -> None:
    described = (await admin.send("GET", "/openapi.json")).json["paths"]
    names = {one["name"] for one in described["/admin/v1/usage"]["get"]["parameters"]}
    assert names >= {"by", "since", "until", "key", "tag"}
    assert {"/admin/v1/budgets", "/admin/v1/requests/{request}"} <= set(described)
