"""What the admin API says is wrong: a sentence with the field's path, whatever is wrong with it."""

import pytest
from tests.api.administering import Admin, admin
from tests.api.caller import refused

__all__ = ["admin"]

MOMENT = "must be a date and time with a time zone, like 2027-01-31T00:00:00Z, or Unix seconds."


@pytest.mark.parametrize(
    "path", ["/keys", "/admins", "/plans", "/keys/x/rotate", "/keys/x/expire"], ids=str
)
@pytest.mark.parametrize("body", [b"", b"null", b" ", b"[1]"], ids=repr)
async def test_a_body_that_says_nothing_is_told_to_be_an_object(
    admin: Admin, path: str, body: bytes
) -> None:
    heard = await admin.post(path, body)
    refused(heard, 400, "invalid_request_body")
    assert heard.json["error"]["message"] == "The body must be a JSON object."


@pytest.mark.parametrize(
    ("path", "body", "param", "message"),
    [
        ("/projects", {}, "name", "is required."),
        ("/keys", {"nope": None}, "nope", "there is no such field."),
        ("/keys", {"name": 1}, "name", "must be text."),
        ("/projects", {"name": None}, "name", "must be text, not null."),
        ("/keys", {"tags": "x"}, "tags", "must be a list."),
        ("/keys", {"tags": None}, "tags", "must be a list, not null."),
        ("/keys", {"tags": ["x"] * 17}, "tags", "must have at most 16 items, not 17."),
        ("/keys", {"tags": [""]}, "tags[0]", "must have at least 1 character."),
        ("/keys", {"rescue": None}, "rescue", "must be true or false, not null."),
        ("/keys", {"rescue": "maybe"}, "rescue", "must be true or false."),
        ("/keys", {"weights": 1}, "weights", "must be an object."),
        ("/keys", {"weights": {"price": "x"}}, "weights.price", "must be a number."),
        (
            "/keys",
            {"weights": {"price": 1001}},
            "weights.price",
            "must be less than or equal to 1000.",
        ),
        ("/keys", {"budgets": [None]}, "budgets[0]", "must be an object, not null."),
        ("/keys", {"budgets": [{}]}, "budgets[0].usd", "is required."),
        (
            "/keys",
            {"budgets": [{"usd": None}]},
            "budgets[0].usd",
            "must be a number, not null.",
        ),
        (
            "/keys",
            {"budgets": [{"usd": 1, "per": "week"}]},
            "budgets[0].per",
            "must be 'day', 'month' or 'total'.",
        ),
        ("/keys", {"expires_at": "tomorrow"}, "expires_at", MOMENT),
        ("/keys", {"expires_at": "2030-01-01T00:00:00"}, "expires_at", MOMENT),
        ("/keys/x/rotate", {"overlap": None}, "overlap", "must be a number, not null."),
        ("/plans", {"name": "p", "requests_per_hour": 1.5}, "requests_per_hour", "must be a whole number."),
        ("/projects", {"name": "p", "plan": "none"}, "plan", "there is no plan `none`."),
    ],
    ids=str,
)  # fmt: skip
async def test_what_is_wrong_is_said_in_a_sentence(
    admin: Admin, path: str, body: object, param: str, message: str
) -> None:
    heard = await admin.post(path, body)
    refused(heard, 400, "invalid_field", param)
    assert heard.json["error"]["message"] == f"{param}: {message}"


@pytest.mark.parametrize("name", ["with space", "-dash", "ä", "a/b"])
async def test_a_name_that_cannot_be_is_told_what_names_are(admin: Admin, name: str) -> None:
    heard = await admin.post("/keys", {"name": name})
    refused(heard, 400, "invalid_field", "name")
    assert heard.json["error"]["message"].startswith("name: must be 1 to 64 letters, digits, ")


@pytest.mark.parametrize("kind", ["key", "admin", "project", "organisation", "plan"])
async def test_a_name_that_is_taken_is_told_in_plain_english(admin: Admin, kind: str) -> None:
    body = {"name": "one"} | ({"capabilities": ["reload"]} if kind == "admin" else {})
    await admin.made(f"/{kind}s", body)
    heard = await admin.post(f"/{kind}s", body)
    refused(heard, 409, "conflict", "name")
    assert heard.json["error"]["message"] == f"name: another {kind} has this name, or had it."


@pytest.mark.parametrize(
    ("path", "param", "message"),
    [
        ("/keys?count=x", "count", "must be a whole number."),
        ("/keys?after=%00", "after", "has characters that it cannot have."),
        ("/usage?by=x", "by[0]", "must be 'key', 'project', 'organisation', 'model', 'upstream', 'outcome', 'tag' or 'day'."),
        ("/usage?nope=x", "nope", "there is no such field."),
        ("/usage?since=2026-01-01", "since", MOMENT),
    ],
)  # fmt: skip
async def test_what_is_wrong_in_the_address_is_said_alike(
    admin: Admin, path: str, param: str, message: str
) -> None:
    heard = await admin.get(path)
    refused(heard, 400, "invalid_field", param)
    assert heard.json["error"]["message"] == f"{param}: {message}"
