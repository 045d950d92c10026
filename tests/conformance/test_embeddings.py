"""Embeddings made by hand: their reader, the whole line, and that every difference is seen."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from openai import AsyncOpenAI
from tests.conformance.kinds import KINDS, kind_of, why_not_so
from tests.conformance.line import KEY, gateway, upstream_settings
from tests.conformance.recording import Recording
from tests.conformance.replay import replaying
from tests.conformance.run import run
from tests.conformance.small_embeddings import SMALL, TWO, Small
from tests.conformance.table import described
from tests.conformance.truth_embeddings import read, texts
from tests.conformance.wires import Json

named = pytest.mark.parametrize("small", [pytest.param(one, id=one.name) for one in SMALL])


def test_every_kind_of_embeddings_has_small_replies():
    kinds = {name for name, kind in KINDS.items() if kind.mode == "embedding"}
    assert {kind_of(small.recording.row) for small in SMALL} == kinds


@named
def test_a_reader_reads_what_is_there(small: Small):
    said = read(small.recording)
    assert len(texts(small.recording)) == len(small.vectors) or small.failing
    assert said.vectors == [pytest.approx(one, rel=2**-23) for one in small.vectors]
    assert said.tokens == small.tokens
    assert said.failing == small.failing


async def test_every_small_reply_comes_through_whole():
    results = await run([small.recording for small in SMALL], "all")
    assert len(results) == len(SMALL)
    assert [line for one in results if not one.passed for line in described(one)] == []


async def differing(true: Recording, other: Recording, folder: Path) -> list[str]:
    """The truth is read from one recording, and another one is played."""
    async with replaying() as replay:
        replay.plays({"one": (other, 0)})
        upstream = upstream_settings("one", true, replay.port)
        async with (
            gateway(folder / "ledger.db", [upstream]) as url,
            AsyncOpenAI(base_url=url, api_key=KEY, max_retries=0) as client,
        ):
            return await KINDS[kind_of(true.row)].check(client, "one", true)


def swapped(body: Json) -> None:
    for one in body["data"]:
        one["index"] = 1 - one["index"]


def rounded(body: Json) -> None:
    body["data"][0]["embedding"] = [round(one, 6) for one in TWO]


def shorter(body: Json) -> None:
    body["data"][0]["embedding"] = TWO[:-1]


def fewer(body: Json) -> None:
    del body["data"][0]


def counted(body: Json) -> None:
    body["usage"] = {"prompt_tokens": 8, "total_tokens": 8}


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        (swapped, ["vector 0 number 0", "vector 1 number 0"]),
        (rounded, ["vector 1 number 0"]),
        (shorter, ["vector 1 length"]),
        (fewer, ["error"]),
        (counted, ["usage", "cost"]),
    ],
)
async def test_whatever_is_not_as_recorded_is_seen(
    change: Callable[[Json], None], lines: list[str], tmp_path: Path
):
    true = SMALL[0].recording
    body = json.loads(true.body)
    change(body)
    found = await differing(true, replace(true, body=json.dumps(body).encode()), tmp_path)
    expected = [f"{form}: {line}" for form in ("float", "base64") for line in lines]
    assert [line.rpartition(": expected")[0] for line in found] == expected


async def test_an_error_in_the_place_of_vectors_is_seen_and_the_other_way_round(tmp_path: Path):
    known = {small.name: small.recording for small in SMALL}
    true, error = known["openai-out-of-order"], known["openai-too-long"]
    for folder, one, other in (("a", true, error), ("b", error, true)):
        (tmp_path / folder).mkdir()
        found = await differing(one, replace(other, row=one.row), tmp_path / folder)
        assert [line.split(" expected")[0] for line in found] == ["float: error:", "base64: error:"]


async def test_texts_that_go_one_by_one_are_asked_for_together_as_well(tmp_path: Path):
    true = next(small for small in SMALL if small.name == "titan").recording
    other = replace(true, body=true.body.replace(b'Count": 2', b'Count": 3'))
    found = await differing(true, other, tmp_path)
    assert found[-2].startswith("3 calls: base64: usage: expected (6, 6), got (9, 9)")
    assert len(found) == 8


def test_a_recording_in_a_format_that_the_gateway_never_asks_for_is_not_run():
    small = replace(SMALL[0], provider="vllm", asked={"input": "a", "encoding_format": "base64"})
    assert "float64" in (why_not_so(small.recording) or "")
    assert why_not_so(replace(small, provider="openai").recording) is None
