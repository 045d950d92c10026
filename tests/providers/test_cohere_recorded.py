"""Recorded traffic of Cohere, read by the adapter and, independently, by plain JSON.

The recordings are not part of the project: the tests are skipped where they are not at hand.
"""

import json
from functools import cache
from pathlib import Path
from random import Random

import pytest
from tests.providers.reading import broken, cut_at, decode, finishes, flat, pieces, text, usage

from infway.kernel.events import Annotation, Finish, Reasoning, ToolCall
from infway.kernel.faults import Fault
from infway.providers.cohere.adapter import Cohere

CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus" / "dev"
ADAPTER = Cohere()
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the recordings are not at hand")

REASONS = {
    "COMPLETE": "stop", "STOP_SEQUENCE": "stop", "MAX_TOKENS": "length", "TOOL_CALL": "tool_calls",
}  # fmt: skip
ERRORS = {
    (400, "too many tokens"): Fault.CONTEXT_LENGTH,
    (404, "not found"): Fault.MODEL_MISSING,
}


@cache
def records(wire: str, *, good: bool = True) -> list[dict]:
    lines = (CORPUS / "_index.jsonl").read_text().splitlines() if CORPUS.is_dir() else []
    rows = [row for row in map(json.loads, lines) if row["dialect"] == "cohere_v2"]
    chosen = [row for row in rows if row["wire"] == wire and (row["status"] == 200) == good]
    return [json.loads((CORPUS / row["file"]).read_text()) for row in chosen]


def named(found: list[dict]) -> list:
    return [pytest.param(one, id=one["id"]) for one in found]


