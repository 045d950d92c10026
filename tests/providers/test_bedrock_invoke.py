"""Claude by InvokeModel: Anthropic's own messages, in AWS's framing and with AWS's errors."""

import base64
import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import msgspec
import pytest
from botocore.eventstream import EventStreamBuffer
from tests.providers.eventstream_saying import event
from tests.providers.reading import broken, decode, flat, pieces, text
from tests.providers.test_anthropic_recorded import check, message_of
from tests.wall.asking import ask, offer, upstream

from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Fault
from infway.providers.bedrock.invoke import BedrockInvoke

CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus" / "dev"
ADAPTER = BedrockInvoke()
URL = "https://bedrock-runtime.us-east-1.amazonaws.com/model/{model}/{action}"
recorded = pytest.mark.skipif(not CORPUS.is_dir(), reason="the recordings are not at hand")


@cache
def records(wire: str, *, good: bool = True) -> list[dict]:
    """Claude's messages; three of its text completions (`prompt`) are another, older API."""
    lines = (CORPUS / "_index.jsonl").read_text().splitlines() if CORPUS.is_dir() else []
    rows = [row for row in map(json.loads, lines) if row["dialect"] == "bedrock_invoke"]
    chosen = [
        row
        for row in rows
        if "claude" in row["model"] and row["wire"] == wire and (row["status"] == 200) == good
    ]
    found = [json.loads((CORPUS / row["file"]).read_text()) for row in chosen]
    return [one for one in found if "prompt" not in body_of(one)]


def body_of(record: dict) -> dict:
    body = record["request"]["body"]
    return json.loads(body) if isinstance(body, str) else body


def named(found: list[dict]) -> list:
    return [pytest.param(one, id=one["id"]) for one in found]


def parts_of(stream: bytes) -> list[dict]:
    buffer = EventStreamBuffer()
    buffer.add_data(stream)
    return [json.loads(base64.b64decode(json.loads(one.payload)["bytes"])) for one in buffer]


def chunk(said: dict) -> bytes:
    return event("chunk", {"bytes": base64.b64encode(json.dumps(said).encode()).decode()})


BEGUN = b"".join(
    map(
        chunk,
        [
            {"type": "message_start", "message": {"id": "msg_1", "content": []}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}},
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "text_delta", "text": "Hi"},
            },
        ],
    )
)


@recorded
@pytest.mark.parametrize("record", named(records("aws_eventstream")))
def test_a_recorded_stream_says_what_plain_json_says(record: dict):
    stream = base64.b64decode(record["response"]["body_base64"])
    expected = decode(ADAPTER.decoder(), [stream])
    check(expected, message_of(parts_of(stream)))
    for size in (1, 7, 64):
        assert flat(decode(ADAPTER.decoder(), pieces(stream, size))) == flat(expected)


@recorded
@pytest.mark.parametrize("record", named(records("json")))
def test_a_recorded_body_says_what_plain_json_says(record: dict):
    body = record["response"]["body_text"]
    check(ADAPTER.whole(body.encode()), json.loads(body))


@recorded
@pytest.mark.parametrize("record", named(records("json", good=False)))
def test_a_recorded_error_is_named(record: dict):
    response = record["response"]
    failure = ADAPTER.fault(response["status"], response["headers"], response["body_text"].encode())
    expected = {403: Fault.MODEL_MISSING, 400: Fault.UPSTREAM_4XX}
    assert failure.fault is expected[response["status"]]
    assert failure.message == json.loads(response["body_text"])["message"]


@pytest.mark.parametrize(
    ("stream", "action"), [(True, "invoke-with-response-stream"), (False, "invoke")]
)
def test_a_call_names_the_model_in_its_path_and_no_stream_in_its_body(stream: bool, action: str):
    row = {"anthropic_version": "bedrock-2023-05-31"}
    source = replace(upstream("aws", dialect="bedrock-invoke"), chat_url=URL, defaults=row)
    native = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
    fields = {"messages": [{"role": "user", "content": "Hello"}], "stream": stream}
    raw = {name: msgspec.Raw(json.dumps(value).encode()) for name, value in fields.items()}
    call = ADAPTER.request(ask(stream=stream, fields=raw), offer(native, source))
    assert call.url.endswith(f"/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/{action}")
    body = json.loads(call.body)
    assert body.keys() == {"anthropic_version", "messages", "max_tokens"}
    assert body["anthropic_version"] == "bedrock-2023-05-31"
    assert call.dropped == ()


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("throttlingException", Fault.RATE_LIMITED),
        ("modelStreamErrorException", Fault.HTTP_5XX),
        ("modelTimeoutException", Fault.TTFT_TIMEOUT),
        ("somethingElse", Fault.INBAND_ERROR),
    ],
)
def test_an_exception_in_the_stream_ends_it(name: str, fault: Fault):
    wrong = event(name, {"message": "Not now."}, kind="exception")
    for before in (b"", BEGUN):
        events = decode(ADAPTER.decoder(), [before + wrong])
        end = broken(events)
        assert end is not None
        assert (end.failure.fault, end.failure.message) == (fault, "Not now.")
        assert text(events) == ("Hi" if before else "")


@pytest.mark.parametrize(
    "odd",
    [event("chunk", {}), event("chunk", b"no"), event("chunk", {"bytes": "%%%%"}),
     event("chunk", {"bytes": "W10="}), event("chunk", {"bytes": "é"})],
)  # fmt: skip
def test_a_message_without_an_event_ends_the_stream(odd: bytes):
    end = broken(decode(ADAPTER.decoder(), [BEGUN + odd]))
    assert end is not None
    assert end.failure.fault is Fault.BAD_EVENT


def test_a_damaged_message_ends_the_stream_after_what_was_said():
    wrong = bytearray(chunk({"type": "message_stop"}))
    wrong[-1] ^= 1
    events = decode(ADAPTER.decoder(), [BEGUN + bytes(wrong)])
    assert text(events) == "Hi"
    end = broken(events)
    assert end is not None
    assert end.failure.fault is Fault.BAD_EVENT


def test_a_stream_without_its_last_event_was_cut():
    assert broken(decode(ADAPTER.decoder(), [BEGUN])).failure.fault is Fault.STREAM_CUT
    assert broken(decode(ADAPTER.decoder(), [])).failure.fault is Fault.EMPTY_STREAM


def test_an_exception_in_place_of_a_body_is_named():
    with pytest.raises(UpstreamFailed) as caught:
        ADAPTER.whole(b'{"message": "Too many requests", "__type": "a#ThrottlingException"}')
    assert caught.value.failure.fault is Fault.RATE_LIMITED
    with pytest.raises(UpstreamFailed) as caught:
        ADAPTER.whole(b"{}")
    assert caught.value.failure.fault is Fault.EMPTY_CHOICES


def test_bedrock_says_nothing_of_what_is_left():
    assert ADAPTER.limits({"x-amzn-requestid": "1"}) is None
