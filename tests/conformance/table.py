"""The table of a run: kind x (json, stream) x feature, what was not run, what failed."""

from collections import Counter
from collections.abc import Iterable, Sequence

from tests.conformance.kinds import kind_of
from tests.conformance.recording import Row
from tests.conformance.run import CUTS, Result

_SHORT = {
    "parallel_tools": "par.tools",
    "images": "image",
    "reasoning": "reason",
    "json_schema": "schema",
    "json_object": "object",
    "prompt_caching": "cache",
    "builtin_tools": "builtin",
}


def features_of(row: Row) -> tuple[str, ...]:
    """Return the columns that a recording counts in."""
    return row.features or ("plain",)


def print_table(results: Sequence[Result], reasons: Counter[str], cuts: Iterable[int]) -> None:
    """Print how many recordings pass, in which `cuts` streams were played, and what was not run."""
    names = {name for result in results for name in features_of(result.row)}
    columns = sorted(names, key=lambda name: (name != "plain", name))
    lines = [["kind", "reply", "all", *(_SHORT.get(name, name) for name in columns)]]
    for kind in sorted({kind_of(result.row) for result in results}):
        for word, is_stream in (("json", False), ("stream", True)):
            some = [r for r in results if (kind_of(r.row), r.row.stream) == (kind, is_stream)]
            if some:
                lines.append([kind, word, _cell(some), *(_of(some, name) for name in columns)])
    _print_aligned(lines)
    print("\nStreams are played " + "; ".join(map(_played, cuts)) + ".")
    print(f"{sum(result.runs for result in results)} exchanges in all.\n")
    for reason, count in sorted(reasons.items()):
        print(f"not applicable {count:4}  {reason}")


def _played(cut: int) -> str:
    how = f"in {cut} byte writes" if cut else "in one write"
    return how + (f" up to {CUTS[cut]} bytes" if CUTS[cut] < 2**30 else "")


def _of(some: Sequence[Result], feature: str) -> str:
    return _cell([result for result in some if feature in features_of(result.row)])


def _cell(some: Sequence[Result]) -> str:
    return f"{sum(result.passed for result in some)}/{len(some)}" if some else ""


def _print_aligned(lines: Sequence[Sequence[str]]) -> None:
    widths = [max(len(line[n]) for line in lines) for n in range(len(lines[0]))]
    for line in lines:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        )


def print_failures(results: Iterable[Result], *, verbose: bool) -> None:
    """Print what did not pass."""
    for result in results:
        for line in () if result.passed else described(result, verbose=verbose):
            print(line)


def described(result: Result, *, verbose: bool = False) -> list[str]:
    """Return a failure: in one line, or with all its differences."""
    row = result.row
    head = f"FAILED {kind_of(row)} {row.provider}/{row.id}"
    if not verbose:
        more = f" (and {len(result.differences) - 1} more)" if len(result.differences) > 1 else ""
        return [f"{head}  {result.differences[0]}{more}"]
    return [head, *(f"    {line}" for line in result.differences)]
