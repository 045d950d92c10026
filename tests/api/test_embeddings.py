"""Embeddings through the whole line, over real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator

import jsonschema
import pytest
from openai import AsyncOpenAI, BadRequestError, NotFoundError
from tests.api.caller import ADMIN, BEARER, JSON, KEY, NARROW_KEY, refused
from tests.api.embedding import (
    PATH,
    cohere,
    embedding,
    embeds,
    inputs_in,
    packed,
    titan,
    vector,
)
from tests.api.upstream import Asked, Script, fault, whole
from tests.conftest import Gateway, Start

TEXTS = ["a", "bc", "déf"]


@pytest.fixture
async def gateway(start: Start) -> AsyncIterator[Gateway]:
    async with embedding(start) as one:
        yield one


def vectors(heard: object) -> list[object]:
    return [one["embedding"] for one in heard.json["data"]]  # type: ignore[attr-defined]


async def test_the_openai_sdk_reads_vectors_in_both_formats(gateway: Gateway) -> None:
    async with AsyncOpenAI(api_key=KEY, base_url=f"{gateway.url}/v1", max_retries=0) as client:
        create = client.embeddings.create
        usual = await create(model="e1", input=TEXTS)
        plain = await create(model="e1", input=TEXTS, encoding_format="float", dimensions=3)
        for reply in (usual, plain):
            assert [one.embedding for one in reply.data] == [vector(text) for text in TEXTS]
            assert [one.index for one in reply.data] == [0, 1, 2]
            assert (reply.model, reply.object) == ("e1", "list")
            assert (reply.usage.prompt_tokens, reply.usage.total_tokens) == (6, 6)
        first, second = gateway.upstream.asked
        assert first.json == {"model": "native-e1", "input": TEXTS, "encoding_format": "base64"}
        assert second.json == {"model": "native-e1", "input": TEXTS, "dimensions": 3}
        with pytest.raises(NotFoundError) as unknown:
            await create(model="none", input="a")
        assert unknown.value.code == "model_not_found"
        with pytest.raises(BadRequestError) as wrong:
            await create(model="e1", input=[])
        assert wrong.value.param == "input"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/embeddings",
        "/embeddings",
        "/api/v1/embeddings",
        "/openai/deployments/e1/embeddings",
        "/engines/e1/embeddings",
        "/v1/engines/e1/embeddings",
    ],
)
async def test_every_address_of_embeddings_answers(gateway: Gateway, path: str) -> None:
    body = {"input": "a"} if "e1" in path else {"input": "a", "model": "e1"}
    heard = await gateway.post(path, body)
    assert vectors(heard) == [vector("a")]
    refused(await gateway.get(path), 405, "method_not_allowed")


async def test_a_reply_tells_where_it_came_from_and_what_it_cost(gateway: Gateway) -> None:
    body = {"model": "e1", "input": TEXTS, "usage": {"include": True}}
    heard = await gateway.post(PATH, body)
    assert heard.header("x-gateway-provider") == "one"
    assert heard.header("x-gateway-attempts") == "one:ok"
    assert heard.header("x-gateway-dropped") is None
    assert heard.header("infe-unit-cost") == "0.000012"  # 6 tokens at 2 USD per million
    assert heard.header("x-request-id")
    assert heard.header("openai-processing-ms")
    assert heard.json["cost"] == pytest.approx(12e-6)
    assert heard.json["cost_details"]["prompt_cost"] == pytest.approx(12e-6)
    total, attempt = await gateway.rows()
    for row in (total, attempt):
        assert (row.model, row.upstream, row.outcome, row.status) == ("e1", "one", "ok", 200)
        assert (row.prompt_tokens, row.completion_tokens, row.cost) == (6, 0, 12_000_000)
        assert (row.estimated, row.priced, row.stream) == (0, 1, 0)


async def test_a_reply_keeps_the_description(gateway: Gateway) -> None:
    described = (await gateway.get("/openapi.json", ())).json
    for extra in ({}, {"encoding_format": "base64"}, {"usage": {"include": True}}):
        heard = await gateway.post(PATH, {"model": "e1", "input": TEXTS, **extra})
        part = {"$ref": "#/components/schemas/EmbeddingsReply"}
        whole_one = {**part, "components": described["components"]}
        jsonschema.Draft202012Validator(whole_one).validate(heard.json)


async def test_what_is_not_said_of_tokens_is_estimated_and_marked(start: Start) -> None:
    async with embedding(start, cohere, dialect="cohere") as gateway:
        heard = await gateway.post(PATH, {"model": "e1", "input": ["x" * 40, "y" * 8]})
        assert heard.json["usage"] == {"prompt_tokens": 12, "total_tokens": 12}
        (total, _) = await gateway.rows()
        assert (total.prompt_tokens, total.estimated, total.cost) == (12, 1, 24_000_000)


async def test_a_format_that_the_upstream_does_not_know_is_converted(start: Start) -> None:
    async with embedding(start, cohere, dialect="cohere") as gateway:
        body = {"model": "e1", "input": TEXTS, "encoding_format": "base64", "user": "me"}
        heard = await gateway.post(PATH, body)
        assert vectors(heard) == [packed(vector(text)) for text in TEXTS]
        assert heard.header("x-gateway-dropped") == "user"
        (asked,) = gateway.upstream.asked
        assert asked.path == "/v1/v2/embed"
        assert asked.json["embedding_types"] == ["float"]
        decisions = (await gateway.get("/admin/decisions", (ADMIN,))).json["data"]
        assert decisions[0]["attempts"][0]["dropped"] == ["user"]


async def test_base64_comes_as_numbers_where_numbers_are_wanted(start: Start) -> None:
    def stubborn(asked: Asked) -> Script:
        data = [
            {"index": i, "embedding": packed(vector(t))} for i, t in enumerate(inputs_in(asked))
        ]
        return whole({"data": data})

    async with embedding(start, stubborn) as gateway:
        assert vectors(await gateway.post(PATH, {"model": "e1", "input": "a"})) == [vector("a")]


@pytest.mark.parametrize("form", ["float", "base64"])
async def test_a_long_reply_says_the_same_as_a_short_one(start: Start, form: str) -> None:
    numbers = [float(n) for n in range(40_000)]
    reply = whole({"data": [{"index": 0, "embedding": numbers}]})
    async with embedding(start, lambda _: reply) as gateway:
        heard = await gateway.post(PATH, {"model": "e1", "input": "a", "encoding_format": form})
        assert vectors(heard) == [numbers if form == "float" else packed(numbers)]


async def test_token_ids_reach_an_upstream_that_reads_them(gateway: Gateway) -> None:
    for ids, count in (([1, 2, 3], 1), ([[1, 2], [3]], 2)):
        heard = await gateway.post(PATH, {"model": "e1", "input": ids})
        assert len(vectors(heard)) == count
        assert gateway.upstream.asked[-1].json["input"] == ids


async def test_more_inputs_than_a_call_may_have_are_asked_for_in_parts(start: Start) -> None:
    native = "amazon.titan-embed-text-v2:0"
    async with embedding(start, titan, dialect="bedrock", native=native) as gateway:
        texts = [f"text {i}" for i in range(30)]
        heard = await gateway.post(PATH, {"model": "e1", "input": texts})
        assert vectors(heard) == [vector(text) for text in texts]
        assert heard.json["usage"] == {"prompt_tokens": 90, "total_tokens": 90}
        assert heard.header("x-gateway-attempts") == "one:ok x30"
        assert heard.header("infe-unit-cost") == "0.000180"
        assert {one.path for one in gateway.upstream.asked} == {
            "/v1/model/amazon.titan-embed-text-v2%3A0/invoke"
        }
        rows = await gateway.rows()
        assert len(rows) == 31
        assert (rows[0].attempt, rows[0].prompt_tokens, rows[0].outcome) == (0, 90, "ok")


async def test_if_one_part_fails_the_request_does_and_what_was_used_is_billed(
    start: Start,
) -> None:
    def choosy(asked: Asked) -> Script:
        return fault(400, "text 3 is odd") if asked.json["inputText"] == "text 3" else titan(asked)

    native = "amazon.titan-embed-text-v2:0"
    async with embedding(start, choosy, dialect="bedrock", native=native) as gateway:
        texts = [f"text {i}" for i in range(30)]
        heard = await gateway.post(PATH, {"model": "e1", "input": texts})
        refused(heard, 400, "upstream_rejected")
        total, *attempts = await gateway.rows()
        assert total.outcome == "upstream_4xx"
        assert total.cost == sum(one.cost for one in attempts)
        assert {one.outcome for one in attempts} <= {"ok", "upstream_4xx", "client_gone"}
        assert gateway.app.embedding.attempts.active == 0


@pytest.mark.parametrize(
    ("first", "told"),
    [
        (lambda _: fault(503), "http_5xx"),
        (lambda _: fault(429, headers=("retry-after: 1",)), "rate_limited"),
        (lambda _: whole({"data": []}), "empty_choices"),
        (lambda _: whole({"data": [{"index": 0, "embedding": [1]}]}), "invalid_json"),
        (lambda _: whole(b"<html>", kind="text/html"), "wrong_content_type"),
        (
            lambda _: whole({"error": {"message": "down", "code": "server_overloaded"}}),
            "overloaded",
        ),
    ],
)
async def test_another_upstream_of_the_model_answers_where_the_first_fails(
    start: Start, first: object, told: str
) -> None:
    async with embedding(start, first, embeds) as gateway:  # type: ignore[arg-type]
        heard = await gateway.post(PATH, {"model": "e1", "input": ["a", "b"]})
        assert vectors(heard) == [vector("a"), vector("b")]
        assert heard.header("x-gateway-attempts") == f"one:{told}, two:ok"
        assert heard.header("x-gateway-provider") == "two"


async def test_a_client_that_leaves_ends_the_call(start: Start) -> None:
    async with embedding(start, lambda _: Script([asyncio.Event()])) as gateway:
        async with gateway.line() as line:
            body = json.dumps({"model": "e1", "input": "a"}).encode()
            line.send("POST", PATH, (BEARER, JSON), body)
            await asyncio.wait_for(gateway.upstream.reached.wait(), 5)
        await asyncio.wait_for(gateway.upstream.gone.wait(), 5)
        (total, _) = await gateway.rows()
        assert (total.outcome, total.estimated) == ("client_gone", 1)  # it was asked: row 55
        assert total.cost > 0


async def test_models_for_embeddings_are_listed_with_their_capability(gateway: Gateway) -> None:
    listed = {one["id"]: one for one in (await gateway.get("/v1/models")).json["data"]}
    assert listed["e1"]["capabilities"] == ["embeddings", "token_ids"]
    assert listed["e1"]["pricing"]["prompt"] == "0.000002"
    assert "embeddings" not in listed["c1"]["capabilities"]
    assert (await gateway.get("/v1/models/e1")).json == listed["e1"]
    narrow = ("Authorization", f"Bearer {NARROW_KEY}")
    refused(await gateway.get("/v1/models/e1", (narrow,)), 404, "model_not_found", "model")
