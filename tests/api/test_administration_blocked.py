"""Keys that are active and refused all the same: the admin API says why, and makes no such key."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.api.administering import FIRST, Admin, administered
from tests.api.caller import refused
from tests.conftest import Start, settled, upstream_settings

TREE = {
    "plans": {"pro": {}},
    "organisations": [{"name": "firm"}],
    "projects": [{"name": "desk", "organisation": "firm"}],
}


@pytest.fixture
async def admin(start: Start, tmp_path: Path) -> AsyncIterator[Admin]:
    async with administered(start, tmp_path, **TREE) as one:
        yield one


def swap(admin: Admin, **tree: object) -> None:
    """Use another configuration."""
    one = upstream_settings("one", admin.gateway.upstream, "m1")
    admin.gateway.app.swap(*settled({"upstreams": [one], "admin": {"key": FIRST}, **tree}))


async def stands(admin: Admin, path: str) -> tuple[str, str | None]:
    """Return state and reason of one entry, which the list has as well."""
    shown = (await admin.get(path)).json
    listed = (await admin.get(path.rpartition("/")[0])).json["data"]
    assert shown in listed
    return shown["state"], shown.get("reason")


async def test_a_key_whose_plan_or_project_left_the_configuration_is_blocked(admin: Admin) -> None:
    keys = {
        "a": await admin.made("/keys", {"name": "a", "plan": "pro"}),
        "b": await admin.made("/keys", {"name": "b", "project": "desk"}),
    }
    assert await stands(admin, "/keys/a") == ("active", None)
    swap(admin)
    assert await stands(admin, "/keys/a") == ("blocked", "there is no plan `pro`")
    assert await stands(admin, "/keys/b") == ("blocked", "there is no project `desk`")
    for one in keys.values():
        refused(await admin.called(one["key"]), 401, "invalid_api_key")
    assert (await admin.post("/keys/a/rotate", {})).json["reason"] == "there is no plan `pro`"
    swap(admin, **TREE)
    assert await stands(admin, "/keys/a") == ("active", None)
    assert (await admin.called(keys["b"]["key"])).status == 200


async def test_a_key_whose_name_the_configuration_took_is_blocked(admin: Admin) -> None:
    made = await admin.made("/keys", {"name": "anna"})
    swap(admin, keys=[{"name": "anna", "key": "sk-configured-0123456789"}])
    shown = (await admin.get(f"/keys/{made['id']}")).json
    assert shown["reason"] == "the configuration has a key of this name"
    refused(await admin.called(made["key"]), 401, "invalid_api_key")


async def test_what_is_below_something_disabled_is_blocked_until_it_is_enabled(
    admin: Admin,
) -> None:
    await admin.made("/organisations", {"name": "acme"})
    await admin.made("/projects", {"name": "chat", "organisation": "acme"})
    key = (await admin.made("/keys", {"name": "anna", "project": "chat"}))["key"]
    for path, why in (
        ("/organisations/acme", "the organisation `acme` is disabled"),
        ("/projects/chat", "the project `chat` is disabled"),
    ):
        await admin.post(f"{path}/disable")
        assert await stands(admin, "/keys/anna") == ("blocked", why)
        refused(await admin.called(key), 401, "invalid_api_key")
        await admin.post(f"{path}/enable")
        assert await stands(admin, "/keys/anna") == ("active", None)
        assert (await admin.called(key)).status == 200


async def test_a_plan_further_up_is_named_with_whose_it_is(admin: Admin) -> None:
    await admin.made("/organisations", {"name": "acme", "plan": "pro"})
    await admin.made("/projects", {"name": "chat", "organisation": "acme"})
    await admin.made("/keys", {"name": "anna", "project": "chat"})
    swap(admin)
    why = "there is no plan `pro`, the plan of the organisation `acme`"
    assert await stands(admin, "/keys/anna") == ("blocked", why)
    assert await stands(admin, "/projects/chat") == ("blocked", why)
    assert await stands(admin, "/organisations/acme") == ("blocked", "there is no plan `pro`")


async def test_what_its_own_end_or_switch_ends_says_that_first(admin: Admin) -> None:
    await admin.made("/keys", {"name": "anna", "plan": "pro"})
    swap(admin)
    for verb, body, state in (
        ("disable", None, "disabled"),
        ("enable", None, "blocked"),
        ("expire", {"expires_at": 1_700_000_000}, "expired"),
        ("revoke", None, "revoked"),
    ):
        shown = (await admin.post(f"/keys/anna/{verb}", body)).json
        assert (shown["state"], "reason" in shown) == (state, state == "blocked")


async def test_nothing_is_made_where_it_would_be_refused_at_once(admin: Admin) -> None:
    await admin.made("/organisations", {"name": "acme"})
    await admin.made("/projects", {"name": "chat", "organisation": "acme"})
    await admin.made("/keys", {"name": "anna", "project": "chat"})
    await admin.made("/keys", {"name": "bo"})
    await admin.post("/organisations/acme/disable")
    heard = [
        await admin.post("/keys", {"name": "cy", "project": "chat"}),
        await admin.send("PATCH", "/admin/v1/keys/bo", {"project": "chat"}),
    ]
    for one in heard:
        refused(one, 409, "conflict", "project")
        message = "The organisation `acme` is disabled: the key would be refused."
        assert one.json["error"]["message"] == message
    one = await admin.post("/projects", {"name": "more", "organisation": "acme"})
    refused(one, 409, "conflict", "organisation")
    # what is there already can still be changed
    assert (await admin.send("PATCH", "/admin/v1/keys/anna", {"tags": ["x"]})).status == 200


async def test_names_that_lead_nowhere_are_taken_with_a_warning(admin: Admin) -> None:
    said = {"name": "anna", "models": ["m1", "nope", "auto"], "upstreams": ["one", "no"]}
    made = await admin.made("/keys", said)
    assert made["warnings"] == [
        "models: no upstream offers `nope` now.",
        "upstreams: there is no upstream `no` now.",
    ]
    heard = await admin.send("PATCH", "/admin/v1/keys/anna", {"models": ["m1"], "upstreams": None})
    assert "warnings" not in heard.json
    plan = await admin.made("/plans", {"name": "p", "models": ["m2", "nope"]})
    assert plan["warnings"] == ["models: no upstream offers `nope` now."]
