"""Recorded replies of real vendors, read by the adapter and, independently, by plain JSON.

The recordings are not part of the project: the tests are skipped where they are not at hand.
"""

import json
from functools import cache
from pathlib import Path
from random import Random

import pytest
from tests.providers.reading import (
    broken,
    cut_at,
    decode,
    finishes,
    flat,
    objects,
    pieces,
    usage,
)

from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Chunk, Verbatim
from infway.kernel.faults import CONSEQUENCES, Blame, Fault
from infway.providers.openai.adapter import OpenAI
from infway.providers.openai.finishes import FINISHES

CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus" / "dev"
ADAPTER = OpenAI()
# What a 401 or 403 may mean: the key, its purse, one of its models, or what was asked of it
KEY_OR_MODEL = frozenset(
    {Fault.PROVIDER_AUTH, Fault.PROVIDER_QUOTA, Fault.CONTENT_FILTER, Fault.MODEL_MISSING}
)
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the recordings are not at hand")


@cache
def records(status: int | None, wire: str) -> list[dict]:
    lines = (CORPUS / "_index.jsonl").read_text().splitlines() if CORPUS.is_dir() else []
    rows = [row for row in map(json.loads, lines) if row["dialect"] == "openai_chat"]
    chosen = [row for row in rows if row["wire"] == wire]
    chosen = [row for row in chosen if (row["status"] == 200) == (status == 200)]
    return [json.loads((CORPUS / row["file"]).read_text()) for row in chosen]


def named(found: list[dict]) -> list:
    return [pytest.param(one, id=f"{one['provider']}-{one['id']}") for one in found]


def sent_objects(stream: str) -> list[dict]:
    """Every JSON object of a stream, read line by line."""
    lines = [line for line in stream.replace("\r\n", "\n").split("\n") if line.startswith("data:")]
    datas = [line[5:].strip() for line in lines]
    return [json.loads(data) for data in datas if data and data != "[DONE]"]


def words_of(content: object) -> str:
    """The text of a content: text, parts of it (Mistral), or an object (Cloudflare)."""
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if part["type"] == "text")
    if isinstance(content, dict):
        return json.dumps(content, separators=(",", ":"))
    return content or ""


def gist(chunks: list[dict], key: str) -> dict:
    """Text, tool calls and finish of every choice, and the last usage: what a client would see."""
    said: dict = {"text": {}, "calls": {}, "finish": {}, "usage": None}
    for chunk in chunks:
        counted = chunk.get("usage")
        if counted and counted.get("prompt_tokens") is not None:
            said["usage"] = counted
        for choice in chunk.get("choices") or []:
            index, part = choice.get("index") or 0, choice.get(key) or {}
            said.setdefault(("words", index), []).append(words_of(part.get("content")))
            for position, call in enumerate(part.get("tool_calls") or []):
                place = (index, call.get("index", position))
                function = call.get("function") or {}
                whole = said["calls"].setdefault(place, ["", "", ""])
                whole[0] += call.get("id") or ""
                whole[1] += function.get("name") or ""
                arguments = function.get("arguments")
                whole[2] += arguments if isinstance(arguments, str) else json.dumps(arguments)
            reason = choice.get("finish_reason")
            if reason or key == "message":
                reason = reason or ("tool_calls" if part.get("tool_calls") else "stop")
                native = choice.get("native_finish_reason") or choice.get("finish_reason") or None
                said["finish"][index] = (reason, native)
    words = {k[1]: "".join(v) for k, v in said.items() if isinstance(k, tuple)}
    return {"text": words, **{k: said[k] for k in ("calls", "finish", "usage")}}


def seen(events, key: str) -> dict:
    chunks = [
        one for event in events if isinstance(event, (Verbatim, Chunk)) for one in objects(event)
    ]
    return gist(chunks, key)


def check_said(found: dict, said: dict) -> None:
    """Everything but how it ended; a call whose id the vendor left empty has one all the same."""
    for place, call in said["calls"].items():
        if not call[0]:
            assert found["calls"][place][0]
            call[0] = found["calls"][place][0]
    assert {**found, "finish": None} == {**said, "finish": None}


