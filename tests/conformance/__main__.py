"""`python -m tests.conformance CORPUS_DIR`: how well the gateway carries what was recorded."""

import argparse
import faulthandler
import logging
import sys
from collections import Counter
from pathlib import Path

import uvloop
from tests.conformance.kinds import kind_of, why_not, why_not_so
from tests.conformance.recording import Recording, load, rows
from tests.conformance.run import CUTS, WHOLE, run
from tests.conformance.table import print_failures, print_table

from infway.providers.registry import ADAPTERS

_HUNG = 120  # seconds without the end of any exchange: the gateway is caught in a loop

_STDERR = 2


def main() -> int:
    """Run; 1 where a recording fails."""
    said = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    said.add_argument("corpus", type=Path, help="a folder with _index.jsonl")
    said.add_argument("--only", metavar="KIND", help="recordings of one kind")
    said.add_argument("--verbose", action="store_true", help="show every difference")
    said.add_argument("--pieces", choices=("whole", "all"), default="all", help="cuts of streams")
    asked = said.parse_args()
    chosen, reasons = _choose(asked.corpus, asked.only)
    _went_on()
    results = uvloop.run(run(chosen, asked.pieces, _went_on)) if chosen else []
    faulthandler.cancel_dump_traceback_later()
    print_table(results, reasons, CUTS if asked.pieces == "all" else [WHOLE])
    print_failures(results, verbose=asked.verbose)
    passed = sum(result.passed for result in results)
    print(f"\n{passed} of {len(results)} recordings pass")
    return 0 if passed == len(results) else 1


def _choose(corpus: Path, only: str | None) -> tuple[list[Recording], Counter[str]]:
    """Return what is run, and how many are not for which reason."""
    chosen: list[Recording] = []
    reasons: Counter[str] = Counter()
    for row in rows(corpus):
        if only not in (None, kind_of(row)):
            continue
        reason = why_not(row, ADAPTERS)
        recording = load(row) if reason is None else None
        if recording is not None:
            reason = why_not_so(recording)
        if reason is not None:
            reasons[reason] += 1
        elif recording is not None:
            chosen.append(recording)
    return chosen, reasons


def _went_on() -> None:
    """Put off the end of a run that is stuck, which tells where on standard error."""
    faulthandler.dump_traceback_later(_HUNG, exit=True, file=_STDERR)


if __name__ == "__main__":
    logging.disable(logging.ERROR)
    sys.exit(main())
