"""Recorded embeddings of real vendors: replies, errors, and our calls for the same inputs.

The recordings are not part of the project: the tests are skipped where they are not at hand. What
they say is read here with plain JSON and struct.
"""

import json
import re
import struct
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from tests.providers.embedding import asked, numbers, offered

from infway.kernel.faults import Fault
from infway.providers.embeddings.vectors import in_format
from infway.providers.embeddings.ways import Way, way_of
from infway.providers.registry import EMBEDDERS
from infway.providers.vendors import VENDORS

CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus" / "dev"
DIALECTS = {"openai_embeddings", "gemini_embeddings", "cohere_embed", "vertex_predict"}
APIS = {"bedrock.embeddings", "ollama.embeddings"}
VENDOR = {"ollama": "ollama-native", "copilot": "custom", "doubleword": "custom"}
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the recordings are not at hand")


@cache
def records() -> list[dict]:
    lines = (CORPUS / "_index.jsonl").read_text().splitlines() if CORPUS.is_dir() else []
    rows = [
        row for row in map(json.loads, lines) if row["dialect"] in DIALECTS or row["api"] in APIS
    ]
    return [json.loads((CORPUS / row["file"]).read_text()) for row in rows]


def named(*, ok: bool) -> list:
    found = [one for one in records() if (one["response"]["status"] == 200) == ok]
    return [pytest.param(one, id=f"{one['provider']}-{one['id']}") for one in found]


def way(record: dict) -> Way:
    """How infway asks the vendor of a recording for that model."""
    provider = record["provider"]
    if provider == "azure" and "/deployments/" in record["request"]["url"]:
        provider = "azure-deployments"
    found = way_of(VENDORS[VENDOR.get(provider, provider)], None, record["model"])
    assert found is not None
    return found


def body_of(record: dict) -> dict:
    body = record["request"]["body"]
    return without_nulls(json.loads(body) if isinstance(body, str) else body)


def without_nulls(body: dict) -> dict:
    return {key: value for key, value in body.items() if value is not None}


def headers_of(record: dict) -> dict[str, str]:
    return {k.lower(): str(v) for k, v in record["response"]["headers"].items()}


