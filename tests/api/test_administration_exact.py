"""The admin API takes what it describes and nothing else: fields, types and parameters."""

import json
from datetime import UTC, datetime

import pytest
from tests.api.administering import Admin, admin
from tests.api.caller import ADMIN, refused

__all__ = ["admin"]

FAR = 4_102_444_800  # 2100-01-01 in Unix seconds
NONE, TWICE = "there is no such field.", "must not be said twice."
NUMBER, WHOLE, SWITCH = "must be a number.", "must be a whole number.", "must be true or false."


@pytest.mark.parametrize(
    ("path", "body", "param", "message"),
    [
        ("/keys/anna/rotate", {"overlap": True}, "overlap", NUMBER),
        ("/keys/anna/rotate", {"overlap": "5"}, "overlap", NUMBER),
        ("/keys/anna/rotate", {"overlap": 1, "a": 1}, "a", NONE),
        ("/keys/anna/disable", {"a": 1}, "a", NONE),
        ("/keys/anna/enable", {"overlap": 1}, "overlap", NONE),
        ("/keys/anna/revoke", {"a": None}, "a", NONE),
        ("/keys/anna/expire", {"expires_at": True}, "expires_at", None),
        ("/keys", {"rescue": "yes"}, "rescue", SWITCH),
        ("/keys", {"rescue": 1}, "rescue", SWITCH),
        ("/keys", {"weights": {"price": "5"}}, "weights.price", NUMBER),
        ("/keys", {"budgets": [{"usd": True}]}, "budgets[0].usd", "must be a number, not true or false."),
        ("/keys", {"budgets": [{"usd": "1_000"}]}, "budgets[0].usd", "must be a number, in the digits 0 to 9."),
        ("/keys", {"budgets": [{"usd": "٣"}]}, "budgets[0].usd", "must be a number, in the digits 0 to 9."),
        ("/keys", {"budgets": [{"usd": 1, "alerts": ["0.5"]}]}, "budgets[0].alerts[0]", NUMBER),
        ("/plans", {"name": "p", "requests_per_minute": "5"}, "requests_per_minute", WHOLE),
        ("/reload", {"now": True}, "now", NONE),
    ],
    ids=str,
)  # fmt: skip
async def test_a_body_has_the_fields_and_types_that_are_described(
    admin: Admin, path: str, body: object, param: str, message: str | None
) -> None:
    await admin.made("/keys", {"name": "anna"})
    heard = await admin.post(path, body)
    refused(heard, 400, "invalid_field", param)
    if message is not None:
        assert heard.json["error"]["message"] == f"{param}: {message}"
    assert [one["verb"] for one in (await admin.get("/audit")).json["data"]] == ["mint"]


async def test_nothing_is_said_by_an_empty_object_or_by_no_body(admin: Admin) -> None:
    await admin.made("/keys", {"name": "anna"})
    for body in (None, {}, b"", b" {} "):
        assert (await admin.post("/keys/anna/disable", body)).status == 200
    refused(await admin.post("/keys/anna/disable", b"[]"), 400, "invalid_request_body")
    await admin.made("/plans", {"name": "p", "requests_per_minute": 5.0})
    refused(await admin.send("DELETE", "/admin/v1/plans/p", {"a": 1}), 400, "invalid_field", "a")
    assert (await admin.send("DELETE", "/admin/v1/plans/p")).status == 200


@pytest.mark.parametrize(
    "path",
    [
        *(f"/admin/v1/{kind}" for kind in ("keys", "admins", "projects", "organisations", "plans")),
        "/admin/v1/keys/anna", "/admin/v1/audit", "/admin/v1/usage", "/admin/v1/budgets",
        "/admin/v1/requests/x", "/admin/decisions", "/admin/decisions/x", "/admin/decisions/live",
        "/openapi.json",
    ],
)  # fmt: skip
async def test_an_address_has_the_parameters_that_are_described(admin: Admin, path: str) -> None:
    await admin.made("/keys", {"name": "anna"})
    heard = await admin.send("GET", f"{path}?nope=1")
    refused(heard, 400, "invalid_field", "nope")
    assert heard.json["error"]["message"] == f"nope: {NONE}"


