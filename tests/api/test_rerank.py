"""Rerank through the whole line, over real sockets."""

import json

import cohere
import httpx
import jsonschema
import pytest
from tests.api.caller import KEY, NARROW_KEY, refused
from tests.api.upstream import Asked, Script, fault, whole
from tests.api.working import DOCUMENTS, RANKED, working, works
from tests.conftest import Start

PATH = "/v1/rerank"
BODY = {"model": "r1", "query": "pets", "documents": DOCUMENTS}
TOLD = {"model": "native-r1", "query": "pets", "documents": DOCUMENTS}
OBJECTS = [{"text": "a cat", "id": 1}, {"text": "a dog"}, "a fish"]


async def test_the_cohere_sdk_ranks_by_both_of_its_clients(start: Start) -> None:
    async with working(start) as gateway, httpx.AsyncClient() as line:
        new = cohere.AsyncClientV2(KEY, base_url=gateway.url, httpx_client=line)
        reply = await new.rerank(model="r1", query="pets", documents=DOCUMENTS, top_n=2)
        assert [(one.index, one.relevance_score) for one in reply.results] == [(2, 0.9), (0, 0.1)]
        assert reply.meta is not None
        assert reply.meta.billed_units is not None
        assert reply.meta.billed_units.search_units == 1
        old = cohere.AsyncClient(KEY, base_url=gateway.url, httpx_client=line)
        again = await old.rerank(
            model="r1", query="pets", documents=DOCUMENTS, return_documents=True
        )
        assert [one.document and one.document.text for one in again.results] == ["a fish", "a cat"]
        first, second = gateway.upstream.asked
        assert first.path == second.path == "/v1/rerank"
        assert first.json == {**TOLD, "top_n": 2}
        assert second.json == TOLD


@pytest.mark.parametrize(
    "path",
    [
        "/v1/rerank",
        "/rerank",
        "/v2/rerank",
        "/api/v1/rerank",
        "/openai/deployments/r1/rerank",
        "/engines/r1/rerank",
    ],
)
async def test_every_address_of_rerank_answers(start: Start, path: str) -> None:
    async with working(start) as gateway:
        body = {name: value for name, value in BODY.items() if name != "model" or "r1" not in path}
        heard = await gateway.post(path, body)
        assert heard.json["results"] == RANKED
        assert heard.json["model"] == "r1"
        refused(await gateway.get(path), 405, "method_not_allowed")


async def test_a_search_is_paid_and_told(start: Start) -> None:
    async with working(start) as gateway:
        heard = await gateway.post(PATH, {**BODY, "usage": {"include": True}})
        assert heard.header("x-gateway-provider") == "one"
        assert heard.header("x-gateway-attempts") == "one:ok"
        assert heard.header("infe-unit-cost") == "0.002000"
        assert heard.json["cost"] == pytest.approx(0.002)
        total, attempt = await gateway.rows()
        for row in (total, attempt):
            assert (row.model, row.upstream, row.outcome, row.status) == ("r1", "one", "ok", 200)
            assert (row.cost, row.priced, row.estimated) == (2_000_000_000, 1, 0)
        described = (await gateway.get("/openapi.json", ())).json
        part = {"$ref": "#/components/schemas/RerankReply", "components": described["components"]}
        jsonschema.Draft202012Validator(part).validate(heard.json)


async def test_searches_that_nobody_counts_are_counted_by_a_hundred_documents(
    start: Start,
) -> None:
    def silent(_: Asked) -> Script:
        return whole({"results": [{"index": 200, "relevance_score": 1}]})

    async with working(start, silent) as gateway:
        heard = await gateway.post(PATH, {**BODY, "documents": ["x"] * 201})
        assert heard.json["meta"]["billed_units"] == {"search_units": 3}
        total, _ = await gateway.rows()
        assert (total.cost, total.estimated) == (6_000_000_000, 1)


