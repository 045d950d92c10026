"""Recorded traffic of Claude, read by the adapter and, independently, by plain JSON.

The recordings are not part of the project: the tests are skipped where they are not at hand.
"""

import json
from functools import cache
from pathlib import Path
from random import Random

import pytest
from tests.providers.reading import broken, cut_at, decode, finishes, flat, pieces, text, usage

from infway.kernel.events import Annotation, Detail, Facts, Finish, Reasoning, ToolCall
from infway.kernel.faults import CONSEQUENCES, Blame, Fault
from infway.providers.anthropic.adapter import Anthropic

CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus" / "dev"
ADAPTER = Anthropic()
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the recordings are not at hand")

REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "refusal": "content_filter",
}
ERRORS = {
    (400, "prompt is too long"): Fault.CONTEXT_LENGTH,
    (400, "credit balance"): Fault.PROVIDER_QUOTA,
    (400, "output_format.schema"): Fault.UPSTREAM_4XX,
    (400, "does not support assistant message prefill"): Fault.UPSTREAM_4XX,
    (401, "invalid x-api-key"): Fault.PROVIDER_AUTH,
    (404, "model: "): Fault.MODEL_MISSING,
}


@cache
def records(wire: str, *, good: bool = True) -> list[dict]:
    lines = (CORPUS / "_index.jsonl").read_text().splitlines() if CORPUS.is_dir() else []
    rows = [row for row in map(json.loads, lines) if row["dialect"] == "anthropic_messages"]
    chosen = [row for row in rows if row["wire"] == wire and (row["status"] == 200) == good]
    return [json.loads((CORPUS / row["file"]).read_text()) for row in chosen]


def named(found: list[dict]) -> list:
    return [pytest.param(one, id=f"{one['provider']}-{one['id']}") for one in found]


def parts_of(stream: str) -> list[dict]:
    lines = stream.replace("\r\n", "\n").split("\n")
    return [json.loads(line[5:]) for line in lines if line.startswith("data:")]


def message_of(parts: list[dict]) -> dict:
    """The message that the parts of a stream add up to, as a whole reply would say it."""
    message: dict = {}
    grown: dict[int, dict] = {}
    for part in parts:
        kind = part["type"]
        if kind == "message_start":
            message = dict(part["message"])
        elif kind == "content_block_start":
            grown[part["index"]] = {**part["content_block"], "json": ""}
        elif kind == "content_block_delta":
            grow(grown[part["index"]], part["delta"])
        elif kind == "message_delta":
            message |= part["delta"]
            counts = {k: v for k, v in part["usage"].items() if v is not None}
            message["usage"] = message["usage"] | counts
    for block in grown.values():
        if block["json"]:
            block["input"] = json.loads(block["json"])
    return {**message, "content": [grown[index] for index in sorted(grown)]}


def grow(block: dict, delta: dict) -> None:
    kind = delta["type"]
    if kind == "input_json_delta":
        block["json"] += delta["partial_json"]
    elif kind == "citations_delta":
        block["citations"] = [*block["citations"], delta["citation"]]
    else:
        name = kind.removesuffix("_delta")
        block[name] = block.get(name, "") + delta[name]


def check(events: list, message: dict) -> None:
    blocks = message["content"]

    def of(kind: str) -> list[dict]:
        return [block for block in blocks if block["type"] == kind]

    assert broken(events) is None
    assert text(events) == "".join(block["text"] for block in of("text"))
    thought = "".join(event.text for event in events if isinstance(event, Reasoning))
    assert thought == "".join(block["thinking"] for block in of("thinking"))
    check_calls(events, of("tool_use"))
    check_details(events, [b for b in blocks if b["type"] in ("thinking", "redacted_thinking")])
    check_citations(events, of("text"))
    (end,) = finishes(events)
    assert end.native == message["stop_reason"]
    assert end.reason == REASONS[end.native]
    check_usage(events, message["usage"])
    assert [type(event) for event in events].count(Finish) == 1


def check_calls(events: list, blocks: list[dict]) -> None:
    calls: dict[int, list] = {}
    for event in events:
        if isinstance(event, ToolCall):
            if event.position not in calls:
                assert event.position == len(calls)
                calls[event.position] = [event.id, event.name, ""]
            calls[event.position][2] += event.arguments
    found = [(id_, name, json.loads(said)) for id_, name, said in calls.values()]
    assert found == [(block["id"], block["name"], block["input"]) for block in blocks]


