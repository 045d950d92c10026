"""Recorded traffic of Ollama's own chat, read by the adapter and, independently, by plain JSON.

The recordings are not part of the project: the tests are skipped where they are not at hand.
Recordings of its generation and embeddings are of other dialects and are not read here.
"""

import json
from functools import cache
from pathlib import Path
from random import Random

import pytest
from tests.providers.reading import broken, cut_at, decode, finishes, flat, pieces, text, usage

from infway.kernel.events import Finish, Reasoning, ToolCall
from infway.kernel.faults import Fault
from infway.providers.ollama.adapter import Ollama

CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus" / "dev"
ADAPTER = Ollama()
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the recordings are not at hand")


@cache
def records(wire: str, *, good: bool = True) -> list[dict]:
    lines = (CORPUS / "_index.jsonl").read_text().splitlines() if CORPUS.is_dir() else []
    rows = [row for row in map(json.loads, lines) if row["api"] == "ollama.native_chat"]
    chosen = [row for row in rows if row["wire"] == wire and (row["status"] == 200) == good]
    return [json.loads((CORPUS / row["file"]).read_text()) for row in chosen]


def named(found: list[dict]) -> list:
    return [pytest.param(one, id=one["id"]) for one in found]


def check(events: list, objects: list[dict]) -> None:
    messages = [one["message"] for one in objects]
    last = objects[-1]
    assert last["done"] is True
    assert broken(events) is None
    assert text(events) == "".join(one["content"] for one in messages)
    thought = "".join(event.text for event in events if isinstance(event, Reasoning))
    assert thought == "".join(one.get("thinking", "") for one in messages)
    calls = [call for one in messages for call in one.get("tool_calls", [])]
    found = [event for event in events if isinstance(event, ToolCall)]
    assert [(one.position, one.id, one.name, json.loads(one.arguments)) for one in found] == [
        (place, call["id"], call["function"]["name"], call["function"]["arguments"])
        for place, call in enumerate(calls)
    ]
    reason = "tool_calls" if calls else last["done_reason"]
    assert finishes(events) == [Finish(0, reason, last["done_reason"])]
    counted = usage(events)
    assert (counted.prompt, counted.completion) == (last["prompt_eval_count"], last["eval_count"])
    assert counted.total == counted.prompt + counted.completion


@pytest.mark.parametrize("record", named(records("ndjson")))
def test_a_recorded_stream_says_what_plain_json_says(record: dict):
    body = record["response"]["body_text"]
    objects = [json.loads(line) for line in body.split("\n") if line]
    check(decode(ADAPTER.decoder(), [body.encode()]), objects)


@pytest.mark.parametrize("record", named(records("json")))
def test_a_recorded_body_says_what_plain_json_says(record: dict):
    body = record["response"]["body_text"]
    check(ADAPTER.whole(body.encode()), [json.loads(body)])


@pytest.mark.parametrize("record", named(records("ndjson")))
def test_a_recorded_stream_is_the_same_in_every_cut(record: dict):
    body = record["response"]["body_text"].encode()
    whole = flat(decode(ADAPTER.decoder(), [body]))
    chance = Random(record["id"])
    for size in (1 if len(body) < 10_000 else 3, 7, 64):
        assert flat(decode(ADAPTER.decoder(), pieces(body, size))) == whole
    cuts = cut_at(body, [chance.randrange(len(body)) for _ in range(20)])
    assert flat(decode(ADAPTER.decoder(), cuts)) == whole


@pytest.mark.parametrize("record", named(records("ndjson")))
def test_a_recorded_stream_cut_anywhere_is_never_taken_for_a_whole_one(record: dict):
    body = record["response"]["body_text"].rstrip().encode()
    chance = Random(record["id"])
    for place in {len(body) - 1, *(chance.randrange(len(body)) for _ in range(40))}:
        end = broken(decode(ADAPTER.decoder(), pieces(body[:place], 700)))
        assert end.failure.fault in (Fault.STREAM_CUT, Fault.EMPTY_STREAM)


@pytest.mark.parametrize("record", named(records("json", good=False)))
def test_a_recorded_error_is_named(record: dict):
    response = record["response"]
    failure = ADAPTER.fault(response["status"], {}, response["body_text"].encode())
    assert response["status"] == 404
    assert failure.fault is Fault.MODEL_MISSING
    assert failure.message == json.loads(response["body_text"])["error"]


def test_every_recording_of_a_chat_is_read():
    counts = (len(records("ndjson")), len(records("json")), len(records("json", good=False)))
    assert sum(counts) == 14