VENDORS = [
    # vendor, its path, its words for `top_n: 1`, its reply, tokens that are paid
    ("cohere", "/v2/rerank", {"top_n": 1},
     {"results": RANKED, "meta": {"billed_units": {"input_tokens": 50}}}, 50),
    ("voyage", "/rerank", {"top_k": 1},
     {"object": "list", "data": RANKED[::-1], "usage": {"total_tokens": 7}}, 7),
    ("jina", "/rerank", {"top_n": 1, "return_documents": False},
     {"results": RANKED, "usage": {"total_tokens": 8}}, 8),
    ("together", "/rerank", {"top_n": 1},
     {"results": RANKED, "usage": {"prompt_tokens": 9, "completion_tokens": 0}}, 9),
    ("fireworks", "/rerank", {"top_n": 1}, {"data": RANKED, "usage": {"prompt_tokens": 6}}, 6),
    ("vllm", "/rerank", {"top_n": 1}, {"results": RANKED, "usage": {"total_tokens": 5}}, 5),
    ("custom", "/rerank", {"top_n": 1}, [{"index": 2, "score": 0.9}, {"index": 0, "score": 0.1}],
     None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("vendor", "path", "words", "reply", "tokens"), VENDORS, ids=[row[0] for row in VENDORS]
)
async def test_each_vendor_is_asked_in_its_own_words(
    start: Start,
    vendor: str,
    path: str,
    words: dict[str, object],
    reply: object,
    tokens: int | None,
) -> None:
    tokened = {"search_price": None, "input_price": "3"}
    async with working(
        start, lambda _: whole(reply), models=["r1"], r1=tokened, vendor=vendor, key="k"
    ) as gateway:
        heard = await gateway.post(PATH, {**BODY, "top_n": 1, "return_documents": True})
        best = {"index": 2, "relevance_score": 0.9, "document": {"text": "a fish"}}
        assert heard.json["results"] == [best]
        (asked,) = gateway.upstream.asked
        assert asked.path == "/v1" + path
        assert asked.json == {**TOLD, **words}
        total, _ = await gateway.rows()
        if tokens is not None:
            assert (total.prompt_tokens, total.estimated) == (tokens, 0)
            assert total.cost == tokens * 3_000_000
        else:
            assert total.estimated == 1


@pytest.mark.parametrize(
    ("native", "extra"),
    [("cohere.rerank-v3-5:0", {"api_version": 2}), ("amazon.rerank-v1:0", {})],
)
async def test_bedrock_has_the_model_in_its_address(
    start: Start, native: str, extra: dict[str, object]
) -> None:
    more = {"r1": {"native": native}, "vendor": "bedrock", "key": "k", "region": "eu-west-1"}
    async with working(start, lambda _: whole({"results": RANKED}), models=["r1"], **more) as one:
        assert (await one.post(PATH, BODY)).json["results"] == RANKED
        (asked,) = one.upstream.asked
        assert asked.path == f"/v1/model/{native.replace(':', '%3A')}/invoke"
        assert asked.json == {"query": "pets", "documents": DOCUMENTS, **extra}


async def test_documents_may_be_objects_with_a_text(start: Start) -> None:
    async with working(start) as gateway:
        heard = await gateway.post(PATH, {**BODY, "documents": OBJECTS, "return_documents": True})
        assert gateway.upstream.asked[0].json["documents"] == DOCUMENTS
        documents = [one["document"] for one in heard.json["results"]]
        assert documents == [{"text": "a fish"}, {"text": "a cat", "id": 1}]
        odd = [{"image": "https://example.org/cat.png"}]
        heard = await gateway.post(PATH, {**BODY, "documents": odd})
        refused(heard, 400, "unsupported_parameter", "documents")


async def test_what_a_vendor_has_no_word_for_is_listed(start: Start) -> None:
    more = {"models": ["r1"], "vendor": "voyage", "key": "k"}
    async with working(start, lambda _: whole({"data": RANKED}), **more) as gateway:
        heard = await gateway.post(PATH, {**BODY, "max_tokens_per_doc": 9, "truncation": True})
        assert heard.header("x-gateway-dropped") == "max_tokens_per_doc"
        assert gateway.upstream.asked[0].json == {**TOLD, "truncation": True}


@pytest.mark.parametrize(
    ("first", "told"),
    [
        (lambda _: fault(500), "http_500"),
        (lambda _: fault(429, headers=("retry-after: 1",)), "rate_limited"),
        (lambda _: whole({"results": []}), "empty_choices"),
        (lambda _: whole({"results": [{"index": 3, "relevance_score": 1}]}), "invalid_json"),
        (lambda _: whole({"results": [{"index": -1, "relevance_score": 1}]}), "invalid_json"),
        (lambda _: whole({"results": [RANKED[0], RANKED[0]]}), "invalid_json"),
        (lambda _: whole({"results": [{"index": 0}]}), "invalid_json"),
        (lambda _: whole(b"[1]"), "invalid_json"),
        (lambda _: whole(b"<html>", kind="text/html"), "wrong_content_type"),
        (lambda _: whole({"error": {"message": "no", "code": "server_overloaded"}}), "overloaded"),
    ],
)
async def test_another_upstream_of_the_model_answers_where_the_first_fails(
    start: Start, first: object, told: str
) -> None:
    async with working(start, first, works) as gateway:  # type: ignore[arg-type]
        heard = await gateway.post(PATH, BODY)
        assert heard.json["results"] == RANKED
        assert heard.header("x-gateway-attempts") == f"one:{told}, two:ok"
        total, bad, good = await gateway.rows()
        assert (total.outcome, bad.outcome, good.outcome) == ("ok", told, "ok")
        assert total.cost == good.cost == 6_000_000_000


async def test_the_cheapest_search_is_asked_first(start: Start) -> None:
    dear = {"one": "90", "two": "1"}

    async with working(start, works, works, r1={"search_price": dear["one"]}) as gateway:
        heard = await gateway.post(PATH, {**BODY, "provider": {"sort": "price"}})
        assert heard.header("x-gateway-provider") == "one"
        heard = await gateway.post(PATH, {**BODY, "provider": {"only": ["two"]}})
        assert heard.header("x-gateway-provider") == "two"


async def test_a_model_is_asked_for_where_its_work_is_done(start: Start) -> None:
    async with working(start) as gateway:
        heard = await gateway.chat(model="r1")
        refused(heard, 404, "model_not_found", "model")
        assert "/v1/rerank" in heard.json["error"]["message"]
        heard = await gateway.post(PATH, {**BODY, "model": "c1"})
        refused(heard, 404, "model_not_found", "model")
        assert "/v1/chat/completions" in heard.json["error"]["message"]
        heard = await gateway.post(PATH, {**BODY, "model": "i1"})
        assert "/v1/images/generations" in heard.json["error"]["message"]
        refused(
            await gateway.post(PATH, {**BODY, "model": "none"}), 404, "model_not_found", "model"
        )
        narrow = (("Authorization", f"Bearer {NARROW_KEY}"), ("Content-Type", "application/json"))
        refused(await gateway.post(PATH, BODY, narrow), 403, "model_not_accessible", "model")
        assert gateway.upstream.asked == []


@pytest.mark.parametrize(
    ("said", "code", "param"),
    [
        ({"query": None}, "missing_required_field", "query"),
        ({"documents": None}, "missing_required_field", "documents"),
        ({"model": None}, "missing_required_field", "model"),
        ({"documents": []}, "invalid_field", "documents"),
        ({"documents": "a"}, "invalid_field", "documents"),
        ({"documents": ["a", 1]}, "invalid_field", "documents[1]"),
        ({"top_n": 0}, "invalid_field", "top_n"),
        ({"model": " "}, "invalid_field", "model"),
        ({"provider": {"sort": "beauty"}}, "invalid_field", "provider.sort"),
    ],
)
async def test_a_wrong_field_is_named(
    start: Start, said: dict[str, object], code: str, param: str
) -> None:
    async with working(start) as gateway:
        refused(await gateway.post(PATH, {**BODY, **said}), 400, code, param)
        assert gateway.upstream.asked == []


async def test_models_are_listed_with_what_they_do_and_cost(start: Start) -> None:
    async with working(start) as gateway:
        listed = {one["id"]: one for one in (await gateway.get("/v1/models")).json["data"]}
        assert listed["r1"]["capabilities"] == ["rerank"]
        assert listed["r1"]["pricing"]["request"] == "0.002"
        assert listed["i1"]["capabilities"] == ["image_edits", "image_variations", "images"]
        assert listed["i1"]["pricing"]["image"] == "0.04"
        assert "request" not in listed["c1"]["pricing"]
        assert json.dumps(listed["c1"]["capabilities"]).find("rerank") < 0
