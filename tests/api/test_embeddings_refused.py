"""Requests for embeddings that are refused: what is wrong, where, and that nothing was sent."""

import json
from collections.abc import AsyncIterator

import msgspec
import pytest
from hypothesis import given, settings
from tests.api.caller import BEARER, JSON, NARROW_KEY, chat_body, refused
from tests.api.embedding import PATH, cohere, embedder, embedding
from tests.conftest import Gateway, Start, settled
from tests.providers.junk import junk_objects

from infway.api.embeddings_reading import read_embeddings
from infway.kernel.errors import CallerError

WRONG = [
    ({"input": []}, "input"),
    ({"input": [[]]}, "input[0]"),
    ({"input": [[1], []]}, "input[1]"),
    ({"input": ["a", 1]}, "input[1]"),
    ({"input": ["a", "b", ["c"]]}, "input[2][0]"),
    ({"input": [1, [2]]}, "input[1]"),
    ({"input": ["a", None]}, "input[1]"),
    ({"input": [-1]}, "input[0]"),
    ({"input": [1.5]}, "input[0]"),
    ({"input": {"text": "a"}}, "input"),
    ({"input": 7}, "input"),
    ({"input": ["a"] * 2049}, "input"),
    ({"input": [[1]] * 2049}, "input"),
    ({"model": " "}, "model"),
    ({"model": {"llms": ["e1"]}}, "model"),
    ({"dimensions": 0}, "dimensions"),
    ({"dimensions": "many"}, "dimensions"),
    ({"encoding_format": "int8"}, "encoding_format"),
    ({"user": 1}, "user"),
    ({"provider": {"sort": "beauty"}}, "provider.sort"),
    ({"fallback_models": ["e2"]}, "fallback_models"),
    ({"model": "auto"}, "model"),
    ({"model": "cheap"}, "model"),
]


@pytest.fixture
async def gateway(start: Start) -> AsyncIterator[Gateway]:
    async with embedding(start, server={"body_limit": 100_000}) as one:
        yield one


@pytest.mark.parametrize(("said", "param"), WRONG, ids=[str(said)[:40] for said, _ in WRONG])
async def test_a_wrong_field_is_named_with_its_path(
    gateway: Gateway, said: dict[str, object], param: str
) -> None:
    heard = await gateway.post(PATH, {"model": "e1", "input": "a", **said})
    refused(heard, 400, "invalid_field", param)
    assert heard.json["error"]["message"].startswith(param)
    assert gateway.upstream.asked == []


@pytest.mark.parametrize("field", ["model", "input"])
async def test_what_is_missing_or_null_is_named(gateway: Gateway, field: str) -> None:
    for extra in ({}, {field: None}):
        body = {"model": "e1", "input": "a"}
        del body[field]
        heard = await gateway.post(PATH, {**body, **extra})
        refused(heard, 400, "missing_required_field", field)


async def test_null_is_the_same_as_absent(gateway: Gateway) -> None:
    unset = dict.fromkeys(("dimensions", "encoding_format", "user", "provider", "usage", "odd"))
    assert (await gateway.post(PATH, {"model": "e1", "input": "a", **unset})).status == 200
    assert gateway.upstream.asked[0].json == {"model": "native-e1", "input": "a"}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"input":"\xff"}', b"[" * 100_000, b'{"input":"\\ud800"}']
)
async def test_what_is_no_json_object_is_refused(gateway: Gateway, body: bytes) -> None:
    refused(await gateway.post(PATH, body), 400, "invalid_request_body")


async def test_the_edge_is_as_strict_as_for_chats(gateway: Gateway) -> None:
    body = {"model": "e1", "input": "a"}
    refused(await gateway.post(PATH, body, (JSON,)), 401, "missing_api_key")
    wrong = ("x-api-key", "wrong")
    refused(await gateway.post(PATH, body, (wrong, JSON)), 401, "invalid_api_key")
    refused(await gateway.post(PATH, body, (wrong, BEARER, JSON)), 400, "multiple_api_keys")
    xml = ("Content-Type", "application/xml")
    refused(await gateway.post(PATH, body, (BEARER, xml)), 415, "unsupported_media_type")
    large = {"model": "e1", "input": "a" * 100_000}
    refused(await gateway.post(PATH, large), 413, "payload_too_large")


async def test_who_asks_at_the_wrong_address_is_told_the_right_one(gateway: Gateway) -> None:
    heard = await gateway.chat(model="e1")
    refused(heard, 404, "model_not_found", "model")
    assert "/v1/embeddings" in heard.json["error"]["message"]
    heard = await gateway.post(PATH, {"model": "c1", "input": "a"})
    refused(heard, 404, "model_not_found", "model")
    assert "/v1/chat/completions" in heard.json["error"]["message"]
    heard = await gateway.post(PATH, {"model": "none", "input": "a"})
    refused(heard, 404, "model_not_found", "model")
    assert gateway.upstream.asked == []


async def test_a_model_for_embeddings_never_answers_a_chat_that_names_none(
    gateway: Gateway,
) -> None:
    for _ in range(5):
        await gateway.post("/v1/chat/completions", chat_body(model=None))
    assert {one.json["model"] for one in gateway.upstream.asked} == {"c1"}


async def test_a_key_may_use_only_its_models(gateway: Gateway) -> None:
    narrow = ("Authorization", f"Bearer {NARROW_KEY}")
    heard = await gateway.post(PATH, {"model": "e1", "input": "a"}, (narrow, JSON))
    refused(heard, 403, "model_not_accessible", "model")


async def test_token_ids_are_refused_where_no_upstream_reads_them(start: Start) -> None:
    async with embedding(start, cohere, dialect="cohere") as gateway:
        heard = await gateway.post(PATH, {"model": "e1", "input": [1, 2]})
        refused(heard, 400, "invalid_field", "input")
        assert "token ids" in heard.json["error"]["message"]
        assert gateway.upstream.asked == []


async def test_a_required_parameter_rules_out_who_cannot_say_it(start: Start) -> None:
    async with embedding(start, cohere, dialect="cohere") as gateway:
        body = {"model": "e1", "input": "a", "odd": 1, "provider": {"require_parameters": True}}
        refused(await gateway.post(PATH, body), 503, "no_available_provider")
        assert (await gateway.post(PATH, {**body, "odd": None})).status == 200


async def test_a_swap_takes_models_for_embeddings_away_and_brings_others(gateway: Gateway) -> None:
    body = {"model": "e1", "input": "a"}
    gateway.app.swap(*settled({"upstreams": []}))
    refused(await gateway.post(PATH, body), 404, "model_not_found", "model")
    gateway.app.swap(*settled({"upstreams": [embedder("new", gateway.upstream)]}))
    assert (await gateway.post(PATH, body)).header("x-gateway-provider") == "new"


NAMES = ("input", "model", "dimensions", "encoding_format", "provider", "__doc__", "ü\u2028", "x")


@settings(max_examples=500)
@given(junk_objects(NAMES))
def test_any_object_is_read_or_refused_with_a_field(body: dict[str, object]) -> None:
    data = json.dumps(body).encode()
    try:
        ask, _ = read_embeddings(data, "id", "e1")
    except CallerError:
        return
    assert ask.fields["input"] == body["input"]
    assert ask.input_tokens >= 1
    assert json.loads(msgspec.json.encode(ask.fields))["input"] == body["input"]
