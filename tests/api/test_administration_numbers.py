"""Numbers beyond what a database holds, in addresses and bodies: refused by name, or they work."""

import json
from collections.abc import AsyncIterator

import pytest
from tests.api.accounted import Accounted, accounted
from tests.api.caller import refused
from tests.conftest import Start

from infway.accounts.register import NEWEST
from infway.database import Database

HUGE = ("9" * 19, "9" * 30, "-" + "9" * 30, "9" * 5000, "1e19", "1e400", "NaN", "Infinity")
MOMENTS = (
    "253402300799", "-62135596800", "10000000000", "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00%2B14:00", "1969-01-01T00:00:00Z",
)  # fmt: skip


@pytest.fixture
async def admin(start: Start, database: Database) -> AsyncIterator[Accounted]:
    """The first administrator of a gateway that was asked once."""
    async with accounted(start, database) as one:
        await one.gateway.chat()
        await one.written()
        await one.made("/keys", {"name": "anna"})
        await one.made("/plans", {"name": "p"})
        yield one


@pytest.mark.parametrize(
    ("path", "param"),
    [
        ("/admin/v1/audit?before={}", "before"),
        ("/admin/v1/audit?count={}", "count"),
        ("/admin/v1/keys?count={}", "count"),
        ("/admin/v1/admins?count={}", "count"),
        ("/admin/decisions?count={}", "count"),
        ("/admin/v1/usage?since={}", "since"),
        ("/admin/v1/usage?until={}", "until"),
    ],
)
async def test_a_number_of_an_address_that_is_too_large_is_named(
    admin: Accounted, path: str, param: str
) -> None:
    for number in HUGE:
        refused(await admin.send("GET", path.format(number)), 400, "invalid_field", param)


async def test_the_largest_numbers_of_an_address_work(admin: Accounted) -> None:
    everything = (await admin.get("/audit")).json
    assert (await admin.get(f"/audit?before={NEWEST}&count=1000")).json == everything
    refused(await admin.get(f"/audit?before={NEWEST + 1}"), 400, "invalid_field", "before")
    assert (await admin.get("/audit?before=0")).json == {"data": [], "next": None}
    for moment in MOMENTS:
        for name in ("since", "until"):
            heard = await admin.get(f"/usage?by=day&{name}={moment}")
            assert heard.status == 200, heard


@pytest.mark.parametrize("ref", [*HUGE, "%ED%A0%80", "x" * 1000], ids=ascii)
async def test_a_strange_name_in_a_path_is_unknown(admin: Accounted, ref: str) -> None:
    for kind in ("key", "admin", "project", "organisation", "plan"):
        refused(await admin.get(f"/{kind}s/{ref}"), 404, f"{kind}_not_found")
    refused(await admin.post(f"/keys/{ref}/revoke"), 404, "key_not_found")
    refused(await admin.send("DELETE", f"/admin/v1/plans/{ref}"), 404, "plan_not_found")
    for request in (ref, f"abc-{ref}"):
        refused(await admin.get(f"/requests/{request}"), 404, "request_not_found", "request")
        refused(await admin.send("GET", f"/admin/decisions/{request}"), 404, "decision_not_found")


@pytest.mark.parametrize("number", [*HUGE, "1e30", "-1e30", '"1e30"'], ids=lambda one: one[:20])
async def test_a_number_of_a_body_that_is_too_large_changes_nothing(
    admin: Accounted, number: str
) -> None:
    before = [(await admin.get(path)).json for path in ("/keys/anna", "/plans/p")]
    for method, path, body in (
        ("PATCH", "/plans/p", '{"requests_per_minute": %s}'),
        ("PATCH", "/plans/p", '{"concurrent_requests": %s}'),
        ("PATCH", "/keys/anna", '{"budgets": [{"usd": %s}]}'),
        ("PATCH", "/keys/anna", '{"budgets": [{"usd": 1, "alerts": [%s]}]}'),
        ("PATCH", "/keys/anna", '{"weights": {"price": %s}}'),
        ("POST", "/keys/anna/rotate", '{"overlap": %s}'),
        ("POST", "/keys/anna/expire", '{"expires_at": %s}'),
        ("POST", "/keys", '{"expires_at": %s}'),
    ):
        heard = await admin.send(method, f"/admin/v1{path}", (body % number).encode())
        assert (heard.status, heard.json["error"]["type"]) == (400, "invalid_request_error"), heard
    assert [(await admin.get(path)).json for path in ("/keys/anna", "/plans/p")] == before


async def test_the_largest_limits_and_budgets_work(admin: Accounted) -> None:
    most = {
        "requests_per_minute": 10**12,
        "tokens_per_minute": 10**12,
        "concurrent_requests": 10**12,
    }
    await admin.made("/plans", {"name": "most", **most})
    budgets = [{"usd": 10**9, "per": per} for per in ("day", "month", "total")]
    key = (await admin.made("/keys", {"name": "bo", "plan": "most", "budgets": budgets}))["key"]
    assert (await admin.called(key)).status == 200
    await admin.written()
    heard = await admin.get("/budgets")
    (total,) = [one for one in heard.json["data"] if (one["name"], one["per"]) == ("bo", "total")]
    assert (total["limit"], json.dumps(total["spent"])) == (10**9, "9.75e-05")
