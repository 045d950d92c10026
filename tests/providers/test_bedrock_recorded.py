"""Recorded traffic of Bedrock's Converse, read by the adapter and, independently, by plain JSON.

The frames of streams are read by botocore. The recordings are not part of the project: the tests
are skipped where they are not at hand.
"""

import base64
import json
from functools import cache
from pathlib import Path
from random import Random

import pytest
from botocore.eventstream import EventStreamBuffer
from tests.providers.reading import broken, cut_at, decode, finishes, flat, pieces, text, usage

from infway.kernel.events import Annotation, Detail, Event, Reasoning, Text, ToolCall
from infway.kernel.faults import Fault
from infway.providers.bedrock.adapter import Bedrock

CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus" / "dev"
ADAPTER = Bedrock()
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the recordings are not at hand")

REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "guardrail_intervened": "content_filter",
}
ERRORS = {
    "model identifier is invalid": Fault.MODEL_MISSING,
    "reached the end of its life": Fault.MODEL_MISSING,
    "exceeds maximum length": Fault.CONTEXT_LENGTH,
    "doesn't support the s3Uri": Fault.UPSTREAM_4XX,
    "extraneous key [toolResult]": Fault.UPSTREAM_4XX,
}


@cache
def records(wire: str, *, good: bool = True) -> list[dict]:
    lines = (CORPUS / "_index.jsonl").read_text().splitlines() if CORPUS.is_dir() else []
    rows = [row for row in map(json.loads, lines) if row["dialect"] == "bedrock_converse"]
    chosen = [row for row in rows if row["wire"] == wire and (row["status"] == 200) == good]
    return [json.loads((CORPUS / row["file"]).read_text()) for row in chosen]


def named(found: list[dict]) -> list:
    return [pytest.param(one, id=one["id"]) for one in found]


def stream_of(record: dict) -> bytes:
    return base64.b64decode(record["response"]["body_base64"])


def message_of(stream: bytes) -> dict:
    """The reply that a stream adds up to, as Converse would have said it at once."""
    buffer = EventStreamBuffer()
    buffer.add_data(stream)
    grown: dict[int, dict] = {}
    reply: dict = {}
    for one in buffer:
        said = json.loads(one.payload)
        block = grown.setdefault(said.get("contentBlockIndex", -1), {"deltas": []})
        match one.headers[":event-type"]:
            case "contentBlockStart":
                block |= said["start"]
            case "contentBlockDelta":
                block["deltas"].append(said["delta"])
            case "messageStop" | "metadata":
                reply |= said
    grown.pop(-1)
    content = [whole(grown[place]) for place in sorted(grown)]
    return {**reply, "output": {"message": {"content": content}}}


def whole(block: dict) -> dict:
    deltas = block["deltas"]
    said = "".join(delta.get("text", "") for delta in deltas)
    thoughts = [delta["reasoningContent"] for delta in deltas if "reasoningContent" in delta]
    citations = [delta["citation"] for delta in deltas if "citation" in delta]
    if "toolUse" in block:
        raw = "".join(delta["toolUse"]["input"] for delta in deltas)
        return {"toolUse": {**block["toolUse"], "input": json.loads(raw or "{}")}}
    if thoughts:
        words = {
            key: "".join(one.get(key, "") for one in thoughts) for key in ("text", "signature")
        }
        return {"reasoningContent": {"reasoningText": words}}
    if citations:
        return {"citationsContent": {"content": [{"text": said}], "citations": citations}}
    return {"text": said}


def pieces_of(block: dict) -> list[str]:
    cited = block.get("citationsContent", {}).get("content", [])
    return [block.get("text", "")] + [one["text"] for one in cited]


def check(events: list[Event], reply: dict) -> None:
    blocks = reply["output"]["message"]["content"]
    assert broken(events) is None
    assert text(events) == "".join(piece for block in blocks for piece in pieces_of(block))
    assert all(event.text for event in events if isinstance(event, Text))
    check_calls(events, [block["toolUse"] for block in blocks if "toolUse" in block])
    check_thoughts(events, [b["reasoningContent"] for b in blocks if "reasoningContent" in b])
    check_citations(events, blocks)
    (end,) = finishes(events)
    assert (end.native, end.reason) == (reply["stopReason"], REASONS[reply["stopReason"]])
    check_usage(events, reply["usage"])


