"""`python -m tests.translation CORPUS_DIR`: the table of the recorded requests.

`--cases 1000` makes up as many beside them; `--reports DIR` writes a file for each dialect.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.translation import generated, recorded
from tests.translation.offers import translating


def main() -> int:
    """Return 0 where every vendor would take every request that its dialect can carry."""
    parser = argparse.ArgumentParser(prog="python -m tests.translation", description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--cases", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reports", type=Path)
    said = parser.parse_args()
    rows = recorded.run(said.corpus)
    print("\n".join(recorded.table(rows)))
    made_up = generated.run(said.cases, translating(), said.seed) if said.cases else []
    if made_up:
        generated.run_nonsense(said.cases, made_up, said.seed)
    print("\n".join(generated.report(made_up)))
    if said.reports:
        _write(said.reports, rows, made_up)
    return any(row.failures for row in rows) or any(found.times for found in made_up)


def _write(folder: Path, rows: Iterable[recorded.Row], made_up: Iterable[generated.Found]) -> None:
    told = {found.dialect: list(generated.report([found])) for found in made_up}
    for row in rows:
        lines = [*recorded.table([row]), "", *told.get(row.dialect, ())]
        (folder / f"translation-{row.dialect}.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
