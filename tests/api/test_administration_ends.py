"""Admin keys that end: what they make ends with them, and what they have begun is done no more."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.api.administering import Admin, admin, bearer
from tests.api.caller import JSON, line_to, refused

__all__ = ["admin"]

CAPABILITIES = ["admins:write", "admins:read", "keys:write", "decisions:read"]


async def appointed(admin: Admin, **said: object) -> Admin:
    """Return `bea`, who was made an administrator just now."""
    made = await admin.made("/admins", {"name": "bea", "capabilities": CAPABILITIES, **said})
    return Admin(admin.gateway, admin.port, made["key"], admin.reloads)


@pytest.mark.parametrize("more", [{}, {"expires_at": None}, {"expires_at": "2999-01-31T00:00:00Z"}])
async def test_a_key_that_ends_makes_none_that_never_does(admin: Admin, more: dict) -> None:
    end = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    bea = await appointed(admin, expires_at=end)
    body = {"name": "more", "capabilities": ["admins:write"], **more}
    refused(await bea.post("/admins", body), 403, "permission_denied", "expires_at")
    heard = await bea.post("/admins/bea/expire", {"expires_at": None, **more})
    refused(heard, 403, "permission_denied", "expires_at")
    assert [one["name"] for one in (await admin.get("/admins")).json["data"]] == ["bea"]
    assert (await bea.post("/admins", {**body, "expires_at": end})).status == 200
    assert (await bea.post("/admins/bea/rotate", {})).status == 200


async def test_a_body_that_comes_when_its_key_has_ended_does_nothing(admin: Admin) -> None:
    bea = await appointed(admin)
    body = json.dumps({"name": "late"}).encode()
    length = ("Content-Length", str(len(body)))
    async with line_to(admin.port) as line:
        head = ["POST /admin/v1/keys HTTP/1.1", "Host: infway"]
        head += [f"{name}: {value}" for name, value in (bearer(bea.key), JSON, length)]
        line.writer.write("\r\n".join([*head, "", ""]).encode() + body[:1])
        await line.writer.drain()
        assert (await bea.get("/admins")).status == 200  # a request that came later is done
        assert (await admin.post("/admins/bea/revoke")).status == 200
        line.writer.write(body[1:])
        refused(await line.hear(), 401, "invalid_api_key")
    refused(await admin.get("/keys/late"), 404, "key_not_found")


@pytest.mark.parametrize("verb", ["revoke", "disable"])
async def test_a_feed_ends_with_the_key_of_whoever_looks_at_it(admin: Admin, verb: str) -> None:
    bea = await appointed(admin)
    key = (await admin.made("/keys", {"name": "anna"}))["key"]
    async with line_to(admin.port) as line:
        line.send("GET", "/admin/decisions/live", (bearer(bea.key),))
        assert (await line.head())[0] == 200
        await admin.called(key)
        assert b"data: " in await asyncio.wait_for(line.piece(), 5)
        assert (await admin.post(f"/admins/bea/{verb}")).status == 200
        await admin.called(key)
        assert await asyncio.wait_for(line.piece(), 5) == b""