@pytest.mark.parametrize(
    ("path", "param"),
    [
        ("/admin/v1/keys?count=1&count=2", "count"),
        ("/admin/v1/plans?after=a&count=1&after=b", "after"),
        ("/admin/v1/audit?before=1&before=1", "before"),
        ("/admin/v1/usage?since=1&since=2", "since"),
        ("/admin/decisions?count=1&count=1", "count"),
    ],
)
async def test_a_parameter_is_said_once_unless_it_is_a_list(
    admin: Admin, path: str, param: str
) -> None:
    heard = await admin.send("GET", path)
    refused(heard, 400, "invalid_field", param)
    assert heard.json["error"]["message"] == f"{param}: {TWICE}"
    heard = await admin.get("/usage?by=key&by=day&key=a&key=b&since=x")
    refused(heard, 400, "invalid_field", "since")  # and none of the others


async def test_a_moment_is_in_seconds_however_large_it_is(admin: Admin) -> None:
    made = await admin.made("/keys", {"name": "anna", "expires_at": FAR})
    assert made["expires_at"] == "2100-01-01T00:00:00+00:00"
    heard = await admin.post("/keys/anna/expire", {"expires_at": 32_000_000_000})
    assert datetime.fromisoformat(heard.json["expires_at"]) == datetime(
        2984, 1, 15, 8, 53, 20, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("at", "message"),
    [
        (99_999_999_999_999, "is no moment before the year 10000."),
        (253_402_300_800, "is no moment before the year 10000."),
        (-1, "must not be before 1970."),
        ("1969-12-31T23:59:59Z", "must not be before 1970."),
    ],
)
async def test_a_moment_that_cannot_be_is_told_why(admin: Admin, at: object, message: str) -> None:
    await admin.made("/keys", {"name": "anna"})
    for path, said in (("/keys/anna/expire", {}), ("/keys", {"name": "bo"})):
        heard = await admin.post(path, {**said, "expires_at": at})
        refused(heard, 400, "invalid_field", "expires_at")
        assert heard.json["error"]["message"] == f"expires_at: {message}"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"name":"z3","budgets":[{"usd":NaN}]}', "invalid character (byte 31)."),
        (rb'{"name":"\ud800"}', "a text has half of a surrogate pair, such as \\ud800 alone."),
        (b'{"name":', "it ends too early."),
        (b"\xff", None),
    ],
    ids=repr,
)
async def test_what_is_no_json_is_told_as_callers_are_told(
    admin: Admin, body: bytes, why: str | None
) -> None:
    heard = await admin.post("/keys", body)
    refused(heard, 400, "invalid_request_body")
    message = heard.json["error"]["message"]
    assert message.startswith("The body is not JSON: ")
    assert why is None or message.endswith(why)


async def test_an_alert_and_a_tag_count_once(admin: Admin) -> None:
    said = {"tags": ["b", "dup", "dup"], "budgets": [{"usd": 1, "alerts": [0.5, 0.9, 0.5]}]}
    made = await admin.made("/keys", said)
    assert made["tags"] == ["b", "dup"]
    assert json.dumps(made["budgets"][0]["alerts"]) == "[0.5, 0.9]"


async def test_decisions_are_asked_for_as_exactly_at_the_port_of_callers(admin: Admin) -> None:
    for query, param in (("nope=1", "nope"), ("count=1&count=2", "count")):
        heard = await admin.gateway.get(f"/admin/decisions?{query}", (ADMIN,))
        refused(heard, 400, "invalid_field", param)
    assert (await admin.gateway.get("/admin/decisions?count=2", (ADMIN,))).status == 200
