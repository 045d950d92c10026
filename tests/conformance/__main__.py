"""`python -m tests.conformance CORPUS_DIR`: how well the gateway carries what was recorded."""

import argparse
import logging
import sys
from collections import Counter
from pathlib import Path

import uvloop
from tests.conformance.kinds import why_not
from tests.conformance.recording import Recording, load, rows
from tests.conformance.run import run
from tests.conformance.table import print_table

from infway.providers.registry import ADAPTERS


def main() -> int:
    """Run; 1 where a recording fails."""
    said = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    said.add_argument("corpus", type=Path, help="a folder with _index.jsonl")
    said.add_argument("--only", metavar="DIALECT", help="recordings of one dialect")
    said.add_argument("--verbose", action="store_true", help="show every difference")
    said.add_argument("--pieces", choices=("whole", "all"), default="all", help="cuts of streams")
    asked = said.parse_args()
    logging.disable(logging.ERROR)
    reasons: Counter[str] = Counter()
    chosen: list[Recording] = []
    for row in rows(asked.corpus):
        if asked.only not in (None, row.dialect):
            continue
        recording = load(row)
        reason = why_not(recording, ADAPTERS)
        if reason is None:
            chosen.append(recording)
        else:
            reasons[reason] += 1
    results = uvloop.run(run(chosen, asked.pieces)) if chosen else []
    print_table(results, reasons, verbose=asked.verbose)
    passed = sum(result.passed for result in results)
    print(f"\n{passed} of {len(results)} recordings pass")
    return 0 if passed == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
