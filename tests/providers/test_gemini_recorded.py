"""Recorded Gemini replies, read by the adapter and, independently, by plain JSON.

The recordings are not part of the project: the tests are skipped where they are not at hand.
"""

import json
from functools import cache
from pathlib import Path
from random import Random

import pytest
from tests.providers.reading import broken, cut_at, decode, finishes, flat, pieces, text, usage

from infway.kernel.events import Annotation, Detail, Image, Logprobs, Reasoning, ToolCall
from infway.kernel.faults import Fault
from infway.providers.gemini.adapter import Gemini

CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus" / "dev"
ADAPTER = Gemini()
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the recordings are not at hand")
SERVERS = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse")
ENDS = {
    "STOP": "stop", "1": "stop", "MAX_TOKENS": "length",
    "MALFORMED_FUNCTION_CALL": "error", "UNEXPECTED_TOOL_CALL": "error",
}  # fmt: skip
ERRORS = {
    400: {Fault.PROVIDER_AUTH, Fault.CONTEXT_LENGTH, Fault.UPSTREAM_4XX},
    401: {Fault.PROVIDER_AUTH},
    403: {Fault.PROVIDER_AUTH},
    404: {Fault.MODEL_MISSING},
    429: {Fault.RATE_LIMITED},
}


@cache
def records(wire: str, *, good: bool = True) -> list[dict]:
    lines = (CORPUS / "_index.jsonl").read_text().splitlines() if CORPUS.is_dir() else []
    rows = [row for row in map(json.loads, lines) if row["dialect"] == "gemini"]
    chosen = [row for row in rows if row["wire"] == wire and (row["status"] == 200) is good]
    return [json.loads((CORPUS / row["file"]).read_text()) for row in chosen]


def named(found: list[dict]) -> list:
    return [pytest.param(one, id=f"{one['provider']}-{one['id']}") for one in found]


def sent(record: dict) -> list[dict]:
    """Every object of a reply."""
    body = record["response"]["body_text"]
    if record["wire"] == "sse":
        lines = body.replace("\r\n", "\n").split("\n")
        return [json.loads(line[5:]) for line in lines if line.startswith("data:")]
    said = json.loads(body)
    return said if isinstance(said, list) else [said]


def gist(objects: list[dict]) -> dict:
    """What the first candidate says, as a client would want to see it; none has a second one."""
    said = {"text": "", "thoughts": "", "calls": [], "signed": 0, "servers": 0, "images": 0}
    tokens, word, sources = [], "", 0
    for one in objects:
        for candidate in one.get("candidates") or []:
            assert candidate.get("index", 0) == 0
            word = str(candidate.get("finishReason") or word)
            tokens += candidate.get("logprobsResult", {}).get("chosenCandidates", [])
            grounding = candidate.get("groundingMetadata", {})
            cited = [
                s.get("groundingChunkIndices", []) for s in grounding.get("groundingSupports", [])
            ]
            sources += sum(map(len, cited)) or len(grounding.get("groundingChunks", []))
            for part in candidate.get("content", {}).get("parts", []):
                add(said, part)
    return {**said, "tokens": [one["token"] for one in tokens], "word": word, "sources": sources}


def add(said: dict, part: dict) -> None:
    said["thoughts" if part.get("thought") else "text"] += part.get("text", "")
    if "functionCall" in part:
        call = part["functionCall"]
        said["calls"].append((call.get("id"), call["name"], call.get("args", {})))
    said["servers"] += any(kind in part for kind in SERVERS)
    said["signed"] += "thoughtSignature" in part and not any(kind in part for kind in SERVERS)
    said["images"] += part.get("inlineData", {}).get("mimeType", "").startswith("image/")


