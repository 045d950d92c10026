"""The admin API over the wire: keys that work at once, and end everywhere."""

import asyncio

import pytest
from tests.api.administering import FIRST, Admin, admin, bearer
from tests.api.caller import ADMIN_KEY, JSON, KEY, refused

__all__ = ["admin"]

KINDS = ("keys", "admins", "projects", "organisations", "plans")


async def test_a_key_that_was_minted_just_now_is_served_and_shown_never_again(admin: Admin) -> None:
    made = await admin.made("/keys", {"name": "anna", "tags": ["x"], "expires_at": None})
    assert (await admin.called(made["key"])).status == 200
    listed = (await admin.get("/keys")).json["data"][-1]
    shown = (await admin.get(f"/keys/{made['id']}")).json
    assert listed == shown == {name: made[name] for name in made if name != "key"}


async def test_a_revoked_key_is_refused_at_once_where_it_was_revoked(admin: Admin) -> None:
    key = (await admin.made("/keys", {"name": "anna"}))["key"]
    assert (await admin.post("/keys/anna/revoke")).json["state"] == "revoked"
    refused(await admin.called(key), 401, "invalid_api_key")


async def test_all_keys_that_do_not_work_are_refused_alike(admin: Admin) -> None:
    keys = [(await admin.made("/keys", {"name": name}))["key"] for name in "abcd"]
    await admin.post("/keys/a/revoke")
    await admin.post("/keys/b/disable")
    await admin.post("/keys/c/expire", {"expires_at": "2020-01-01T00:00:00Z"})
    await admin.post("/keys/d/rotate", {})
    heard = [await admin.called(key) for key in [*keys, "sk-nobody", keys[0][:-3] + "aaa"]]
    kept = [
        (one.status, one.body, [pair for pair in one.headers if pair[0] not in ("date", "x-request-id", "openai-processing-ms")])
        for one in heard
    ]  # fmt: skip
    assert all(one == kept[0] for one in kept)
    refused(heard[0], 401, "invalid_api_key")


async def test_a_rotated_key_and_the_one_before_work_side_by_side(admin: Admin) -> None:
    old = (await admin.made("/keys", {"name": "anna"}))["key"]
    new = (await admin.made("/keys/anna/rotate", {"overlap": 3600}))["key"]
    assert (await admin.called(old)).status == (await admin.called(new)).status == 200


async def test_a_key_has_its_plan_and_its_models(admin: Admin) -> None:
    key = (await admin.made("/keys", {"plan": "free"}))["key"]
    assert (await admin.called(key)).status == 200
    refused(await admin.called(key, model="m2"), 403, "model_not_accessible", "model")
    refused(await admin.called(key, model="none"), 404, "model_not_found", "model")
    listed = (await admin.gateway.get("/v1/models", (bearer(key),))).json["data"]
    assert "m1" in [one["id"] for one in listed]
    assert "m2" not in [one["id"] for one in listed]
    refused(
        await admin.gateway.get("/v1/models/m2", (bearer(key),)), 404, "model_not_found", "model"
    )


async def test_projects_and_organisations_are_made_edited_and_disabled(admin: Admin) -> None:
    await admin.made("/organisations", {"name": "acme", "budgets": [{"usd": "12.5"}]})
    await admin.made("/projects", {"name": "chat", "organisation": "acme", "plan": "free"})
    key = (await admin.made("/keys", {"name": "anna", "project": "chat"}))["key"]
    edited = await admin.send("PATCH", "/admin/v1/projects/chat", {"plan": None})
    assert (edited.json["plan"], edited.json["organisation"]) == (None, "acme")
    assert (await admin.called(key, model="m2")).status == 200
    await admin.post("/organisations/acme/disable")
    refused(await admin.called(key), 401, "invalid_api_key")
    await admin.post("/organisations/acme/enable")
    assert (await admin.called(key)).status == 200


