"""Recorded requests in OpenAI's words, said in every dialect, a part of them; `__main__` says all.

The recordings are not part of the project: the tests are skipped where they are not at hand.
"""

import json
import re
from pathlib import Path

import pytest
from tests.translation import recorded
from tests.translation.offers import translating
from tests.translation.vendor_types import judge

from infway.kernel.chat import HttpCall

CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus" / "dev"
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the recordings are not at hand")
_STEP = 9
_NATIVE = {
    "anthropic_messages": "anthropic", "gemini": "gemini", "bedrock_converse": "bedrock",
    "cohere_v2": "cohere", "openai_responses": "responses", "ollama_native": "ollama",
}  # fmt: skip
_OTHER = re.compile("count_tokens|generate$")  # surfaces of their own
# Of requests that a vendor took, so many are of betas, or spelled as its reference does not say
_TAKEN = 0.85


@pytest.fixture(scope="module")
def rows() -> dict[str, recorded.Row]:
    return {row.dialect: row for row in recorded.run(CORPUS, _STEP)}


@pytest.mark.parametrize("dialect", translating())
def test_a_vendor_would_take_what_its_dialect_can_carry(
    rows: dict[str, recorded.Row], dialect: str
) -> None:
    row = rows[dialect]
    assert row.failures == []
    assert row.passed == row.run


@pytest.mark.parametrize("dialect", translating())
def test_most_requests_can_be_said_in_every_dialect(
    rows: dict[str, recorded.Row], dialect: str
) -> None:
    row = rows[dialect]
    assert row.run > 2 * row.refused.total(), row.refused


def test_what_vendors_really_took_passes_their_judges() -> None:
    """The judges are no stricter than the vendors, or their word would mean nothing."""
    taken: dict[str, list[bool]] = {dialect: [] for dialect in _NATIVE.values()}
    for line in (CORPUS / "_index.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["status"] == 200 and row["dialect"] in _NATIVE and not _OTHER.search(row["api"]):
            body = json.loads((CORPUS / row["file"]).read_text())["request"].get("body")
            call = HttpCall("", "", {}, json.dumps(body).encode())
            dialect = _NATIVE[row["dialect"]]
            taken[dialect].append(isinstance(body, dict) and not judge(dialect, call))
    shares = {dialect: sum(found) / len(found) for dialect, found in taken.items() if found}
    assert {dialect for dialect, share in shares.items() if share < _TAKEN} == set()
