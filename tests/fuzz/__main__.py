"""`python -m tests.fuzz TARGET [--seconds N] [--seed N] [--keep]`: hunts, and says what came of it.

The exit code is 1 where something was found.
"""

import argparse
import hashlib
import sys
from pathlib import Path

from tests.fuzz.driver import hunt, smallest
from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"


def main() -> int:
    """Hunt."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="add what reaches new code")
    asked = parser.parse_args()
    target, folder = TARGETS[asked.target], CORPUS / asked.target
    seeds = [path.read_bytes() for path in sorted(folder.glob("*"))]
    result = hunt(target.check, seeds, target.words, asked.seconds, asked.seed)
    folder.mkdir(parents=True, exist_ok=True)
    for found in result.found.values():
        print(f"{type(found.error).__name__}: {found.error!s:.300} <- {_kept(folder, found.data)}")
    if asked.keep:
        chosen = smallest(target.check, [*seeds, *result.fresh])
        for data in chosen:
            _kept(folder, data)
    print(
        f"{asked.target}: {result.executions} executions in {asked.seconds:.0f} s, "
        f"{len(result.edges)} steps reached, {len(result.fresh)} new inputs, "
        f"{len(result.found)} findings"
    )
    return int(bool(result.found))


def _kept(folder: Path, data: bytes) -> Path:
    path = folder / hashlib.sha256(data).hexdigest()[:12]
    if data not in [one.read_bytes() for one in folder.glob("*")]:
        path.write_bytes(data)
    return path


if __name__ == "__main__":
    sys.exit(main())