def check(events: list, objects: list[dict]) -> None:
    """Compare what the events say with what was sent."""
    expected = gist(objects)
    assert text(events) == expected["text"]
    assert "".join(e.text for e in events if isinstance(e, Reasoning)) == expected["thoughts"]
    calls = [e for e in events if isinstance(e, ToolCall)]
    assert [(e.name, json.loads(e.arguments)) for e in calls] == [c[1:] for c in expected["calls"]]
    assert [e.position for e in calls] == list(range(len(calls)))
    assert len({e.id for e in calls}) == len(calls)
    for event, (id_, _, _) in zip(calls, expected["calls"], strict=True):
        assert event.id == (id_ or event.id)
    details = [e.item for e in events if isinstance(e, Detail)]
    hidden = [item for item in details if item.get("data", "").startswith("{")]
    assert (len(hidden), len(details) - len(hidden)) == (expected["servers"], expected["signed"])
    assert sum(isinstance(e, Image) for e in events) == expected["images"]
    assert sum(isinstance(e, Annotation) for e in events) == expected["sources"]
    said = [token["token"] for e in events if isinstance(e, Logprobs) for token in e.tokens]
    assert said == expected["tokens"]
    check_end(events, expected)
    check_usage(events, objects)


def check_end(events: list, expected: dict) -> None:
    [end] = finishes(events)
    assert end.native == expected["word"]
    usual = ENDS[expected["word"]]
    assert end.reason == ("tool_calls" if usual == "stop" and expected["calls"] else usual)


def check_usage(events: list, objects: list[dict]) -> None:
    counted = [o["usageMetadata"] for o in objects if "usageMetadata" in o]
    said = next((c for c in reversed(counted) if "candidatesTokenCount" in c or len(c) > 1), None)
    found = usage(events)
    assert (found is None) == (said is None)
    if found is None or said is None:
        return
    prompt = said.get("promptTokenCount", 0) + said.get("toolUsePromptTokenCount", 0)
    thought = said.get("thoughtsTokenCount", 0)
    assert found.prompt == prompt
    assert found.completion == said.get("candidatesTokenCount", 0) + thought
    assert found.total == said.get("totalTokenCount", found.prompt + found.completion)
    assert found.reasoning == thought
    assert found.cached == said.get("cachedContentTokenCount", 0)
    heard = [d for d in said.get("promptTokensDetails", []) if d["modality"] == "AUDIO"]
    assert found.audio_input == sum(d["tokenCount"] for d in heard)


@pytest.mark.parametrize("record", named(records("sse") + records("json_array_stream")))
def test_a_recorded_stream_says_what_plain_json_says(record: dict):
    body = record["response"]["body_text"].encode()
    events = decode(ADAPTER.decoder(), [body])
    assert broken(events) is None
    check(events, sent(record))


@pytest.mark.parametrize("record", named(records("json")))
def test_a_recorded_body_says_what_plain_json_says(record: dict):
    check(ADAPTER.whole(record["response"]["body_text"].encode()), sent(record))


@pytest.mark.parametrize("record", named(records("sse")[::4] + records("json_array_stream")))
def test_a_recorded_stream_is_the_same_in_every_cut(record: dict):
    body = record["response"]["body_text"].encode()[:20_000]
    whole = flat(decode(ADAPTER.decoder(), [body]))
    chance = Random(record["id"])
    cuts = cut_at(body, [chance.randrange(len(body)) for _ in range(20)])
    for cut in (pieces(body, 1), pieces(body, 7), pieces(body, 64), cuts):
        assert flat(decode(ADAPTER.decoder(), cut)) == whole


@pytest.mark.parametrize("record", named(records("sse")[::6]))
def test_a_recorded_stream_cut_anywhere_is_never_taken_for_a_whole_one(record: dict):
    body = record["response"]["body_text"].encode()
    said = gist(sent(record))
    chance = Random(record["id"])
    for place in {chance.randrange(len(body)) for _ in range(60)}:
        events = decode(ADAPTER.decoder(), pieces(body[:place], 700))
        if broken(events) is None:
            assert text(events) == said["text"]
            assert finishes(events)[0].native == said["word"]


@pytest.mark.parametrize("record", named(records("json", good=False)))
def test_a_recorded_error_is_named_sensibly(record: dict):
    response = record["response"]
    body = response["body_text"].encode()
    failure = ADAPTER.fault(response["status"], response["headers"], body)
    assert failure.status == response["status"]
    assert failure.message == json.loads(body)["error"]["message"].replace("\n", " ")
    assert failure.fault in ERRORS[response["status"]]
    if "API key" in failure.message:
        assert failure.fault is Fault.PROVIDER_AUTH
    if "token count" in failure.message:
        assert failure.fault is Fault.CONTEXT_LENGTH
    if "retryDelay" in body.decode():
        assert failure.retry_after == 48
