"""Requests that Gemini's clients really sent: read, and told on, with nothing lost in silence.

The recordings are not part of the project: the tests are skipped where they are not at hand.
"""

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.api.gemini_telling import said, spelled, wished
from tests.api.test_gemini_round_trip import by_kind, without_proofs
from tests.translation.offers import offers
from tests.translation.telling import anywhere

from infway.api.gemini.reading import read_generate
from infway.kernel.errors import CallerError, UpstreamFailed
from infway.providers.gemini.adapter import Gemini
from infway.providers.gemini.carry import GeminiCarrier

CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus" / "dev"
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the recordings are not at hand")


@cache
def bodies() -> list[tuple[str, dict[str, Any]]]:
    """The requests that Google did not refuse, by the name of their recording."""
    lines = (CORPUS / "_index.jsonl").read_text().splitlines()
    rows = [row for row in map(json.loads, lines) if row["dialect"] == "gemini"]
    records = [(row, json.loads((CORPUS / row["file"]).read_text())) for row in rows]
    return [
        (row["id"], record["request"]["body"])
        for row, record in records
        if row["status"] == 200 and isinstance(record["request"]["body"], dict)
    ]


def test_every_recorded_request_is_understood() -> None:
    seen: Counter[str] = Counter()
    for name, body in bodies():
        ask, _ = read_generate(json.dumps(body).encode(), "r-1", "m1", stream=False)
        assert ask.native is not None, name
        seen["needs"] += bool(ask.native.needs)
        seen["tools"] += b'"tools"' in json.dumps(body).encode()
        seen["all"] += 1
    assert seen["all"] > 200
    assert seen["needs"] < seen["all"] / 4


def test_what_was_said_is_told_on_or_listed() -> None:
    compared = 0
    for name, body in bodies():
        ask, _ = read_generate(json.dumps(body).encode(), "r-1", "m1", stream=False)
        native = ask.native
        assert native is not None
        if native.needs:
            continue
        try:
            call = Gemini().request(ask, offers("gemini")[1])
        except UpstreamFailed:
            continue
        lost = anywhere({*native.lost, *call.dropped})
        asked, found = said(spelled(body)), said(json.loads(call.body))
        if "messages.reasoning_details" in lost:
            asked, found = without_proofs(asked), without_proofs(found)
        if {"contents.parts", "messages.reasoning_details"} & lost:
            asked, found = by_kind(asked), by_kind(found)
        assert found == asked, name
        assert wished(json.loads(call.body)) == wished(spelled(body)), name
        compared += 1
    assert compared > 150


def test_a_request_goes_on_to_google_as_it_was_sent() -> None:
    for name, body in bodies():
        ask, _ = read_generate(json.dumps(body).encode(), "r-1", "m1", stream=True)
        call = GeminiCarrier().carry(ask, offers("gemini")[0])
        sent = json.loads(call.body)
        assert call.url.endswith("gemini-2.5-flash:streamGenerateContent?alt=sse")
        gone = {"labels", "model"}
        assert sent == {key: one for key, one in body.items() if key not in gone}, name


def test_a_cut_request_is_refused_with_a_field() -> None:
    for _, body in bodies()[::10]:
        text = json.dumps(body).encode()
        for cut in (1, len(text) // 2, len(text) - 1):
            with pytest.raises(CallerError) as caught:
                read_generate(text[:cut], "r-1", "m1", stream=False)
            assert caught.value.status == 400
