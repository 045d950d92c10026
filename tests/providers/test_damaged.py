"""Damaged replies of every dialect: an answer, or a failure with a name, and never anything else.

The samples are those of the contract, with pieces taken out, put in and exchanged for JSON of other
kinds. Recorded replies, where they are at hand, are damaged as well.
"""

import base64
import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.providers.reading import broken, decode, pieces

from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import CONSEQUENCES
from infway.providers.registry import ADAPTERS

SAMPLES = Path(__file__).parent / "samples"
CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus" / "dev"
DIALECTS = {
    "openai_chat": "openai",
    "anthropic_messages": "anthropic",
    "gemini": "gemini",
    "bedrock_converse": "bedrock",
    "cohere_v2": "cohere",
    "openai_responses": "responses",
}
STREAMS = frozenset({"sse", "ndjson", "aws_eventstream"})
JUNK = [
    b"\n", b"\n\n\n", b"\r\n", b"\xff", b"null", b"[]", b"{}", b'"', b"-1", b"1e999", b"\x00",
    b"data: ", b'{"error":{"message":"x"}}', b"true", b"[1]", b'{"index":"x"}', b"\xef\xbb\xbf",
]  # fmt: skip


def damaged(data: bytes, chance: Random) -> bytes:
    """The bytes with up to four damages."""
    found = bytearray(data[:20_000])
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(found) + 1)
        match chance.randrange(3):
            case 0:
                found[place:place] = chance.choice(JUNK)
            case 1:
                del found[place : place + chance.randrange(1, 40)]
            case _:
                begin = found.find(b":", place) + 1
                end = min(
                    (at for at in (found.find(b",", begin), found.find(b"}", begin)) if at > 0),
                    default=begin,
                )
                if begin:
                    found[begin:end] = chance.choice(JUNK)
    return bytes(found)


def check_stream(dialect: str, data: bytes, size: int) -> None:
    end = broken(decode(ADAPTERS[dialect].decoder(), pieces(data, size)))
    assert end is None or end.failure.fault in CONSEQUENCES


def check_whole(dialect: str, data: bytes) -> None:
    failed: UpstreamFailed | None = None
    try:
        assert ADAPTERS[dialect].whole(data)
    except UpstreamFailed as error:
        failed = error
    assert failed is None or failed.failure.fault in CONSEQUENCES


@pytest.mark.parametrize("dialect", sorted(ADAPTERS))
@given(seed=st.integers(0, 10**9), size=st.sampled_from([1, 7, 64, 10**6]))
def test_a_damaged_reply_is_an_answer_or_has_a_name(dialect: str, seed: int, size: int):
    chance = Random(seed)
    check_stream(dialect, damaged((SAMPLES / dialect / "stream").read_bytes(), chance), size)
    check_whole(dialect, damaged((SAMPLES / dialect / "whole").read_bytes(), chance))


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the recordings are not at hand")
@pytest.mark.parametrize("theirs", sorted(DIALECTS))
def test_a_damaged_recording_is_an_answer_or_has_a_name(theirs: str):
    chance = Random(theirs)
    rows = [json.loads(line) for line in (CORPUS / "_index.jsonl").read_text().splitlines()]
    rows = [row for row in rows if row["dialect"] == theirs]
    for row in chance.sample(rows, min(len(rows), 60)):
        response = json.loads((CORPUS / row["file"]).read_text())["response"]
        raw = base64.b64decode(response.get("body_base64") or "") or response["body_text"].encode()
        data = damaged(raw, chance)
        if row["status"] != 200:
            failure = ADAPTERS[DIALECTS[theirs]].fault(row["status"], {}, data)
            assert failure.fault in CONSEQUENCES
        elif row["wire"] in STREAMS:
            check_stream(DIALECTS[theirs], data, chance.choice([7, 64, 10**6]))
        else:
            check_whole(DIALECTS[theirs], data)