def check_usage(events, said: dict | None) -> None:
    found = usage(events)
    assert (found is None) == (said is None)
    if found is None or said is None:
        return
    assert found.prompt == said["prompt_tokens"]
    made = said.get("completion_tokens_details") or {}
    counts = said.get("completion_tokens") or 0, made.get("reasoning_tokens") or 0
    is_beside = said.get("total_tokens") == found.prompt + sum(counts)  # at xAI
    assert found.completion == (sum(counts) if is_beside else counts[0])
    prompt = said.get("prompt_tokens_details") or {}
    cached = prompt.get("cached_tokens") or said.get("prompt_cache_hit_tokens") or 0
    cached = cached or said.get("num_cached_tokens") or 0
    assert found.cached == min(cached, found.prompt)
    assert found.reasoning == (made.get("reasoning_tokens") or 0)


def check_finishes(events, said: dict[int, tuple[str, str | None]]) -> None:
    assert {one.index: (one.reason, one.native) for one in finishes(events)} == {
        index: (FINISHES.get(reason.lower(), "stop"), native)
        for index, (reason, native) in said.items()
    }


@pytest.mark.parametrize("record", named(records(200, "sse")))
def test_a_recorded_stream_says_what_plain_json_says(record: dict):
    body = record["response"]["body_text"]
    chunks = sent_objects(body)
    events = decode(ADAPTER.decoder(), [body.encode()])
    end = broken(events)
    expected = gist(chunks, "delta")
    counted = any(chunk.get("usage") and not chunk.get("choices") for chunk in chunks)
    if not expected["finish"] and counted:  # Snowflake gives no reason, and ends all the same
        expected["finish"] = dict.fromkeys(expected["text"], ("stop", None))
    if any(chunk.get("error") for chunk in chunks) or not expected["finish"]:
        assert end is not None
        return
    assert end is None
    check_said(seen(events, "delta"), expected)
    check_finishes(events, expected["finish"])
    check_usage(events, expected["usage"])


@pytest.mark.parametrize("record", named(records(200, "sse")[::6]))
def test_a_recorded_stream_is_the_same_in_every_cut(record: dict):
    body = record["response"]["body_text"].encode()[:6_000]
    whole = flat(decode(ADAPTER.decoder(), [body]))
    chance = Random(record["id"])
    sizes = record["response"].get("chunk_sizes") or [64]
    places = [sum(sizes[:n]) for n in range(1, len(sizes))]
    for cuts in (
        pieces(body, 1),
        pieces(body, 3),
        pieces(body, 64),
        cut_at(body, [place for place in places if place < len(body)]),
        cut_at(body, [chance.randrange(len(body)) for _ in range(20)]),
    ):
        assert flat(decode(ADAPTER.decoder(), cuts)) == whole


@pytest.mark.parametrize("record", named(records(200, "sse")[::25]))
def test_a_recorded_stream_cut_anywhere_is_never_taken_for_a_whole_one(record: dict):
    body = record["response"]["body_text"].encode()
    whole = seen(decode(ADAPTER.decoder(), [body]), "delta")
    chance = Random(record["id"])
    for place in {*range(min(len(body), 400)), *(chance.randrange(len(body)) for _ in range(40))}:
        events = decode(ADAPTER.decoder(), pieces(body[:place], 700))
        if broken(events) is None:
            cut = seen(events, "delta")
            assert {**cut, "usage": None} == {**whole, "usage": None}


@pytest.mark.parametrize("record", named(records(200, "json")))
def test_a_recorded_body_says_what_plain_json_says(record: dict):
    body = record["response"]["body_text"]
    reply = json.loads(body)
    if reply.get("error"):
        with pytest.raises(UpstreamFailed):
            ADAPTER.whole(body.encode())
        return
    events = ADAPTER.whole(body.encode())
    expected = gist([reply], "message")
    check_said(seen(events, "message"), expected)
    check_finishes(events, expected["finish"])
    check_usage(events, expected["usage"])


@pytest.mark.parametrize("record", named(records(None, "json")))
def test_a_recorded_error_is_named_sensibly(record: dict):
    response = record["response"]
    status = response["status"]
    headers = {name.lower(): str(value) for name, value in response["headers"].items()}
    failure = ADAPTER.fault(status, headers, response["body_text"].encode())
    consequence = CONSEQUENCES[failure.fault]
    assert failure.status == status
    assert failure.message
    if status in (401, 403):
        assert failure.fault in KEY_OR_MODEL
    elif status == 429:
        assert failure.fault in (Fault.RATE_LIMITED, Fault.PROVIDER_QUOTA)
    elif status >= 500:
        assert consequence.blame is Blame.UPSTREAM