async def test_plans_are_made_edited_and_removed(admin: Admin) -> None:
    await admin.made("/plans", {"name": "own", "tokens_per_minute": 100})
    edited = await admin.send("PATCH", "/admin/v1/plans/own", {"concurrent_requests": 3})
    assert (edited.json["tokens_per_minute"], edited.json["concurrent_requests"]) == (100, 3)
    assert (await admin.send("DELETE", "/admin/v1/plans/own")).status == 200
    refused(await admin.post("/keys", {"plan": "own"}), 400, "invalid_field", "plan")


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/keys", {"nope": 1}, "nope"),
        ("/keys", {"name": "with space"}, "name"),
        ("/keys", {"budgets": [{"usd": -1}]}, "budgets[0].usd"),
        ("/keys", {"budgets": [{"usd": 1, "per": "week"}]}, "budgets[0].per"),
        ("/keys", {"budgets": [{"usd": 1}, {"usd": 2}]}, "budgets[1].per"),
        ("/keys", {"weights": {"price": 1001}}, "weights.price"),
        ("/keys", {"project": "none"}, "project"),
        ("/keys", {"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ("/keys", {"expires_at": "2030-01-01T00:00:00"}, "expires_at"),
        ("/admins", {"capabilities": ["all"]}, "capabilities[0]"),
        ("/admins", {"capabilities": []}, "capabilities"),
        ("/projects", {}, "name"),
        ("/plans", {"name": "p", "requests_per_minute": -1}, "requests_per_minute"),
    ],
    ids=str,
)
async def test_what_is_wrong_is_named_by_its_path(
    admin: Admin, path: str, body: object, param: str
) -> None:
    refused(await admin.post(path, body), 400, "invalid_field", param)


@pytest.mark.parametrize("body", [b"{", b"[]", b"1", b'"x"', b"\xff", b"{]", b"[" * 5000], ids=repr)
async def test_what_is_no_object_is_refused(admin: Admin, body: bytes) -> None:
    refused(await admin.post("/keys", body), 400, "invalid_request_body")


async def test_a_name_twice_in_a_body_and_a_large_body_are_refused(admin: Admin) -> None:
    heard = await admin.post("/keys", b'{"name":"a","name":"b"}')
    assert (heard.status, heard.code) == (400, "invalid_request_body")
    refused(await admin.post("/keys", {"tags": ["x" * 70_000]}), 413, "payload_too_large")


async def test_what_is_not_there_or_there_already_is_told_apart(admin: Admin) -> None:
    await admin.made("/keys", {"name": "anna"})
    refused(await admin.post("/keys", {"name": "anna"}), 409, "conflict", "name")
    refused(await admin.post("/keys", {"name": "tests"}), 409, "conflict", "name")
    refused(await admin.get("/keys/bo"), 404, "key_not_found")
    refused(await admin.get("/nothing"), 404, "endpoint_not_found")
    await admin.post("/keys/anna/revoke")
    refused(await admin.post("/keys/anna/enable"), 409, "conflict")


@pytest.mark.parametrize("kind", KINDS)
async def test_nobody_gets_in_without_a_key_of_this_kind(admin: Admin, kind: str) -> None:
    path = f"/admin/v1/{kind}"
    refused(await admin.send("GET", path, headers=()), 401, "missing_api_key")
    caller = (await admin.made("/keys", {}))["key"]
    for key in (KEY, ADMIN_KEY, caller, FIRST[:-1]):
        refused(await admin.send("GET", path, headers=(bearer(key),)), 401, "invalid_api_key")


async def test_the_key_is_looked_at_before_path_type_and_body(admin: Admin) -> None:
    wrong = (bearer("wrong"), ("Content-Type", "text/plain"))
    refused(await admin.send("POST", "/nothing", b"{", wrong), 401, "invalid_api_key")
    refused(await admin.send("GET", "/openapi.json", headers=()), 401, "missing_api_key")


async def test_an_admin_key_is_none_for_callers(admin: Admin) -> None:
    made = await admin.made("/admins", {"capabilities": ["keys:read"]})
    refused(await admin.called(made["key"]), 401, "invalid_api_key")
    refused(await admin.called(FIRST), 401, "invalid_api_key")
    heard = await admin.gateway.get("/admin/decisions", (bearer(made["key"]),))
    refused(heard, 401, "invalid_api_key")
    heard = await admin.gateway.get("/admin/v1/keys", (bearer(FIRST),))
    refused(heard, 404, "endpoint_not_found")


