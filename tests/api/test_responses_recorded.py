"""Recorded requests for responses are read, and recorded streams come through as they are."""

import json
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from infway.api.responses.asking import read_ask, read_draft
from infway.api.responses.frames import Frames
from infway.api.responses.mirrored import Mirrored, patched
from infway.api.responses.output import Output
from infway.kernel.errors import CallerError
from infway.kernel.events import Broken, Raw
from infway.providers.mirror import Mirror
from infway.providers.responses.carry import ResponsesCarrier
from infway.providers.sse import frames

CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus" / "dev"
pytestmark = pytest.mark.skipif(not CORPUS.exists(), reason="the recorded traffic is not here")
# Recorded fields that infway refuses, since what they name is kept at OpenAI
_AT_OPENAI = ("conversation", "prompt")


@cache
def recorded() -> list[dict[str, Any]]:
    """Return all recorded exchanges of the dialect."""
    rows = [json.loads(line) for line in (CORPUS / "_index.jsonl").read_text().splitlines()]
    named = [row["file"] for row in rows if row["dialect"] == "openai_responses"]
    return [json.loads((CORPUS / name).read_text()) for name in named]


def streams() -> Iterator[bytes]:
    """Yield the bodies of recorded streams."""
    for record in recorded():
        text = record["response"]["body_text"]
        if record["wire"] == "sse" and record["response"]["status"] == 200 and text:
            yield text.encode()


def test_every_recorded_request_is_read() -> None:
    read = refused = 0
    for record in recorded():
        body = record["request"]["body"]
        if not isinstance(body, dict) or "input" not in body:
            continue
        if set(_AT_OPENAI) & body.keys() or record["response"]["status"] >= 400:
            refused += 1
            with suppress(CallerError):
                read_draft(json.dumps(body).encode())
            continue
        draft = read_draft(json.dumps(body).encode())
        native = read_ask(draft, draft.items(), (), "abc-1").native
        assert native is not None
        assert native.fields.keys() <= body.keys()
        read += 1
    assert read > 200
    assert refused < 30


def costless(response: dict[str, Any]) -> dict[str, Any]:
    """Leave out what it cost the upstream."""

    def kept(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: kept(one) for name, one in value.items() if "cost" not in name}

    return {**response, "usage": kept(response["usage"])} if "usage" in response else response


def test_every_recorded_stream_comes_through_as_it_is() -> None:
    count = 0
    for body in streams():
        kept: list[tuple[str, bytes]] = []
        writer = Mirrored({"id": "resp_own", "model": "m1"}, dict, lambda *one: kept.append(one))  # noqa: B023 - called within the loop
        decoder = Mirror(ResponsesCarrier()).decoder()
        events = decoder.feed(body) + decoder.close()
        told = writer.encode(events)
        is_broken = isinstance(events[-1], Broken)
        told += writer.cut() if is_broken else writer.close()
        sent = frames(b"".join(event.data for event in events if isinstance(event, Raw)))
        heard = [frame for frame in frames(told) if frame.data != b"[DONE]"]
        for one, other in zip(sent, heard, strict=False):
            said = json.loads(one.data) if one.data.startswith(b"{") else {}
            if "response" not in said:
                assert one == other
                continue
            now = json.loads(other.data)
            assert now["response"]["id"] == "resp_own"
            own = {"id": said["response"].get("id"), "model": said["response"].get("model")}
            assert {**now, "response": {**now["response"], **own}} == {
                **said,
                "response": {**costless(said["response"]), **own},
            }
        assert is_broken or len(kept) == 1
        count += 1
    assert count > 80


def test_every_recorded_stream_can_be_said_anew() -> None:
    for body in streams():
        decoder = ResponsesCarrier().decoder()
        told = Frames()
        output = Output(told, "abc-1", summed=True)
        for event in decoder.feed(body) + decoder.close():
            output.hear(event)
        output.end()
        events = [json.loads(frame.data) for frame in frames(told.take())]
        opened = [one["item"]["id"] for one in events if one["type"].endswith("item.added")]
        closed = [one["item"]["id"] for one in events if one["type"].endswith("item.done")]
        assert sorted(opened) == sorted(closed)
        assert [item["id"] for item in output.items] == opened
        deltas = "".join(
            one["delta"] for one in events if one["type"] == "response.output_text.delta"
        )
        texts = [
            part.get("text", "")
            for item in output.items
            if item["type"] == "message"
            for part in item["content"]  # type: ignore[attr-defined]
        ]
        assert deltas == "".join(texts)


def test_every_recorded_whole_response_keeps_all_but_what_is_infways() -> None:
    for record in recorded():
        text = record["response"]["body_text"]
        if record["wire"] != "json" or record["response"]["status"] != 200 or not text:
            continue
        said = json.loads(text)
        status, body = patched(text.encode(), {"id": "resp_own"})
        assert json.loads(body) == {**costless(said), "id": "resp_own"}
        assert status == said.get("status", "completed")