def lists(node: object) -> Iterator[list[float] | str]:
    """Every vector of a reply, in order: the longest lists of numbers, and what is base64."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "embedding" and isinstance(value, str):
                yield value
            elif key != "embeddingsByType":  # Titan says the same a second time
                yield from lists(value)
    elif isinstance(node, list):
        if node and all(isinstance(one, int | float) for one in node):
            yield node
        else:
            for one in node:
                yield from lists(one)


def spelled(vector: list[float] | str, provider: str) -> list[float]:
    if not isinstance(vector, str):
        return vector
    data = b64decode(vector)
    form = f"{len(data)}b" if provider == "perplexity" else f"<{len(data) // 4}f"
    return list(struct.unpack(form, data))


def counted(record: dict, reply: dict) -> int | None:
    """The tokens a vendor says that it read, wherever it says so."""
    usage = reply.get("usage") or reply.get("usageMetadata") or {}
    said = [usage.get("prompt_tokens"), usage.get("total_tokens"), usage.get("promptTokenCount")]
    said += [reply.get("inputTextTokenCount"), reply.get("prompt_eval_count")]
    said += [(reply.get("meta") or {}).get("billed_units", {}).get("input_tokens")]
    said += [headers_of(record).get("x-amzn-bedrock-input-token-count")]
    statistics = [one["embeddings"]["statistics"] for one in reply.get("predictions", [])]
    said += [sum(one["token_count"] for one in statistics) or None]
    return next((int(one) for one in said if one), None)


@pytest.mark.parametrize("record", named(ok=True))
def test_a_recorded_reply_says_what_plain_json_says(record: dict) -> None:
    text = record["response"]["body_text"]
    reply = json.loads(text)
    vectors = EMBEDDERS[way(record).dialect].whole(text.encode(), headers_of(record))
    truth = [spelled(one, record["provider"]) for one in lists(reply)]
    assert len(truth) >= 1
    assert numbers(vectors) == truth
    usage = vectors.usage
    assert (None if usage is None else usage.prompt) == counted(record, reply)
    if record["provider"] != "vllm":  # that old server answered with float64, see the ways
        assert numbers(in_format(vectors, coded=False)) == truth
        assert numbers(in_format(vectors, coded=True)) == [pytest.approx(one) for one in truth]


@pytest.mark.parametrize("record", named(ok=False))
def test_a_recorded_error_is_named_sensibly(record: dict) -> None:
    response = record["response"]
    body = response["body_text"].encode()
    embedder = EMBEDDERS[way(record).dialect]
    failure = embedder.fault(response["status"], headers_of(record), body)
    expected = {401: Fault.PROVIDER_AUTH, 403: Fault.PROVIDER_AUTH, 404: Fault.MODEL_MISSING}
    usual = expected.get(response["status"], Fault.UPSTREAM_4XX)
    is_missing = re.search(r"invalid_model|from this model|is not supported", response["body_text"])
    assert failure.fault is (Fault.MODEL_MISSING if is_missing else usual)
    assert failure.message
    assert failure.message[:20] in response["body_text"].replace("\\n", " ")


def caller_says(record: dict) -> dict:
    """What a caller of infway says to mean what was recorded."""
    body = body_of(record)
    if "requests" in body or "content" in body:
        one = (body.get("requests") or [body])[0]
        contents = [request["content"] for request in body.get("requests") or [body]]
        texts = [content["parts"][0]["text"] for content in contents]
        said = {"task_type": one.get("taskType"), "dimensions": one.get("outputDimensionality")}
        return without_nulls({"input": texts, **said})
    if "instances" in body:
        texts = [one["content"] for one in body["instances"]]
        dimensions = body.get("parameters", {}).get("outputDimensionality")
        return without_nulls({"input": texts, "dimensions": dimensions})
    if "singleEmbeddingParams" in body:
        said = body["singleEmbeddingParams"]
        text = said["text"]
        return {"input": text["value"], "dimensions": said["embeddingDimension"],
                "truncate": text["truncationMode"]}  # fmt: skip
    ours = {"texts": "input", "inputText": "input", "prompt": "input"}
    ours |= {"output_dimension": "dimensions"}
    own = {"model", "embedding_types"}  # what infway says by itself
    return {ours.get(key, key): value for key, value in body.items() if key not in own}


def meaning(body: dict, *, asks_format: bool) -> dict:
    """A body without what means nothing, or only how the numbers are written."""
    body = without_nulls(body)
    for key in ("embedding_types", "model", *(() if asks_format else ("encoding_format",))):
        body.pop(key, None)
    if isinstance(body.get("input"), str):
        body["input"] = [body["input"]]
    requests = [{"content": {"parts": one["content"]["parts"]}, **{
        key: value for key, value in one.items() if key not in ("content", "model")}}
        for one in body.get("requests", [])]  # fmt: skip
    return {**body, "requests": requests} if requests else body


@pytest.mark.parametrize("record", [*named(ok=True), *named(ok=False)])
def test_our_call_for_the_same_input_means_what_was_recorded(record: dict) -> None:
    found = way(record)
    offer = offered(found.dialect, record["model"], drop=found.drop, rename=found.rename)
    offer = replace(offer, upstream=replace(offer.upstream, embeddings_url=found.path))
    call = EMBEDDERS[found.dialect].request(asked(**caller_says(record)), offer)
    url = record["request"]["url"]
    theirs = body_of(record)
    if url.endswith("/api/embeddings"):  # Ollama's older address, with other names
        theirs = {"input": theirs.pop("prompt"), **theirs}
    elif "/v1/embed" in url and record["dialect"] == "cohere_embed":
        pass  # Cohere's older address, with the same names
    elif "deployments" not in url:
        assert unquote(urlsplit(url).path).endswith(unquote(call.url))
    asks_format = "encoding_format" not in found.drop
    ours = json.loads(call.body)
    assert meaning(ours, asks_format=asks_format) == meaning(theirs, asks_format=asks_format)
    assert call.dropped == ()
