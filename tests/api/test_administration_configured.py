"""What the configuration names, at the admin API: it is listed and shown, and changed in the file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.api.administering import FIRST, Admin, administered
from tests.api.caller import refused
from tests.conftest import Start, settled, upstream_settings

SECRET = "sk-configured-0123456789"
TREE = {
    "plans": {"free": {"requests_per_minute": 20, "models": ["m1"]}, "odd / name": {}},
    "organisations": [{"name": "acme", "budgets": [{"usd": 5}]}, {"name": "other"}],
    "projects": [{"name": "chat", "organisation": "acme", "plan": "free"}],
    "keys": [
        {"name": "root", "key": "sk-root-7d2f90c4e1a85b36d0f48c27", "admin": True},
        {"name": "team", "key": SECRET, "project": "chat", "tags": ["x"]},
    ],
}
NAMES = {
    "plans": ["free", "odd / name"],
    "organisations": ["acme", "other"],
    "projects": ["chat"],
    "keys": ["root", "team"],
}


@pytest.fixture
async def admin(start: Start, tmp_path: Path) -> AsyncIterator[Admin]:
    async with administered(start, tmp_path, **TREE) as one:
        yield one


async def both(admin: Admin) -> None:
    """Make one more of each, in the database."""
    await admin.made("/plans", {"name": "big"})
    await admin.made("/organisations", {"name": "zoo"})
    await admin.made("/projects", {"name": "animals", "organisation": "zoo"})
    await admin.made("/keys", {"name": "anna", "project": "animals"})


@pytest.mark.parametrize("kind", NAMES)
async def test_lists_begin_with_the_configuration_and_go_on_with_the_database(
    admin: Admin, kind: str
) -> None:
    await both(admin)
    listed = (await admin.get(f"/{kind}")).json["data"]
    told = [(one["name"], one["source"]) for one in listed]
    assert told[:-1] == [(name, "configuration") for name in NAMES[kind]]
    assert told[-1][1] == "database"
    assert all((one["id"] is None) is (one["source"] == "configuration") for one in listed)
    assert all(one["state"] == "active" for one in listed)


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("count", [1, 2, 3])
async def test_pages_of_any_size_hold_everything_once(admin: Admin, kind: str, count: int) -> None:
    await both(admin)
    whole = (await admin.get(f"/{kind}")).json["data"]
    found, after = [], ""
    while after is not None:
        page = (await admin.get(f"/{kind}?count={count}&after={after}")).json
        assert len(page["data"]) <= count
        found += page["data"]
        after = None if page["next"] is None else page["next"].replace(" ", "%20")
    assert found == whole


async def test_what_is_configured_is_shown_with_its_terms_and_no_secret(admin: Admin) -> None:
    heard = await admin.get("/keys/team")
    assert (heard.json["project"], heard.json["tags"]) == ("chat", ["x"])
    assert "key" not in heard.json
    assert (await admin.get("/plans/free")).json["requests_per_minute"] == 20
    assert (await admin.get("/organisations/acme")).json["budgets"][0]["usd"] == "5"
    assert (await admin.get("/projects/chat")).json["plan"] == "free"
    told = heard.body + (await admin.get("/keys")).body
    assert SECRET[3:].encode() not in told


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/keys/team", {"tags": []}),
        ("POST", "/keys/team/rotate", {}),
        ("POST", "/keys/team/expire", {"expires_at": None}),
        ("POST", "/keys/team/disable", None),
        ("POST", "/keys/team/enable", None),
        ("POST", "/keys/team/revoke", None),
        ("PATCH", "/projects/chat", {"plan": None}),
        ("POST", "/projects/chat/disable", None),
        ("PATCH", "/organisations/acme", {"budgets": []}),
        ("POST", "/organisations/acme/disable", None),
        ("PATCH", "/plans/free", {"models": None}),
        ("DELETE", "/plans/free", None),
    ],
    ids=str,
)
async def test_what_is_configured_is_changed_in_the_file_alone(
    admin: Admin, method: str, path: str, body: object
) -> None:
    _, kind, name, *_ = path.split("/")
    before = (await admin.get(f"/{kind}")).body
    heard = await admin.send(method, f"/admin/v1{path}", body)
    refused(heard, 409, "conflict")
    message = heard.json["error"]["message"]
    assert message == f"The {kind[:-1]} `{name}` stands in the configuration: change it there."
    assert (await admin.get(f"/{kind}")).body == before
    assert (await admin.get("/audit")).json["data"] == []
    assert (await admin.called(SECRET)).status == 200


async def test_an_administrator_of_one_organisation_sees_what_is_configured_for_it(
    admin: Admin,
) -> None:
    said = {"capabilities": ["keys:read", "keys:write", "projects:write"], "organisation": "acme"}
    made = await admin.made("/admins", said)
    bea = Admin(admin.gateway, admin.port, made["key"])
    seen = {
        kind: [one["name"] for one in (await bea.get(f"/{kind}")).json["data"]] for kind in NAMES
    }
    assert seen == {**NAMES, "organisations": ["acme"], "keys": ["team"]}
    refused(await bea.get("/keys/root"), 404, "key_not_found")
    refused(await bea.post("/keys/root/revoke"), 404, "key_not_found")
    refused(await bea.post("/keys/team/revoke"), 409, "conflict")
    refused(await bea.get("/organisations/other"), 404, "organisation_not_found")


async def test_another_configuration_is_listed_as_soon_as_it_holds(admin: Admin) -> None:
    one = upstream_settings("one", admin.gateway.upstream, "m1")
    tree = {"upstreams": [one], "plans": {"new": {}}, "admin": {"key": FIRST}}
    admin.gateway.app.swap(*settled(tree))
    (listed,) = (await admin.get("/plans")).json["data"]
    assert (listed["name"], listed["source"]) == ("new", "configuration")
    refused(await admin.get("/plans/free"), 404, "plan_not_found")
    assert (await admin.made("/plans", {"name": "free"}))["source"] == "database"
