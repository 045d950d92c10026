"""Recorded traffic of the Messages API in front of and behind a gateway.

The recordings are not part of the project: the tests are skipped where they are not at hand.
"""

import base64
import json
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from pathlib import Path

import pytest
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import Message
from tests.api.anthropic_asking import HELLO, native
from tests.api.anthropic_talking import CLAUDE, behind
from tests.api.upstream import Asked, Script
from tests.conftest import Gateway, Start
from tests.providers.eventstream_saying import event
from tests.wall.asking import offer, upstream

from infway.api.anthropic.reading import read_request
from infway.kernel.errors import UpstreamFailed
from infway.providers.anthropic.adapter import Anthropic
from infway.providers.sse import frames

CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus" / "dev"
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the recordings are not at hand")
INVOKE = {"vendor": "bedrock-invoke", "key": "the-key-of-the-vendor", "region": "us-east-1"}
ASK = {"model": "m1", "max_tokens": 64_000, "messages": [HELLO]}
PART = 12  # recordings of a kind that a gateway is tried with
PLAIN = frozenset({"text", "thinking", "redacted_thinking", "tool_use"})


@cache
def records(wire: str = "") -> list[dict]:
    """The recordings that answer; those of `exact` fidelity where a wire is named."""
    lines = (CORPUS / "_index.jsonl").read_text().splitlines() if CORPUS.is_dir() else []
    rows = [row for row in map(json.loads, lines) if row["dialect"] == "anthropic_messages"]
    chosen = [
        row
        for row in rows
        if row["status"] == 200 and (not wire or (row["wire"], row["fidelity"]) == (wire, "exact"))
    ]
    return [json.loads((CORPUS / row["file"]).read_text()) for row in chosen]


def part(wire: str) -> list[dict]:
    found = records(wire)
    return found[:: max(len(found) // PART, 1)]


def body_of(record: dict) -> dict:
    body = record["request"]["body"]
    read: dict = json.loads(body) if isinstance(body, str) else body
    return {"model": "m1", **read}


def said(record: dict) -> bytes:
    """The reply as a framer hands it on."""
    text: str = record["response"]["body_text"]
    return text.replace("\r\n", "\n").encode()


def test_every_recorded_request_is_read() -> None:
    needed, refused, told = 0, 0, 0
    for record in records():
        body = body_of(record)
        ask, _ = read_request(json.dumps(body).encode(), (), "r-1")
        sent = native(ask)
        assert json.loads(bytes(sent.fields["messages"])) == body["messages"]  # type: ignore[arg-type]  # raw JSON
        if sent.needs:
            needed += 1
            continue
        place = upstream("up", dialect="anthropic", vendor="anthropic")
        try:
            call = Anthropic().request(ask, offer(body["model"], place))
        except UpstreamFailed:
            refused += 1  # a model that takes no prefill, for one
            continue
        told += bool(call.dropped)
        assert json.loads(call.body)["max_tokens"] == body["max_tokens"]
    assert needed < len(records()) / 4  # server tools, files, connectors
    assert (refused, told) == (0, 0)


@pytest.mark.parametrize("record", part("sse"), ids=lambda one: str(one["id"]))
async def test_recorded_streams_come_through_byte_for_byte(start: Start, record: dict) -> None:
    data = said(record)
    script = Script([data[:999], data[999:]], kind="text/event-stream")
    async with behind(start, lambda _: script, CLAUDE, "claude-x") as gateway:
        heard = await gateway.post(
            "/v1/messages", {**body_of(record), "model": "m1", "stream": True}
        )
        assert heard.status == 200
        mine, theirs = heard.body.split(b"\n\n"), data.split(b"\n\n")
        assert mine[1:] == theirs[1:]
        own = {"id": f"msg_{heard.header('request-id')}", "model": "m1"}
        first = json.loads(theirs[0].split(b"data: ")[1])
        first["message"] |= own
        assert json.loads(mine[0].split(b"data: ")[1]) == first


@pytest.mark.parametrize("record", part("json"), ids=lambda one: str(one["id"]))
async def test_recorded_bodies_come_through(start: Start, record: dict) -> None:
    async with behind(start, lambda _: Script([said(record)]), CLAUDE, "claude-x") as gateway:
        heard = await gateway.post("/v1/messages", {**body_of(record), "model": "m1"})
        own = {"id": f"msg_{heard.header('request-id')}", "model": "m1"}
        assert heard.json == {**json.loads(said(record)), **own}
        assert json.dumps(json.loads(said(record))["content"]) == json.dumps(heard.json["content"])


def added_up(block: bytes) -> Message:
    """What Anthropic's own client makes of a stream."""
    snapshot = None
    buffers: dict[int, bytes] = {}
    for one in frames(block):
        if one.event != b"ping":
            read = json.loads(one.data)
            snapshot = accumulate_event(event=read, current_snapshot=snapshot, json_bufs=buffers)
    assert snapshot is not None
    return snapshot


def plain(message: Message) -> Iterator[tuple[str, object]]:
    """The blocks that any vendor's answer has; texts that follow one another are one."""
    blocks = [block.to_dict() for block in message.content if block.type in PLAIN]
    for kind, group in groupby(blocks, key=lambda block: block["type"]):
        if kind == "text":
            text = "".join(str(block["text"]) for block in group)
            yield from [("text", text)] if text else []
            continue
        for block in group:
            yield str(kind), {key: block.get(key) for key in ("thinking", "signature", "data", "id", "name", "input")}  # fmt: skip


def pieces_of(record: dict) -> Script:
    """The recorded stream in a framing that is not passed on but translated."""
    events = [json.loads(one.data) for one in frames(said(record))]
    coded = [base64.b64encode(json.dumps(one).encode()).decode() for one in events]
    data = b"".join(event("chunk", {"bytes": one}) for one in coded)
    return Script([data], kind="application/vnd.amazon.eventstream")


@pytest.mark.parametrize("record", part("sse"), ids=lambda one: str(one["id"]))
async def test_through_the_pieces_a_client_reads_the_same_message(
    start: Start, record: dict
) -> None:
    recording = added_up(said(record))

    def say(_: Asked) -> Script:
        return pieces_of(record)

    async with behind(start, say, INVOKE, "anthropic.claude-x") as gateway:
        message = added_up(await streamed(gateway))
    assert list(plain(message)) == list(plain(recording))
    assert message.stop_reason in (recording.stop_reason, "end_turn")
    assert message.usage.output_tokens == recording.usage.output_tokens
    assert message.usage.input_tokens == recording.usage.input_tokens
    assert (message.usage.cache_read_input_tokens or 0) == (recording.usage.cache_read_input_tokens or 0)  # fmt: skip


async def streamed(gateway: Gateway) -> bytes:
    heard = await gateway.post("/v1/messages", {**ASK, "stream": True})
    assert heard.status == 200
    return heard.body
