"""What a key is and what is left of it, told to whoever holds it, over either database."""

from collections.abc import AsyncIterator

import pytest
from tests.api.accounted import OTHER, Accounted, accounted
from tests.api.administering import bearer
from tests.api.caller import BEARER, refused
from tests.conftest import Gateway, Start

from infway.database import Database

COST = 0.0000975  # 11 tokens at 2.5 and 7 at 10 USD per million
PATHS = ("/v1/key", "/key", "/api/v1/key", "/v1/auth/key", "/api/v1/auth/key")
# What OpenRouter's published schema demands
DEMANDED = {
    *("label", "limit", "limit_remaining", "limit_reset", "usage", "usage_daily", "usage_weekly"),
    *("usage_monthly", "byok_usage", "byok_usage_daily", "byok_usage_weekly", "byok_usage_monthly"),
    *("creator_user_id", "include_byok_in_limit", "is_free_tier", "is_management_key"),
    *("is_provisioning_key", "rate_limit"),
}


@pytest.fixture
async def admin(start: Start, database: Database) -> AsyncIterator[Accounted]:
    """The first administrator of a gateway."""
    async with accounted(start, database) as one:
        yield one


async def told(gateway: Gateway, who: tuple[str, str] = BEARER, path: str = "/v1/key") -> dict:
    heard = await gateway.get(path, (who,))
    assert heard.status == 200, heard
    return heard.json["data"]


@pytest.mark.parametrize("path", PATHS)
async def test_a_key_is_told_whose_it_is(admin: Accounted, path: str) -> None:
    data = await told(admin.gateway, path=path)
    assert data.keys() >= DEMANDED
    assert (data["name"], data["project"], data["organisation"]) == ("tests", "chat", "acme")
    assert (data["tags"], data["models"], data["expires_at"]) == (["a", "=b"], None, None)


async def test_what_is_spent_is_no_longer_left(admin: Accounted) -> None:
    before = await told(admin.gateway)
    assert (before["usage"], before["limit"], before["limit_remaining"]) == (0, 10, 10)
    await admin.gateway.chat()
    await admin.written()
    data = await told(admin.gateway)
    for name in ("usage", "usage_daily", "usage_weekly", "usage_monthly"):
        assert data[name] == COST
    assert (data["limit_remaining"], data["limit_reset"]) == (10 - COST, None)
    assert [(one["kind"], one["per"], one["spent"]) for one in data["budgets"]] == [
        ("key", "total", COST), ("key", "day", COST), ("organisation", "month", COST),
    ]  # fmt: skip


async def test_limits_are_told_with_what_remains_and_asking_uses_none(admin: Accounted) -> None:
    await admin.gateway.chat()
    first, second = await told(admin.gateway), await told(admin.gateway)
    for data in (first, second):
        assert (data["limits"]["requests"]["limit"], data["limits"]["requests"]["remaining"]) == (
            50,
            49,
        )
        assert data["limits"]["tokens"]["limit"] == 10_000
    (limits,) = first["limits"]["all"]
    assert limits["requests"] == [{"seconds": 60, "most": 50}]
    assert (limits["kind"], limits["concurrent"]) == ("key", None)
    assert first["rate_limit"] == {"requests": 50, "interval": "60s"}


async def test_a_key_without_limits_and_budgets_has_none(admin: Accounted) -> None:
    data = await told(admin.gateway, OTHER)
    assert (data["limit"], data["limit_remaining"], data["budgets"]) == (None, None, [])
    assert data["limits"] == {"requests": None, "tokens": None, "all": []}
    assert data["rate_limit"]["requests"] == -1


async def test_a_key_that_ends_is_told_when(admin: Accounted) -> None:
    said = {"name": "anna", "expires_at": "2999-01-01T00:00:00Z", "models": ["m2", "m1"]}
    key = (await admin.made("/keys", said))["key"]
    data = await told(admin.gateway, bearer(key))
    assert (data["expires_at"], data["models"]) == ("2999-01-01T00:00:00+00:00", ["m1", "m2"])
    await admin.post("/keys/anna/revoke")
    refused(await admin.gateway.get("/v1/key", (bearer(key),)), 401, "invalid_api_key")


async def test_nobody_is_told_anything_without_a_key(admin: Accounted) -> None:
    refused(await admin.gateway.get("/v1/key", ()), 401, "missing_api_key")


async def test_a_past_request_is_told_to_its_own_key_alone(admin: Accounted) -> None:
    reply = await admin.gateway.chat()
    await admin.written()
    path = f"/v1/generation?id={reply.json['id']}"
    data = (await admin.gateway.get(path)).json["data"]
    assert (data["organisation"], data["project"], data["tags"]) == ("acme", "chat", ["=b", "a"])
    refused(await admin.gateway.get(path, (OTHER,)), 404, "generation_not_found", "id")


async def test_a_ledger_that_is_away_is_told(start: Start, database: Database) -> None:
    async with accounted(start, database) as admin:
        await told(admin.gateway)
        with database.transaction() as work:
            work.run("ALTER TABLE spent RENAME TO gone")
        heard = await admin.gateway.get("/v1/key")
        refused(heard, 503, "accounting_unavailable")
        with database.transaction() as work:
            work.run("ALTER TABLE gone RENAME TO spent")