def check_calls(events: list[Event], called: list[dict]) -> None:
    found: dict[int, list] = {}
    for event in events:
        if isinstance(event, ToolCall):
            call = found.setdefault(event.position, [event.id, event.name, ""])
            call[2] += event.arguments
    assert list(found) == list(range(len(found)))
    assert [(id_, name, json.loads(said)) for id_, name, said in found.values()] == [
        (one["toolUseId"], one["name"], one["input"])
        for one in called
        if one.get("type") != "server_tool_use"
    ]


def check_thoughts(events: list[Event], thought: list[dict]) -> None:
    words = [one["reasoningText"] for one in thought]
    said = "".join(event.text for event in events if isinstance(event, Reasoning))
    assert said == "".join(one["text"] for one in words)
    details = [event.item for event in events if isinstance(event, Detail)]
    assert [(one["text"], one["signature"]) for one in details] == [
        (one["text"], one["signature"]) for one in words if one.get("signature")
    ]


def check_citations(events: list[Event], blocks: list[dict]) -> None:
    said = "".join(piece for block in blocks for piece in pieces_of(block))
    cited = [
        ("".join(pieces_of(block)), citation)
        for block in blocks
        for citation in block.get("citationsContent", {}).get("citations", [])
    ]
    found = [event.item for event in events if isinstance(event, Annotation)]
    assert len(found) == len(cited)
    for item, (own, citation) in zip(found, cited, strict=True):
        place = item[item["type"]]
        assert not own or said[place["start_index"] : place["end_index"]] == own
        assert 0 <= place["start_index"] < place["end_index"] <= len(said)
        web = citation["location"].get("web")
        assert place.get("url") == (web["url"] if web else citation.get("source"))
        quotes = "".join(one["text"] for one in citation.get("sourceContent", []))
        assert place.get("quote", "") == quotes
        assert place["title"] == citation.get("title", web and web["domain"])


def check_usage(events: list[Event], said: dict) -> None:
    found = usage(events)
    assert found is not None
    cached, written = said.get("cacheReadInputTokens", 0), said.get("cacheWriteInputTokens", 0)
    assert (found.cached, found.cache_write) == (cached, written)
    assert found.prompt == said["inputTokens"] + cached + written
    assert found.completion == said["outputTokens"]
    assert found.total == said["totalTokens"] == found.prompt + found.completion


@pytest.mark.parametrize("record", named(records("aws_eventstream")))
def test_a_recorded_stream_says_what_plain_json_says(record: dict):
    stream = stream_of(record)
    decoder = ADAPTER.decoder()
    check(decode(decoder, [stream]), message_of(stream))
    assert decoder.done


@pytest.mark.parametrize("record", named(records("aws_eventstream")))
def test_a_recorded_stream_is_the_same_in_every_cut(record: dict):
    stream = stream_of(record)
    expected = flat(decode(ADAPTER.decoder(), [stream]))
    chance = Random(record["id"])
    for cuts in (
        pieces(stream, 1),
        pieces(stream, 7),
        pieces(stream, 64),
        cut_at(stream, [chance.randrange(len(stream)) for _ in range(20)]),
    ):
        assert flat(decode(ADAPTER.decoder(), cuts)) == expected


@pytest.mark.parametrize("record", named(records("aws_eventstream")[::4]))
def test_a_recorded_stream_that_is_cut_is_never_taken_for_a_whole_one(record: dict):
    stream = stream_of(record)
    said = text(decode(ADAPTER.decoder(), [stream]))
    for place in range(0, len(stream), 41):
        events = decode(ADAPTER.decoder(), [stream[:place]] if place else [])
        assert broken(events) is not None or (finishes(events) and text(events) == said)


@pytest.mark.parametrize("record", named(records("json")))
def test_a_recorded_body_says_what_plain_json_says(record: dict):
    body = record["response"]["body_text"]
    check(ADAPTER.whole(body.encode()), json.loads(body))


@pytest.mark.parametrize("record", named(records("json", good=False)))
def test_a_recorded_error_is_named(record: dict):
    response = record["response"]
    body = response["body_text"]
    failure = ADAPTER.fault(response["status"], response["headers"], body.encode())
    expected = [fault for words, fault in ERRORS.items() if words in body]
    assert [failure.fault] == expected
    assert failure.status == response["status"]
    assert failure.message == json.loads(body)["message"]