def parts_of(stream: str) -> list[dict]:
    lines = [line[5:].strip() for line in stream.splitlines() if line.startswith("data:")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def reply_of(parts: list[dict]) -> dict:
    """The reply that the parts of a stream add up to, as a whole one would say it."""
    blocks: dict[int, dict] = {}
    calls: dict[int, dict] = {}
    reply: dict = {"message": {"tool_plan": "", "citations": []}}
    for part in parts:
        kind, said = part["type"], part.get("delta", {}).get("message", {})
        if kind == "content-start":
            blocks[part["index"]] = dict(said["content"])
        elif kind == "content-delta":
            ((name, words),) = said["content"].items()
            blocks[part["index"]][name] += words
        elif kind == "tool-plan-delta":
            reply["message"]["tool_plan"] += said["tool_plan"]
        elif kind == "tool-call-start":
            calls[part["index"]] = said["tool_calls"]
        elif kind == "tool-call-delta":
            function = calls[part["index"]]["function"]
            function["arguments"] += said["tool_calls"]["function"]["arguments"]
        elif kind == "citation-start":
            reply["message"]["citations"].append(said["citations"])
        elif kind == "message-end":
            reply |= part["delta"]
    reply["message"] |= {"content": list(blocks.values()), "tool_calls": list(calls.values())}
    return reply


def check(events: list, reply: dict) -> None:
    message = reply["message"]
    blocks = message.get("content") or []
    thoughts = [block["thinking"] for block in blocks if block["type"] == "thinking"]
    assert text(events) == "".join(block["text"] for block in blocks if block["type"] == "text")
    reasoning = "".join(event.text for event in events if isinstance(event, Reasoning))
    assert reasoning == "".join([message.get("tool_plan") or "", *thoughts])
    check_calls(events, message.get("tool_calls") or [])
    check_citations(events, message.get("citations") or [])
    if reply.get("error"):
        failure = broken(events).failure
        assert failure.fault is Fault.INBAND_ERROR
        assert failure.message == reply["error"]
        return
    assert broken(events) is None
    native = reply["finish_reason"]
    assert finishes(events) == [Finish(0, REASONS[native], native)]
    check_usage(events, reply["usage"])


def check_calls(events: list, calls: list[dict]) -> None:
    found: dict[int, list] = {}
    for event in events:
        if isinstance(event, ToolCall):
            one = found.setdefault(event.position, [event.id, event.name, ""])
            one[2] += event.arguments
    assert list(found) == list(range(len(calls)))
    assert [(id_, name, json.loads(said)) for id_, name, said in found.values()] == [
        (one["id"], one["function"]["name"], json.loads(one["function"]["arguments"] or "{}"))
        for one in calls
    ]


def check_citations(events: list, citations: list[dict]) -> None:
    found = [event.item for event in events if isinstance(event, Annotation)]
    expected = [(one, source) for one in citations for source in one["sources"]]
    assert len(found) == len(expected)
    for item, (citation, source) in zip(found, expected, strict=True):
        place = item[item["type"]]
        assert text(events)[place["start_index"] : place["end_index"]] == citation["text"]
        assert citation["text"] in (place.get("quote"), place.get("content"))
        held = source.get("document") or source.get("tool_output")
        assert place.get("url") == held.get("url")
        assert place["title"] in (held.get("title"), source["id"])


def check_usage(events: list, said: dict) -> None:
    found, tokens = usage(events), said["tokens"]
    assert found.prompt == tokens["input_tokens"]
    assert found.completion == tokens["output_tokens"]
    assert found.total == found.prompt + found.completion
    assert found.cached == said.get("cached_tokens", 0)
    assert found.reasoning == tokens.get("reasoning_tokens", 0)


@pytest.mark.parametrize("record", named(records("sse")))
def test_a_recorded_stream_says_what_plain_json_says(record: dict):
    body = record["response"]["body_text"]
    parts = parts_of(body)
    assert parts[-1]["type"] == "message-end"
    check(decode(ADAPTER.decoder(), [body.encode()]), reply_of(parts))


@pytest.mark.parametrize("record", named(records("json")))
def test_a_recorded_body_says_what_plain_json_says(record: dict):
    body = record["response"]["body_text"]
    check(ADAPTER.whole(body.encode()), json.loads(body))


@pytest.mark.parametrize("record", named(records("sse")))
def test_a_recorded_stream_is_the_same_in_every_cut(record: dict):
    body = record["response"]["body_text"].encode()
    whole = flat(decode(ADAPTER.decoder(), [body]))
    chance = Random(record["id"])
    for size in (1, 7, 64):
        assert flat(decode(ADAPTER.decoder(), pieces(body, size))) == whole
    cuts = cut_at(body, [chance.randrange(len(body)) for _ in range(20)])
    assert flat(decode(ADAPTER.decoder(), cuts)) == whole


@pytest.mark.parametrize("record", named(records("sse")))
def test_a_recorded_stream_cut_anywhere_is_never_taken_for_a_whole_one(record: dict):
    body = record["response"]["body_text"].encode()
    ends = body.index(b"\n\n", body.index(b'"finish_reason"'))
    chance = Random(record["id"])
    for place in {ends, *(chance.randrange(ends) for _ in range(40))}:
        end = broken(decode(ADAPTER.decoder(), pieces(body[:place], 700)))
        assert end.failure.fault in (Fault.STREAM_CUT, Fault.EMPTY_STREAM)


@pytest.mark.parametrize("record", named(records("json", good=False)))
def test_a_recorded_error_is_named(record: dict):
    response = record["response"]
    failure = ADAPTER.fault(response["status"], {}, response["body_text"].encode())
    expected = [
        fault
        for (status, words), fault in ERRORS.items()
        if status == response["status"] and words in response["body_text"]
    ]
    assert [failure.fault] == expected
    assert failure.message == json.loads(response["body_text"])["message"]


@pytest.mark.parametrize("record", named(records("json") + records("sse")))
def test_recorded_limits_of_trial_keys_are_read(record: dict):
    headers = {name.lower(): str(one) for name, one in record["response"]["headers"].items()}
    left = headers.get("x-trial-endpoint-call-remaining")
    assert ADAPTER.limits(headers) == (None if left is None else (float(left), 60.0))


def test_every_recording_is_read():
    counts = (len(records("sse")), len(records("json")), len(records("json", good=False)))
    assert sum(counts) == 44