def check_details(events: list, blocks: list[dict]) -> None:
    found = [event.item for event in events if isinstance(event, Detail)]
    signed = [block for block in blocks if block.get("signature") or block.get("data")]
    assert [(one.get("text"), one.get("signature"), one.get("data")) for one in found] == [
        (block.get("thinking"), block.get("signature"), block.get("data")) for block in signed
    ]
    assert {one["format"] for one in found} <= {"anthropic-claude-v1"}


def check_citations(events: list, blocks: list[dict]) -> None:
    said = "".join(block["text"] for block in blocks)
    found = [event.item for event in events if isinstance(event, Annotation)]
    expected = [(block, one) for block in blocks for one in block.get("citations") or []]
    assert len(found) == len(expected)
    for item, (block, citation) in zip(found, expected, strict=True):
        place = item[item["type"]]
        assert said[place["start_index"] : place["end_index"]] == block["text"]
        assert place.get("url") == citation.get("url")
        assert citation["cited_text"] in (place.get("content"), place.get("quote"))


def check_usage(events: list, said: dict) -> None:
    found = usage(events)
    cached, written = said.get("cache_read_input_tokens"), said.get("cache_creation_input_tokens")
    assert found.cached == (cached or 0)
    assert found.cache_write == (written or 0)
    assert found.prompt == said["input_tokens"] + (cached or 0) + (written or 0)
    assert found.completion == said["output_tokens"]
    assert found.total == found.prompt + found.completion
    details = said.get("output_tokens_details") or {}
    assert found.reasoning == (details.get("thinking_tokens") or 0)
    tiers = [event.fields for event in events if isinstance(event, Facts)]
    assert tiers == ([{"service_tier": "default"}] if said.get("service_tier") else [])


@pytest.mark.parametrize("record", named(records("sse")))
def test_a_recorded_stream_says_what_plain_json_says(record: dict):
    body = record["response"]["body_text"]
    parts = parts_of(body)
    events = decode(ADAPTER.decoder(), [body.encode()])
    assert parts[-1]["type"] == "message_stop"
    check(events, message_of(parts))


@pytest.mark.parametrize("record", named(records("json")))
def test_a_recorded_body_says_what_plain_json_says(record: dict):
    body = record["response"]["body_text"]
    check(ADAPTER.whole(body.encode()), json.loads(body))


@pytest.mark.parametrize("record", named(records("sse")))
def test_a_recorded_stream_is_the_same_in_every_cut(record: dict):
    body = record["response"]["body_text"].encode()
    whole = flat(decode(ADAPTER.decoder(), [body]))
    chance = Random(record["id"])
    sizes = record["response"].get("chunk_sizes") or [1000]
    places = [sum(sizes[:n]) for n in range(1, len(sizes))]
    assert flat(decode(ADAPTER.decoder(), pieces(body, 7 if len(body) < 30_000 else 64))) == whole
    for cuts in (
        cut_at(body, [place for place in places if place < len(body)]),
        cut_at(body, [chance.randrange(len(body)) for _ in range(20)]),
    ):
        assert flat(decode(ADAPTER.decoder(), cuts)) == whole


@pytest.mark.parametrize("record", named(records("sse")[::5]))
def test_a_recorded_stream_cut_anywhere_is_never_taken_for_a_whole_one(record: dict):
    body = record["response"]["body_text"].rstrip().encode()
    chance = Random(record["id"])
    for place in {len(body) - 1, *(chance.randrange(len(body)) for _ in range(40))}:
        end = broken(decode(ADAPTER.decoder(), pieces(body[:place], 700)))
        assert end is not None
        assert end.failure.fault in (Fault.STREAM_CUT, Fault.EMPTY_STREAM)


@pytest.mark.parametrize("record", named(records("json", good=False)))
def test_a_recorded_error_is_named(record: dict):
    response = record["response"]
    headers = {name.lower(): str(value) for name, value in response["headers"].items()}
    failure = ADAPTER.fault(response["status"], headers, response["body_text"].encode())
    expected = [
        fault
        for (status, words), fault in ERRORS.items()
        if status == response["status"] and words in response["body_text"]
    ]
    assert [failure.fault] == expected
    assert failure.status == response["status"]
    assert failure.message in " ".join(
        json.loads(response["body_text"])["error"]["message"].split()
    )
    assert CONSEQUENCES[failure.fault].blame in (Blame.CALLER, Blame.OPERATOR)


@pytest.mark.parametrize("record", named(records("sse") + records("json")))
def test_recorded_rate_limits_are_read(record: dict):
    headers = {name.lower(): str(one) for name, one in record["response"]["headers"].items()}
    left = headers.get("anthropic-ratelimit-requests-remaining")
    found = ADAPTER.limits(headers)
    if left is None:
        assert found is None
    else:
        assert found is not None
        assert found[0] == float(left)
        assert 0 <= found[1] < 24 * 3600
