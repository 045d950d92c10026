"""The models a key may use."""

import pytest
from tests.api.caller import BEARER, JSON, NARROW_KEY, chat_body, refused
from tests.conftest import Gateway, Start

NARROW = ("Authorization", f"Bearer {NARROW_KEY}")
POLICIES = {"auto", "fast", "cheap", "best"}


@pytest.mark.parametrize("path", ["/v1/models", "/models"])
async def test_models_are_listed_with_what_clients_look_for(gateway: Gateway, path: str) -> None:
    heard = await gateway.get(path)
    assert heard.json["object"] == "list"
    listed = {one["id"]: one for one in heard.json["data"]}
    assert listed.keys() == {"m1", "m2"} | POLICIES
    for one in listed.values():
        assert one["object"] == "model"
        assert isinstance(one["created"], int)
        assert isinstance(one["owned_by"], str)
        assert one["status"] == "active"
    assert listed["m1"]["pricing"] == {
        "prompt": "0.0000025", "completion": "0.00001", "input_cache_read": "0.00000125",
    }  # fmt: skip
    assert "tools" in listed["m1"]["capabilities"]
    assert (await gateway.get(f"{path}/m1")).json == listed["m1"]


async def test_a_key_sees_only_what_it_may_use(gateway: Gateway) -> None:
    listed = {one["id"] for one in (await gateway.get("/v1/models", (NARROW,))).json["data"]}
    assert listed == {"m2"} | POLICIES
    assert (await gateway.get("/v1/models/m2", (NARROW,))).status == 200


async def test_a_forbidden_model_is_as_unknown_as_one_that_is_none(gateway: Gateway) -> None:
    forbidden = await gateway.get("/v1/models/m1", (NARROW,))
    unknown = await gateway.get("/v1/models/none", (NARROW,))
    refused(forbidden, 404, "model_not_found", "model")
    refused(unknown, 404, "model_not_found", "model")
    assert forbidden.body == unknown.body


async def test_a_model_the_key_may_not_use_is_not_served(gateway: Gateway) -> None:
    for extra in ({}, {"stream": True}):
        heard = await gateway.post("/v1/chat/completions", chat_body(**extra), (NARROW, JSON))
        refused(heard, 403, "model_not_accessible", "model")
    for model in ("m2", None, "auto"):
        heard = await gateway.post("/v1/chat/completions", chat_body(model=model), (NARROW, JSON))
        assert heard.json["model"] == "m2"


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/m1", "/models"])
async def test_models_want_a_key(gateway: Gateway, path: str) -> None:
    refused(await gateway.get(path, ()), 401, "missing_api_key")
    refused(await gateway.get(path, (BEARER, BEARER)), 400, "multiple_api_keys")
    refused(await gateway.get(path, (("x-api-key", "wrong"),)), 401, "invalid_api_key")


async def test_an_alias_and_an_id_with_slashes_are_found(start: Start) -> None:
    gateway = await start(aliases={"org/nick:name": "m1"})
    heard = await gateway.get("/v1/models/org/nick:name")
    assert heard.json["id"] == "m1"
    assert heard.json["aliases"] == ["org/nick:name"]
    assert (await gateway.chat(model="org/nick:name")).json["model"] == "m1"
