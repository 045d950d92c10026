"""Recorded Responses traffic of real vendors, read by the adapter and, apart, by plain JSON.

What a server's own tools did (searches, code, MCP) is neither text nor a call of the caller's, so
the plain reading passes it over as well. The recordings are not part of the project.
"""

import json
from functools import cache
from pathlib import Path
from random import Random

import pytest
from tests.providers.reading import broken, cut_at, decode, finishes, pieces, text, usage
from tests.providers.responses_saying import ADAPTER, calls, kept, said

from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Annotation, Facts, Logprobs, Reasoning, Refusal
from infway.kernel.faults import CONSEQUENCES, Blame, Fault

CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus" / "dev"
ENDS = {"response.completed", "response.incomplete"}
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the recordings are not at hand")


@cache
def records(status: int | None, wire: str) -> list[dict]:
    lines = (CORPUS / "_index.jsonl").read_text().splitlines() if CORPUS.is_dir() else []
    rows = [row for row in map(json.loads, lines) if row["dialect"] == "openai_responses"]
    chosen = [row for row in rows if row["wire"] == wire]
    chosen = [row for row in chosen if (row["status"] == 200) == (status == 200)]
    return [json.loads((CORPUS / row["file"]).read_text()) for row in chosen]


def named(found: list[dict]) -> list:
    return [pytest.param(one, id=f"{one['provider']}-{one['id']}") for one in found]


def events_sent(stream: str) -> list[dict]:
    lines = [line for line in stream.replace("\r\n", "\n").split("\n") if line.startswith("data:")]
    datas = [line[5:].strip() for line in lines]
    return [json.loads(data) for data in datas if data and data != "[DONE]"]


def true_calls(items: list[dict]) -> list[tuple]:
    """Id, name and arguments of each call; free text is an object with one key."""
    found = []
    for item in items:
        if item["type"] == "function_call":
            found.append((item["call_id"], item["name"], json.loads(item["arguments"] or "{}")))
        elif item["type"] == "custom_tool_call":
            found.append((item["call_id"], item["name"], {"input": item["input"]}))
    return found


def true_parts(items: list[dict]) -> list[dict]:
    return [part for item in items if item["type"] == "message" for part in item["content"]]


def check_items(events: list, items: list[dict]) -> None:
    """Compare what is said with the finished items."""
    parts = true_parts(items)
    thoughts = [item for item in items if item["type"] == "reasoning"]
    paragraphs = [
        part["text"]
        for item in thoughts
        for part in item.get("content") or item.get("summary") or []
        if part["text"]
    ]
    assert text(events) == "".join(part.get("text", "") for part in parts)
    assert said(events, Refusal) == "".join(part.get("refusal", "") for part in parts)
    assert said(events, Reasoning) == "\n\n".join(paragraphs)
    made = [(id_, name, json.loads(arguments)) for id_, name, arguments in calls(events)]
    assert made == true_calls(items)
    hidden = [item["data"] for item in kept(events) if item["type"] == "reasoning.encrypted"]
    assert hidden == [
        item["encrypted_content"] for item in thoughts if item.get("encrypted_content")
    ]
    check_sources(events, parts)


def check_sources(events: list, parts: list[dict]) -> None:
    sources = [source for part in parts for source in part.get("annotations") or []]
    heard = [one.item[one.item["type"]] for one in events if isinstance(one, Annotation)]
    known = ("url", "title", "file_id", "filename", "container_id")
    assert len(heard) == len(sources)
    for one, source in zip(heard, sources, strict=True):
        assert {name: one[name] for name in known if name in source} == {
            name: source[name] for name in known if name in source
        }
        if len(parts) == 1:
            assert one.get("end_index") == source.get("end_index", source.get("index"))
    tokens = [token["token"] for part in parts for token in part.get("logprobs") or []]
    told = [one.tokens for one in events if isinstance(one, Logprobs)]
    assert [token["token"] for some in told for token in some] == tokens