async def test_an_admin_key_does_what_it_may_and_nothing_else(admin: Admin) -> None:
    made = await admin.made("/admins", {"name": "bea", "capabilities": ["keys:read"]})
    bea = Admin(admin.gateway, admin.port, made["key"], admin.reloads)
    assert (await bea.get("/keys")).status == 200
    for heard in (
        await bea.post("/keys", {}),
        await bea.post("/admins", {"capabilities": ["keys:read"]}),
        await bea.get("/admins"),
        await bea.get("/audit"),
        await bea.post("/reload"),
        await bea.send("GET", "/admin/decisions"),
    ):
        refused(heard, 403, "permission_denied")
    await admin.post("/admins/bea/revoke")
    refused(await bea.get("/keys"), 401, "invalid_api_key")


async def test_decisions_and_a_reload_are_for_those_who_may(admin: Admin) -> None:
    key = (await admin.made("/keys", {"name": "anna"}))["key"]
    await admin.called(key)
    (one,) = (await admin.send("GET", "/admin/decisions")).json["data"]
    assert one["key"] == "anna"
    assert (await admin.post("/reload")).status == 202
    assert admin.reloads == ["asked"]


async def test_the_audit_tells_who_did_what_and_no_secret(admin: Admin) -> None:
    made = await admin.made("/keys", {"name": "anna", "tags": ["a"]})
    await admin.send("PATCH", "/admin/v1/keys/anna", {"tags": ["b"]})
    heard = await admin.get("/audit?count=1")
    (edited,) = heard.json["data"]
    assert (edited["actor"], edited["verb"], edited["name"]) == ("admin.key", "edit", "anna")
    assert (edited["before"]["tags"], edited["after"]["tags"]) == (["a"], ["b"])
    older = await admin.get(f"/audit?before={heard.json['next']}")
    assert [one["verb"] for one in older.json["data"]] == ["mint"]
    assert made["key"][19:].encode() not in heard.body + older.body


async def test_lists_go_on_where_they_ended(admin: Admin) -> None:
    for name in "cab":
        await admin.made("/admins", {"name": name, "capabilities": ["reload"]})
    first = (await admin.get("/admins?count=2")).json
    rest = (await admin.get(f"/admins?count=2&after={first['next']}")).json
    assert [one["name"] for one in (*first["data"], *rest["data"])] == ["a", "b", "c"]
    assert rest["next"] is None
    refused(await admin.get("/admins?count=0"), 400, "invalid_field", "count")


async def test_who_guesses_has_to_wait_before_any_key_is_looked_at(admin: Admin) -> None:
    for _ in range(10):
        refused(await admin.send("GET", "/admin/v1/keys", headers=(bearer("x"),)), 401, "invalid_api_key")  # fmt: skip
    heard = await admin.get("/keys")
    refused(heard, 429, "rate_limit_exceeded")
    assert 1 <= int(heard.header("retry-after") or 0) <= 60


async def test_no_presented_key_is_echoed(admin: Admin) -> None:
    wrong = "ak-iw-my-dear-secret-0123456789"
    heard = await admin.send("GET", "/admin/v1/keys", headers=(bearer(wrong), JSON))
    told = heard.body + repr(heard.headers).encode()
    assert all(wrong[at : at + 6].encode() not in told for at in range(5, len(wrong) - 5))


async def test_many_mint_at_once_and_every_key_works(admin: Admin) -> None:
    made = await asyncio.gather(*(admin.made("/keys", {"name": f"k{n}"}) for n in range(20)))
    heard = await asyncio.gather(*(admin.called(one["key"]) for one in made))
    assert {one.status for one in heard} == {200}
    notes = (await admin.get("/audit")).json["data"]
    assert [one["change"] for one in notes] == list(range(20, 0, -1))


async def test_the_description_names_every_endpoint_and_every_one_answers_errors(
    admin: Admin,
) -> None:
    told = (await admin.send("GET", "/openapi.json")).json
    for kind in KINDS:
        assert {"get", "post"} <= told["paths"][f"/admin/v1/{kind}"].keys()
        assert "get" in told["paths"][f"/admin/v1/{kind}/{{ref}}"]
    for verb in ("rotate", "expire", "revoke", "disable", "enable"):
        assert f"/admin/v1/keys/{{ref}}/{verb}" in told["paths"]
    operations = [one for path in told["paths"].values() for one in path.values()]
    assert all("422" not in one["responses"] for one in operations)
    assert "/v1/chat/completions" not in told["paths"]
