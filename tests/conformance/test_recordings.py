"""A sample of the recordings of real vendors, where they are at hand, through the whole line.

`make conformance` runs all of them.
"""

from pathlib import Path

import pytest
from tests.conformance.kinds import KINDS, kind_of, why_not, why_not_so
from tests.conformance.recording import load, rows
from tests.conformance.run import run
from tests.conformance.table import described

from infway.providers.registry import ADAPTERS

CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus" / "dev"
SPOKEN = sorted(name for name, kind in KINDS.items() if kind.dialect in ADAPTERS)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the recordings are not at hand")
@pytest.mark.parametrize("kind", SPOKEN)
async def test_a_sample_of_the_recordings_comes_through(kind: str):
    every = 40 if kind == "openai_chat" else 12
    most = 8_000 if KINDS[kind].mode == "chat" else 100_000  # bytes; vectors are long
    known = [row for row in rows(CORPUS) if kind_of(row) == kind and not why_not(row, ADAPTERS)]
    loaded = map(load, known[::every])
    some = [one for one in loaded if why_not_so(one) is None and len(one.body) < most]
    assert some
    results = await run(some, "all")
    assert [line for one in results if not one.passed for line in described(one)] == []