def check_end(events: list, response: dict, items: list[dict]) -> None:
    """Compare how the reply ended and what it counted."""
    (finish,) = finishes(events)
    if response["status"] == "incomplete":
        assert (finish.reason, finish.native) == ("length", "max_output_tokens")
    else:
        assert finish.native == "completed"
        assert finish.reason == ("tool_calls" if true_calls(items) else "stop")
    counted, told = usage(events), response["usage"]
    into, out = told.get("input_tokens_details") or {}, told.get("output_tokens_details") or {}
    assert counted is not None
    assert (counted.prompt, counted.completion) == (told["input_tokens"], told["output_tokens"])
    assert counted.total == told["total_tokens"]
    assert counted.cached == into.get("cached_tokens", 0)
    assert counted.cache_write == into.get("cache_write_tokens", 0)
    assert counted.reasoning == out.get("reasoning_tokens", 0)
    facts = [one.fields for one in events if isinstance(one, Facts)]
    tier = response.get("service_tier")
    assert facts == ([{"service_tier": tier}] if tier else [])


@pytest.mark.parametrize("record", named(records(200, "sse")))
def test_a_recorded_stream_says_what_plain_json_says(record: dict):
    body = record["response"]["body_text"]
    sent = events_sent(body)
    events = decode(ADAPTER.decoder(), [body.encode()])
    assert broken(events) is None
    pieces_sent = [one["delta"] for one in sent if one["type"] == "response.output_text.delta"]
    assert text(events) == "".join(pieces_sent)
    items = [one["item"] for one in sent if one["type"] == "response.output_item.done"]
    check_items(events, items)
    (response,) = (one["response"] for one in sent if one["type"] in ENDS)
    check_end(events, response, items)


@pytest.mark.parametrize("record", named(records(200, "sse")))
def test_the_end_of_a_recorded_stream_alone_says_as_much(record: dict):
    """As from a server that sends all at once: nothing but the last event."""
    body = record["response"]["body_text"]
    (last,) = (one for one in events_sent(body) if one["type"] in ENDS)
    output = last["response"]["output"]
    if output:
        events = decode(ADAPTER.decoder(), [b"data: " + json.dumps(last).encode() + b"\n\n"])
        check_items(events, output)
        check_end(events, last["response"], output)


@pytest.mark.parametrize("record", named(records(200, "sse")[::3]))
def test_a_recorded_stream_is_the_same_in_every_cut(record: dict):
    body = record["response"]["body_text"].encode()[:9_000]
    expected = decode(ADAPTER.decoder(), [body])
    chance = Random(record["id"])
    places = [chance.randrange(len(body)) for _ in range(20)]
    for cuts in (pieces(body, 1), pieces(body, 7), pieces(body, 64), cut_at(body, places)):
        assert decode(ADAPTER.decoder(), cuts) == expected


@pytest.mark.parametrize("record", named(records(200, "sse")[::10]))
def test_a_recorded_stream_cut_anywhere_is_never_taken_for_a_whole_one(record: dict):
    body = record["response"]["body_text"].encode()
    expected = decode(ADAPTER.decoder(), [body])
    chance = Random(record["id"])
    for place in {*range(200), *(chance.randrange(len(body)) for _ in range(20))}:
        events = decode(ADAPTER.decoder(), pieces(body[:place], 700))
        assert broken(events) is not None or events == expected


@pytest.mark.parametrize("record", named(records(200, "json")))
def test_a_recorded_body_says_what_plain_json_says(record: dict):
    body = record["response"]["body_text"]
    response = json.loads(body)
    events = ADAPTER.whole(body.encode())
    check_items(events, response["output"])
    check_end(events, response, response["output"])


@pytest.mark.parametrize("record", named(records(None, "json")))
def test_a_recorded_error_is_named_sensibly(record: dict):
    response = record["response"]
    status, body = response["status"], response["body_text"]
    told = json.loads(body)
    error = told["error"] if isinstance(told["error"], dict) else told
    failure = ADAPTER.fault(status, {}, body.encode())
    assert failure.status == status
    assert failure.message
    assert failure.param == error.get("param")
    sensible = {
        "invalid_api_key": Fault.PROVIDER_AUTH,
        "invalid-argument": Fault.PROVIDER_AUTH,  # xAI's code for a key it does not know
        "model_not_found": Fault.MODEL_MISSING,
        "context_length_exceeded": Fault.CONTEXT_LENGTH,
    }
    assert failure.fault is sensible.get(error.get("code"), Fault.UPSTREAM_4XX)
    assert CONSEQUENCES[failure.fault].blame in (Blame.CALLER, Blame.OPERATOR)
    with pytest.raises(UpstreamFailed):
        ADAPTER.whole(body.encode())
